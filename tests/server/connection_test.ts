import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ClosedConnection, Faults } from "../../lib/echo.ts";
import { FaultControl } from "../../lib/faults/fault_control.ts";
import { Connection } from "../../lib/server/connection.ts";
import { addTraffic } from "../../lib/server/traffic.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeConn } from "../support/fakes.ts";

/** A connection whose counters and end are the test's. */
function served(
  { bytes = 0, conn = new FakeConn(), faults }: {
    bytes?: number;
    conn?: Deno.Conn;
    faults?: Faults;
  } = {},
) {
  const handler = {
    client: { conn, pending: 0 },
    bytesRead: bytes,
    bytesWritten: bytes,
    traffic: () => ({
      bytesRead: handler.bytesRead,
      bytesWritten: handler.bytesWritten - handler.client.pending,
    }),
    get isWhole() {
      return handler.bytesRead === handler.traffic().bytesWritten;
    },
    halfClosed: false,
    drained: [] as boolean[],
    drain: ({ idle }: { idle: boolean }) => void handler.drained.push(idle),
    halfClose: () => void (handler.halfClosed = true),
    /** Ends as a relay does. */
    end: (_error?: unknown): void => {},
  };
  const closed: ClosedConnection[] = [];
  const connection = new Connection(conn, {
    id: 1,
    faults: new FaultControl(faults && { downstream: faults }),
    createHandler(client, { onClosed }) {
      handler.client = client;
      handler.end = onClosed;
      return handler;
    },
    onClosed: (_connection, summary) => closed.push(summary),
  });
  connection.start();
  return { conn: conn as FakeConn, connection, handler, closed };
}

describe("a connection is closed as idle", () => {
  it("once the sweeps have seen no byte for the timeout", () => {
    using clock = new FakeClock();
    const silent = served();
    const busy = served({ bytes: 100 });
    const sweep = () => {
      for (const { connection } of [silent, busy]) {
        connection.closeIfIdle(1_000);
      }
      return [silent.conn.closed, busy.conn.closed];
    };
    sweep();
    clock.now += 500;
    busy.handler.bytesRead++;
    assertEquals(sweep(), [false, false]);
    clock.now += 500;
    assertEquals(sweep(), [true, false]);
    clock.now += 500;
    assertEquals(sweep(), [true, true]);
  });

  it("also before its TLS handshake is done", async () => {
    using clock = new FakeClock();
    const done = Promise.withResolvers<void>();
    const conn = Object.assign(new FakeConn(), {
      handshake: () => done.promise,
    });
    const { connection, closed } = served({ conn });
    clock.now += 1_000;
    connection.closeIfIdle(1_000);
    assert(conn.closed);
    done.reject(new Deno.errors.Interrupted("closed"));
    await settle();
    assertEquals(closed.map(({ reason }) => reason), ["idle"]);
  });
});

describe("a drained connection counts as idle", () => {
  const drain = ({ connection, handler }: ReturnType<typeof served>) => {
    connection.drain();
    return handler.drained.at(-1);
  };

  it("before the client has sent anything", () => {
    assertEquals(drain(served()), true);
  });

  it("5 s after its last byte, and no earlier", () => {
    using clock = new FakeClock();
    const one = served({ bytes: 9 });
    one.connection.closeIfIdle(Infinity);
    clock.now += 4_999;
    assertEquals(drain(one), false);
    clock.now += 1;
    assertEquals(drain(one), true);
  });

  it("not while a part of its echo is not written", () => {
    using clock = new FakeClock();
    const one = served({ bytes: 9 });
    one.handler.bytesWritten = 0;
    one.connection.closeIfIdle(Infinity);
    clock.now += 60_000;
    assertEquals(drain(one), false);
  });

  it("not if it was active since the last sweep", () => {
    using clock = new FakeClock();
    const one = served({ bytes: 9 });
    one.connection.closeIfIdle(Infinity);
    one.handler.bytesRead = one.handler.bytesWritten = 10;
    clock.now += 60_000;
    assertEquals(drain(one), false);
    // The next sweep takes its own time as the time of the activity.
    one.connection.closeIfIdle(Infinity);
    assert(!one.conn.closed);
    clock.now += 4_999;
    assertEquals(drain(one), false);
    clock.now += 1;
    assertEquals(drain(one), true);
  });
});

describe("the statistics of a connection", () => {
  it("are the counters of its handler", () => {
    const { connection } = served({ bytes: 7 });
    const { bytesRead, bytesWritten } = connection.stats();
    assertEquals([bytesRead, bytesWritten], [7, 7]);
  });

  it("are zero before its handler is created", () => {
    const conn = Object.assign(new FakeConn(), {
      handshake: () => new Promise<void>(() => {}),
    });
    using _clock = new FakeClock();
    const { bytesRead, bytesWritten } = served({ conn, bytes: 7 }).connection
      .stats();
    assertEquals([bytesRead, bytesWritten], [0, 0]);
  });

  it("do not count bytes that a fault delays", async () => {
    using clock = new FakeClock();
    const faults = { latency: 100 };
    const { connection, handler, closed } = served({ bytes: 7, faults });
    void handler.client.conn.write(new Uint8Array(7));
    await settle();
    assertEquals(connection.stats(), {
      bytesRead: 7,
      bytesWritten: 0,
      faults: { latency: 1 },
    });
    await clock.advance(101);
    assertEquals(connection.stats().bytesWritten, 7);
    handler.end();
    await settle();
    assertEquals(closed[0]!.faults, { latency: 1 });
  });

  it("are added up, faults by name", () => {
    const sum = { bytesRead: 1, bytesWritten: 2, faults: { latency: 1 } };
    const bytes = { bytesRead: 10, bytesWritten: 20 };
    addTraffic(sum, { ...bytes, faults: { latency: 2, reset: 1 } });
    addTraffic(sum, { ...bytes, faults: undefined });
    assertEquals(sum as unknown, {
      bytesRead: 21,
      bytesWritten: 42,
      faults: { latency: 3, reset: 1 },
    });
  });
});

describe("the reason of a closed connection", () => {
  const error = new Deno.errors.ConnectionReset("reset");
  type Served = ReturnType<typeof served>;
  const lost = ({ handler }: Served) => void (handler.bytesWritten = 0);
  const cases: [string, (one: Served) => void, string, unknown][] = [
    ["after the client has closed", () => {}, "closed", undefined],
    ["with bytes that are not written", lost, "aborted", undefined],
    ["after an error", ({ handler }) => handler.end(error), "reset", error],
    [
      "after a drain",
      ({ connection }) => connection.drain(),
      "shutdown",
      undefined,
    ],
    [
      "after an abort",
      ({ connection }) => connection.abort(),
      "aborted",
      undefined,
    ],
    [
      "after an abort, if the client was half-closed",
      ({ connection }) => {
        connection.halfClose();
        connection.abort();
      },
      "shutdown",
      undefined,
    ],
    [
      "after an abort, if half-closed with bytes that are not written",
      (one) => {
        lost(one);
        one.connection.halfClose();
        one.connection.abort();
      },
      "aborted",
      undefined,
    ],
    [
      "that this side has closed, without the error that follows",
      (one) => {
        one.connection.close("idle");
        one.handler.end(new Deno.errors.Interrupted("canceled"));
      },
      "idle",
      undefined,
    ],
    [
      "of TLS that ends without close_notify",
      ({ handler }) => {
        handler.end(new Deno.errors.UnexpectedEof("no close_notify"));
      },
      "closed",
      undefined,
    ],
  ];
  for (const [name, act, reason, expected] of cases) {
    it(`${name} is "${reason}"`, () => {
      const one = served({ bytes: 9 });
      act(one);
      if (one.closed.length === 0) one.handler.end();
      assert(one.conn.closed);
      assertEquals([one.closed[0]!.reason, one.closed[0]!.error], [
        reason,
        expected,
      ]);
    });
  }
});
