import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type ClosedConnection,
  connect,
  ConnectError,
  exchange,
  HandshakeError,
  serve,
} from "../../lib/echo.ts";
import { clearStaleSocket } from "../../lib/cli/stale_socket.ts";
import { sleep } from "../../lib/net/timeout.ts";
import { ca, cert, key } from "../support/certificates.ts";
import { pattern, portOf, read, until, utf8, write } from "../support/peers.ts";

const to = (server: { addr: Deno.Addr }) => ({ port: portOf(server) });

/**
 * Sends while `goOn` returns true, and reads until the server closes the
 * connection. Resolves with what was received.
 */
async function talk(
  conn: Deno.Conn,
  length: number,
  goOn: () => boolean = () => true,
): Promise<{ sent: Uint8Array; received: number; wrong: number }> {
  const sent = pattern(251 * length);
  let received = 0;
  let wrong = 0;
  const sending = (async () => {
    for (let at = 0; goOn(); at = (at + length) % sent.length) {
      await write(conn, sent.subarray(at, at + length));
    }
  })().catch(() => {});
  const buffer = new Uint8Array(65_536);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      for (let i = 0; i < n; i++) {
        if (buffer[i] !== sent[(received + i) % sent.length]) wrong++;
      }
      received += n;
    }
  } catch {
    // A reset ends it too. What was received before it counts.
  }
  conn.close();
  await sending;
  return { sent, received, wrong };
}

describe("a graceful shutdown", () => {
  /** Shuts down while `count` clients send. With `stop`, they stop after a while. */
  async function losesNothing(
    count: number,
    { grace, stop }: { grace: number; stop: boolean },
  ): Promise<void> {
    const closed = new Map<number, ClosedConnection>();
    const server = serve({
      port: 0,
      grace,
      onClose: (c) => closed.set((c.remoteAddr as Deno.NetAddr).port, c),
    });
    const conns = await Promise.all(
      Array.from({ length: count }, () => Deno.connect(to(server))),
    );
    let goOn = true;
    // Half of the clients send small messages, the other half streams.
    const talks = conns.map((conn, i) =>
      talk(conn, i % 2 ? 100 : 50_000, () => goOn)
    );
    await until(() => server.stats().bytesWritten > 400_000 * count);
    const done = server.shutdown();
    const { bytesRead: before } = server.stats();
    if (stop) {
      await until(() => server.stats().bytesRead > before + 100_000 * count);
      goOn = false;
    }
    const totals = await done;
    const results = await Promise.all(talks);
    for (const [i, { received, wrong }] of results.entries()) {
      const { port } = conns[i]!.localAddr as Deno.NetAddr;
      const { bytesRead, bytesWritten, reason } = closed.get(port)!;
      assertEquals(wrong, 0);
      assertEquals(reason, "shutdown");
      assertEquals(bytesRead, bytesWritten);
      assertEquals(received, bytesWritten);
    }
    assertEquals(
      totals.bytesWritten,
      [...closed.values()].reduce((sum, c) => sum + c.bytesWritten, 0),
    );
  }

  it("loses no byte that was read from 50 clients that send at the same time", async () => {
    await losesNothing(50, { grace: 3_600_000, stop: true });
  });

  it("loses no byte that was read from clients that never stop sending", async () => {
    // They are half-closed after half of the grace period. Two clients read the
    // rest at once.
    await losesNothing(2, { grace: 8_000, stop: false });
  });

  it("loses nothing of clients that pause, and does not wait for the grace period", async () => {
    const server = serve({ port: 0, grace: 60_000 });
    const conns = await Promise.all(
      Array.from({ length: 20 }, () => Deno.connect(to(server))),
    );
    await until(() => server.stats().open === 20);
    const message = pattern(1_000_000);
    const echoes = conns.map((conn) => read(conn).finally(() => conn.close()));
    await Promise.all(conns.map((conn) => write(conn, message)));
    const totals = await server.shutdown();
    for (const echo of await Promise.all(echoes)) {
      assertEquals(echo.length, message.length);
    }
    assertEquals(totals.bytesWritten, 20 * message.length);
    assertLess(totals.duration, 60_000);
  });

  it("closes idle connections with an end of input, not with a reset", async () => {
    const server = serve({ port: 0, grace: 60_000 });
    const conns = await Promise.all(
      Array.from({ length: 20 }, () => Deno.connect(to(server))),
    );
    await until(() => server.stats().open === 20);
    const done = server.shutdown();
    for (const conn of conns) {
      assertEquals(await conn.read(new Uint8Array(1)), null);
    }
    assertEquals((await done).open, 0);
    for (const conn of conns) conn.close();
  });

  it("destroys no echo of a client that sends before it reads", async () => {
    const server = serve({ port: 0, grace: 60_000 });
    const conn = await Deno.connect(to(server));
    await write(conn, utf8("before"));
    await until(() => server.stats().bytesWritten === 6);
    const done = server.shutdown();
    // The client is busy for a long round-trip time, while the end of input
    // arrives.
    await sleep(300);
    for (let i = 0; i < 3; i++) await write(conn, utf8("after"));
    await sleep(20);
    assertEquals(await read(conn), utf8("before"));
    conn.close();
    const { bytesRead, duration } = await done;
    assertEquals(bytesRead, 6);
    assertLess(duration, 60_000);
  });

  it("closes a client that stays connected after the grace period", async () => {
    const closed: ClosedConnection[] = [];
    const server = serve({
      port: 0,
      grace: 50,
      onClose: (c) => closed.push(c),
    });
    using conn = await Deno.connect(to(server));
    await write(conn, utf8("all"));
    await until(() => server.stats().bytesWritten === 3);
    await server.shutdown();
    assertEquals(await read(conn), utf8("all"));
    assertEquals(closed.map(({ reason }) => reason), ["shutdown"]);
  });

  it("accepts no new connection", async () => {
    const server = serve({ port: 0 });
    const done = server.shutdown();
    await assertRejects(() => exchange("x", to(server)), ConnectError);
    await done;
  });

  it("waits for a client that does not read, but not longer than the grace period", async () => {
    const closed: ClosedConnection[] = [];
    const server = serve({
      port: 0,
      grace: 50,
      onClose: (c) => closed.push(c),
    });
    using unread = await Deno.connect(to(server));
    const flooding = write(unread, pattern(32 << 20)).catch(() => {});
    await until(() => server.stats().bytesRead > 1 << 20);
    await server.shutdown();
    await flooding;
    assertEquals(closed[0]!.reason, "aborted");
  });
});

describe("one connection at a time", () => {
  it("is what maxConnections: 1 serves; the others wait", async () => {
    await using server = serve({ port: 0, maxConnections: 1 });
    const echoes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => exchange(`${i}`, to(server))),
    );
    assertEquals(echoes.length, 20);
    assertEquals(server.stats().peak, 1);
  });
});

describe("an idle timeout", () => {
  it("closes idle connections, and not busy ones", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      idleTimeout: 1_000,
      onClose: (c) => closed.push(c),
    });
    using idle = await Deno.connect(to(server));
    using busy = await Deno.connect(to(server));
    const ended = idle.read(new Uint8Array(1));
    let finished = false;
    void ended.then(() => finished = true);
    while (!finished) {
      await write(busy, utf8("x"));
      assertEquals(await read(busy, 1), utf8("x"));
    }
    assertEquals(await ended, null);
    assertEquals(closed.map(({ reason }) => reason), ["idle"]);
    assert(closed[0]!.duration >= 1_000);
  });

  it("closes connections whose client does not read", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      idleTimeout: 60,
      onClose: (c) => closed.push(c),
    });
    using unread = await Deno.connect(to(server));
    await write(unread, pattern(32 << 20)).catch(() => {});
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "idle");
  });
});

describe("TLS", () => {
  const tls = { tls: true, caCerts: [ca], hostname: "localhost" };

  it("carries the same exchange, and checks the host name", async () => {
    await using server = serve({ port: 0, hostname: "localhost", cert, key });
    const options = { ...tls, ...to(server) };
    assertEquals(await exchange("secret", options), utf8("secret"));
    const long = pattern(3_000_000);
    assertEquals((await exchange(long, options)).length, long.length);
  });

  it("rejects a certificate for another host name or of an unknown authority", async () => {
    await using server = serve({ port: 0, hostname: "::1", cert, key });
    const options = { ...tls, ...to(server), hostname: "::1" };
    await assertRejects(() => exchange("x", options), HandshakeError);
    await using other = serve({ port: 0, cert, key });
    await assertRejects(
      () => exchange("x", { tls: true, ...to(other) }),
      HandshakeError,
    );
  });

  it("fails for clients that send garbage or nothing, and not for others", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      cert,
      key,
      onClose: (c) => closed.push(c),
    });
    using idle = await Deno.connect(to(server));
    using garbage = await Deno.connect(to(server));
    await write(garbage, utf8("GET / HTTP/1.1\r\n\r\n"));
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "handshake");
    const options = { ...tls, hostname: "127.0.0.1", ...to(server) };
    assertEquals(await exchange("on", options), utf8("on"));
    assertEquals(idle.remoteAddr.transport, "tcp");
  });
});

const mayUseFiles =
  (await Deno.permissions.query({ name: "write" })).state === "granted" &&
  (await Deno.permissions.query({ name: "read" })).state === "granted" &&
  Deno.build.os !== "windows";

describe("a Unix socket", { ignore: !mayUseFiles }, () => {
  it("carries the same exchange, and is removed at the end", async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/echo.sock`;
    const server = serve({ path });
    assertEquals(server.addr, { transport: "unix", path });
    assertEquals(await exchange("local", { path }), utf8("local"));
    await server.shutdown();
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
    await Deno.remove(folder);
  });

  it("is removed if it is stale, and only then", async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/echo.sock`;
    assertEquals(await clearStaleSocket(path), false);
    {
      await using _live = serve({ path });
      assertEquals(await clearStaleSocket(path), false);
      // A hard link outlives the listener. Then nothing listens on it.
      await Deno.link(path, `${path}.stale`);
    }
    await Deno.rename(`${path}.stale`, path);
    assertEquals(await clearStaleSocket(path), true);
    await Deno.writeTextFile(path, "no socket");
    assertEquals(await clearStaleSocket(path), false);
    assertEquals(await Deno.readTextFile(path), "no socket");
    await Deno.remove(folder, { recursive: true });
  });
});

it("a stale Unix socket that another server replaces is not removed", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/echo.sock`;
  {
    await using _killed = serve({ path });
    await Deno.link(path, `${path}.stale`);
  }
  await Deno.rename(`${path}.stale`, path);
  const { lstatSync } = Deno;
  let other: ReturnType<typeof serve> | undefined;
  Deno.lstatSync = (...args) => {
    Deno.lstatSync = lstatSync;
    // The other server starts after this one has found that nobody listens.
    Deno.removeSync(path);
    other = serve({ path }) as unknown as ReturnType<typeof serve>;
    return lstatSync(...args);
  };
  try {
    assertEquals(await clearStaleSocket(path), false);
  } finally {
    Deno.lstatSync = lstatSync;
  }
  assertEquals(await exchange("x", { path }), utf8("x"));
  await other!.shutdown();
  await Deno.remove(folder);
});

it("connect returns a connection for any protocol", async () => {
  await using server = serve({ port: 0 });
  using conn = await connect(to(server));
  await write(conn, utf8("own"));
  assertEquals(await read(conn, 3), utf8("own"));
});
