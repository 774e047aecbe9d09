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
} from "../../lib/echo.ts";
import { Server, sweepInterval } from "../../lib/server/server.ts";
import { cert, key } from "../support/certificates.ts";
import { FakeClock, settle, untilTurn } from "../support/fake_clock.ts";
import { FakeConn, FakeListener } from "../support/fakes.ts";
import { portOf, utf8 } from "../support/peers.ts";

/** A server without a network, and the connections that it has closed. */
function serverOf(options: Omit<ServeOptions, "faults">) {
  const listener = new FakeListener();
  const closed: ClosedConnection[] = [];
  const server = new Server({
    open: () => listener,
    ...options,
    onClose: (connection) => closed.push(connection),
  });
  return { listener, server, closed };
}

describe("an idle timeout", () => {
  for (const idleTimeout of [1_000, 60_000]) {
    it(`of ${idleTimeout} ms closes idle connections, up to a quarter later`, async () => {
      using clock = new FakeClock();
      const { listener, server, closed } = serverOf({ idleTimeout });
      const client = listener.connect();
      await settle();
      client.feed(utf8("hello"));
      const start = clock.now;
      await clock.advance(idleTimeout - 1);
      assertEquals(closed.length, 0);
      // Bytes before the first sweep count as sent at that sweep.
      await clock.advance(idleTimeout / 2 + 2);
      assertEquals(closed.map(({ reason }) => reason), ["idle"]);
      assertLessOrEqual(clock.now - start, 1.51 * idleTimeout);
      assert(client.closed);
      await server.shutdown();
    });
  }

  it("is checked at least four times, and at least each second", () => {
    for (const timeout of [20, 100, 1_000, 4_000, 60_000, 3_600_000]) {
      assertLessOrEqual(sweepInterval(timeout), timeout / 4);
      assertLessOrEqual(sweepInterval(timeout), 1_000);
    }
    // More often would cost more than the connections do.
    assertEquals(sweepInterval(1), 5);
  });

  it("does not close a connection that sends more often than that", async () => {
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
    it(`of ${grace} ms is how long a client that never reads stays connected`, async () => {
      using clock = new FakeClock();
      const { listener, server, closed } = serverOf({ grace });
      const client = listener.connect(new FakeConn({ neverReads: true }));
      await settle();
      client.feed(utf8("never read"));
      await settle();
      let finished = false;
      const done = server.shutdown().then(() => finished = true);
      assert(listener.closed);
      await clock.advance(0.9 * grace);
      assertEquals(finished, false);
      await clock.advance(0.2 * grace);
      assertEquals(finished, true);
      assertEquals(closed.map(({ reason }) => reason), ["aborted"]);
      await done;
    });
  }

  it("is not waited for if no connection is open", async () => {
    using clock = new FakeClock();
    const start = clock.now;
    const { server } = serverOf({ grace: 60_000 });
    await server.shutdown();
    assertEquals(clock.now, start);
  });
});

describe("a limit of connections", () => {
  it("leaves further connections in the backlog until one is closed", async () => {
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
  it("is aborted after 10 s", async () => {
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

it("the totals are the sums over all connections", async () => {
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
