import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  connect,
  ConnectionRefusedError,
  exchange,
  serve,
  TimedOutError,
} from "../lib/echo.ts";
import { FakeClock, settle } from "./support/fake_clock.ts";
import { FakeConn } from "./support/fakes.ts";
import { portOf } from "./support/peers.ts";

const real = Deno.connect;
afterEach(() => void (Deno.connect = real));

/** What `Deno.connect` does instead, in this test. */
function instead(
  connect: (options: { signal?: AbortSignal }) => Promise<Deno.TcpConn>,
): void {
  Deno.connect = connect as unknown as typeof Deno.connect;
}

describe("connect", () => {
  it("tries again ever more seldom while it waits for a server", async () => {
    using clock = new FakeClock();
    const attempts: number[] = [];
    instead(() => {
      attempts.push(clock.now);
      return Promise.reject(new Deno.errors.ConnectionRefused());
    });
    const start = clock.now;
    const going = assertRejects(
      () => connect({ wait: 60_000 }),
      ConnectionRefusedError,
    );
    await clock.advance(1_000);
    // Soon enough not to be noticed.
    assertGreaterOrEqual(attempts.length, 4);
    assertLessOrEqual(attempts.length, 50);
    await clock.advance(59_000);
    await going;
    assertLessOrEqual(clock.now - start, 60_000);
    // At least one in 5 s, at most four a second.
    assertGreaterOrEqual(attempts.length, 12);
    assertLessOrEqual(attempts.length, 240);
  });

  it("gives up an attempt after its timeout, and aborts it in the end", async () => {
    using clock = new FakeClock();
    let ended = false;
    instead(({ signal }) =>
      new Promise((_, reject) =>
        signal?.addEventListener("abort", () => {
          ended = true;
          reject(signal.reason);
        })
      )
    );
    let error: unknown;
    void connect({ timeout: 3_000 }).catch((caught) => error = caught);
    await clock.advance(2_999);
    assertEquals([error, ended], [undefined, false]);
    await clock.advance(1);
    await settle();
    assert(error instanceof TimedOutError);
    // An attempt that is aborted as it succeeds would leak its connection.
    assertEquals(ended, false);
    await clock.advance(1_000);
    assertEquals(ended, true);
  });

  it("closes a connection that is made after it has given up", async () => {
    using clock = new FakeClock();
    const late = new FakeConn();
    const controller = new AbortController();
    const aborted: boolean[] = [];
    const opening = Promise.withResolvers<Deno.TcpConn>();
    instead(({ signal }) => {
      signal?.addEventListener("abort", () => aborted.push(true));
      return opening.promise;
    });
    const reason = new Error("enough");
    const going = assertRejects(
      () => connect({ signal: controller.signal }),
      Error,
      "enough",
    );
    await settle();
    controller.abort(reason);
    await going;
    opening.resolve(late as unknown as Deno.TcpConn);
    await settle();
    assert(late.closed);
    await clock.advance(2_000);
    assertEquals(aborted, []);
  });

  it("counts a connection to itself as refused, and closes it", async () => {
    const address = { transport: "tcp", hostname: "127.0.0.1", port: 45_004 };
    const self = Object.assign(new FakeConn(), {
      localAddr: address,
      remoteAddr: { ...address },
    });
    instead(() => Promise.resolve(self as unknown as Deno.TcpConn));
    await assertRejects(
      () => connect({ port: 45_004 }),
      ConnectionRefusedError,
      "connection refused",
    );
    assert(self.closed);
  });

  it("waits while the backlog of a Unix socket is full", async () => {
    using clock = new FakeClock();
    const conn = new FakeConn();
    let attempts = 0;
    instead(() =>
      ++attempts < 4
        ? Promise.reject(new Deno.errors.WouldBlock("EAGAIN"))
        : Promise.resolve(conn as unknown as Deno.TcpConn)
    );
    const connecting = connect({ path: "/tmp/echo.sock", timeout: 5_000 });
    await clock.advance(1_000);
    assertEquals(await connecting, conn);
    // But no longer than its timeout.
    attempts = -Infinity;
    const going = assertRejects(
      () => connect({ path: "/tmp/echo.sock", timeout: 5_000 }),
      TimedOutError,
    );
    await clock.advance(5_000);
    await going;
  });
});

describe("an aborted connect to a real server", () => {
  it("leaves no connection open, whenever it is aborted", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted: Deno.Conn[] = [];
    const accepting = (async () => {
      for await (const conn of listener) accepted.push(conn);
    })();
    for (let i = 0; i < 100; i++) {
      const controller = new AbortController();
      const connecting = connect({
        port: portOf(listener),
        signal: controller.signal,
      }).then((conn) => conn.close(), () => {});
      for (let turn = 0; turn < i % 5; turn++) await settle(1);
      controller.abort();
      await connecting;
    }
    await settle();
    // Each one ends: what was abandoned is closed.
    for (let i = 0; i < accepted.length; i++) {
      const conn = accepted[i]!;
      assertEquals(
        await conn.read(new Uint8Array(1)).catch(() => null),
        null,
      );
      conn.close();
    }
    listener.close();
    await accepting;
  });
});

it("neither end holds small messages back", async () => {
  // Nagle's algorithm (RFC 896) shows only in times, so the calls are recorded.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using sample = await Deno.connect({ port: portOf(listener) });
  (await listener.accept()).close();
  const TcpConn = Object.getPrototypeOf(sample) as Deno.TcpConn;
  const { setNoDelay } = TcpConn;
  const without = new Set<string>();
  const name = (conn: Deno.TcpConn) =>
    `${conn.localAddr.port}-${conn.remoteAddr.port}`;
  TcpConn.setNoDelay = function (this: Deno.TcpConn, on = true): void {
    if (on) without.add(name(this));
    else without.delete(name(this));
    setNoDelay.call(this, on);
  };
  try {
    await using server = serve({ port: 0 });
    await exchange("x", { port: portOf(server) });
    using conn = await connect({ port: portOf(server) });
    await conn.write(Uint8Array.of(1));
    await conn.read(new Uint8Array(1));
    const { localAddr } = conn as Deno.TcpConn;
    const [client, port] = [localAddr.port, portOf(server)];
    assert(without.has(`${client}-${port}`), "the client");
    assert(without.has(`${port}-${client}`), "the server");
    assertEquals(without.size, 4);
  } finally {
    TcpConn.setNoDelay = setNoDelay;
  }
});
