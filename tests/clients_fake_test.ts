import { assertEquals, assertLessOrEqual } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  add,
  carriedBy,
  type Client,
  idleOf,
  sweepEvery,
} from "../lib/clients.ts";
import type { Relay } from "../lib/relay.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeConn } from "./fakes.ts";

/** A client that has carried so many bytes in each direction. */
function client(id: number, bytes: number): Client & { relay: Relay } {
  const conn = new FakeConn();
  const now = performance.now();
  return {
    id,
    remoteAddr: conn.remoteAddr,
    conn,
    since: now,
    relay: { bytesRead: bytes, bytesWritten: bytes } as Relay,
    carried: 2 * bytes,
    carriedAt: now,
  };
}

const idle = (clients: Iterable<Client>, timeout: number) =>
  [...idleOf(clients, timeout)].map(({ id }) => id);

describe("idle clients", () => {
  it("are those that have carried nothing since the last look but one", () => {
    using clock = new FakeClock();
    const [silent, talker] = [client(1, 0), client(2, 100)];
    clock.now += 500;
    talker.relay.bytesRead++;
    assertEquals(idle([silent, talker], 1_000), []);
    clock.now += 500;
    assertEquals(idle([silent, talker], 1_000), [1]);
    clock.now += 500;
    assertEquals(idle([silent, talker], 1_000), [1, 2]);
  });

  it("are also those whose TLS session never came about", () => {
    using clock = new FakeClock();
    const { relay: _, ...waiting } = client(1, 0);
    clock.now += 1_000;
    assertEquals(idle([waiting], 1_000), [1]);
  });

  it("are looked for at least four times in a timeout, each second or more often", () => {
    for (const timeout of [20, 100, 1_000, 4_000, 60_000, 3_600_000]) {
      assertLessOrEqual(sweepEvery(timeout), timeout / 4);
      assertLessOrEqual(sweepEvery(timeout), 1_000);
    }
    // Not so often that it costs more than the clients do.
    assertEquals(sweepEvery(1), 5);
  });
});

describe("what a client has carried", () => {
  it("is what its relay has read and written", () => {
    const { bytesRead, bytesWritten } = carriedBy(client(1, 7));
    assertEquals([bytesRead, bytesWritten], [7, 7]);
  });

  it("is nothing before its echo has begun", () => {
    const { relay: _, ...waiting } = client(1, 7);
    assertEquals(carriedBy(waiting), { bytesRead: 0, bytesWritten: 0 });
  });

  it("leaves out what a fault still holds back", () => {
    const one = client(1, 7);
    one.conn = Object.assign(new FakeConn(), { faults: {}, sent: 3 });
    assertEquals(carriedBy(one), { bytesRead: 7, bytesWritten: 3 });
  });
});

it("counts of faults are added by name", () => {
  const sum = { latency: 1 };
  add({ latency: 2, reset: 1 }, sum);
  add(undefined, sum);
  assertEquals(sum, { latency: 3, reset: 1 } as typeof sum);
});
