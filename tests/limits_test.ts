import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type ClosedConnection,
  serve,
  type ServeOptions,
} from "../lib/echo.ts";
import { lifecycle } from "../lib/lifecycle.ts";
import { cert, key } from "./certificates.ts";
import { FakeClock, settle, untilTurn } from "./fake_clock.ts";
import { FakeConn, FakeListener } from "./fakes.ts";
import { portOf, utf8 } from "./peers.ts";

/** A server without a network, and what it tells of its clients. */
function serverOf(options: ServeOptions) {
  const listener = new FakeListener();
  const closed: ClosedConnection[] = [];
  const server = lifecycle(listener, {
    ...options,
    onClose: (connection) => closed.push(connection),
  });
  return { listener, server, closed };
}

describe("an idle timeout", () => {
  for (const idleTimeout of [1_000, 60_000]) {
    it(`of ${idleTimeout} ms ends the silent after it, up to a quarter late`, async () => {
      using clock = new FakeClock();
      const { listener, server, closed } = serverOf({ idleTimeout });
      const client = listener.connect();
      await settle();
      client.feed(utf8("hello"));
      const start = clock.now;
      await clock.advance(idleTimeout - 1);
      assertEquals(closed.length, 0);
      // What was sent before the first look counts from that look.
      await clock.advance(idleTimeout / 2 + 2);
      assertEquals(closed.map(({ reason }) => reason), ["idle"]);
      assertLessOrEqual(clock.now - start, 1.51 * idleTimeout);
      assert(client.closed);
      await server.shutdown();
    });
  }

  it("does not end those who talk, however seldom", async () => {
    using clock = new FakeClock();
    const { listener, server, closed } = serverOf({ idleTimeout: 10_000 });
    const client = listener.connect();
    for (let i = 0; i < 20; i++) {
      await clock.advance(9_000);
      client.feed(utf8("x"));
    }
    assertEquals(closed, []);
    client.end();
    await settle();
    assertEquals(closed.map(({ reason }) => reason), ["closed"]);
    await server.shutdown();
  });
});

describe("the grace of a shutdown", () => {
  for (const grace of [100, 5_000, 3_600_000]) {
    it(`of ${grace} ms is what a client that never reads gets`, async () => {
      using clock = new FakeClock();
      const { listener, server, closed } = serverOf({ grace });
      const client = listener.connect(new FakeConn({ neverReads: true }));
      await settle();
      client.feed(utf8("what it never takes back"));
      await settle();
      let over = false;
      const done = server.shutdown().then(() => over = true);
      assert(listener.closed);
      await clock.advance(0.9 * grace);
      assertEquals(over, false);
      await clock.advance(0.2 * grace);
      assertEquals(over, true);
      assertEquals(closed.map(({ reason }) => reason), ["aborted"]);
      await done;
    });
  }

  it("is not waited for where nobody is left", async () => {
    using clock = new FakeClock();
    const start = clock.now;
    const { server } = serverOf({ grace: 60_000 });
    await server.shutdown();
    assertEquals(clock.now, start);
  });
});

describe("a limit of connections", () => {
  it("leaves the next ones in the queue until one is closed", async () => {
    const { listener, server } = serverOf({ maxConnections: 2 });
    const clients = Array.from({ length: 5 }, () => listener.connect());
    await settle();
    assertEquals(server.stats().open, 2);
    clients[0]!.end();
    await settle();
    const { open, peak, accepted } = server.stats();
    assertEquals([open, peak, accepted], [2, 2, 3]);
    for (const client of clients) client.end();
    await untilTurn(() => server.stats().accepted === 5);
    await server.shutdown();
  });
});

describe("a TLS handshake", () => {
  it("may take 10 s, and no longer", async () => {
    using clock = new FakeClock();
    const closed: ClosedConnection[] = [];
    const server = serve({
      port: 0,
      cert,
      key,
      onClose: (connection) => closed.push(connection),
    });
    const silent = await Deno.connect({ port: portOf(server) });
    await untilTurn(() => server.stats().open === 1);
    await clock.advance(9_000);
    assertEquals(closed, []);
    await clock.advance(2_000);
    await untilTurn(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "handshake");
    assertGreaterOrEqual(closed[0]!.duration, 9_000);
    silent.close();
    await server.shutdown();
  });
});

it("the totals are what all connections carried together", async () => {
  const { listener, server, closed } = serverOf({});
  const clients = [listener.connect(), listener.connect()];
  await settle();
  for (const client of clients) client.feed(utf8("12345"));
  await settle();
  const { open, bytesRead, bytesWritten } = server.stats();
  assertEquals([open, bytesRead, bytesWritten], [2, 10, 10]);
  for (const client of clients) client.end();
  await untilTurn(() => closed.length === 2);
  const totals = await server.shutdown();
  assertEquals([totals.open, totals.peak, totals.accepted], [0, 2, 2]);
  assertEquals([totals.bytesRead, totals.bytesWritten], [10, 10]);
});
