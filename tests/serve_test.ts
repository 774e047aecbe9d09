import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type ClosedConnection,
  ConnectError,
  type Connection,
  exchange,
  serve,
} from "../lib/echo.ts";
import { pattern, portOf, read, until, utf8, write } from "./support/peers.ts";

const to = (server: { addr: Deno.Addr }) => ({ port: portOf(server) });

describe("serve echoes", () => {
  it("to each of 1000 simultaneous clients its own bytes", async () => {
    await using server = serve({ port: 0, backlog: 1024 });
    const messages = Array.from({ length: 1000 }, (_, i) => `client ${i}`);
    const echoes = await Promise.all(
      messages.map((message) => exchange(message, to(server))),
    );
    assertEquals(
      echoes.map((echo) => new TextDecoder().decode(echo)),
      messages,
    );
  });

  it("everything that was sent before a half-close, then closes", async () => {
    await using server = serve({ port: 0 });
    using conn = await Deno.connect(to(server));
    const message = pattern(300_000);
    const [, back] = await Promise.all([
      write(conn, message).then(() => conn.closeWrite()),
      read(conn),
    ]);
    assertEquals(back.length, message.length);
    assert(back.every((byte, i) => byte === message[i]));
  });

  it("single bytes", async () => {
    await using server = serve({ port: 0 });
    using conn = await Deno.connect(to(server));
    conn.setNoDelay();
    for (const byte of utf8("one by one")) {
      await write(conn, Uint8Array.of(byte));
      assertEquals(await read(conn, 1), Uint8Array.of(byte));
    }
  });

  it("to one client while another never reads", async () => {
    await using server = serve({ port: 0, grace: 0 });
    using unread = await Deno.connect(to(server));
    const flooding = write(unread, pattern(32 << 20)).catch(() => {});
    await until(() => server.stats().bytesRead > 1 << 20);
    assertEquals(await exchange("still here", to(server)), utf8("still here"));
    await server.shutdown();
    await flooding;
  });
});

describe("serve has the interface of Deno.serve:", () => {
  it("addr is the bound address, and onListen receives it", async () => {
    let received: Deno.Addr | undefined;
    await using server = serve({
      port: 0,
      onListen: (addr) => received = addr,
    });
    assertStrictEquals(received, server.addr);
    const { hostname, port } = server.addr as Deno.NetAddr;
    assertEquals(hostname, "127.0.0.1");
    assert(port > 0);
  });

  it("finished resolves with the totals", async () => {
    const server = serve({ port: 0 });
    await exchange("12345", to(server));
    void server.shutdown();
    const { accepted, peak, open, bytesRead, bytesWritten } = await server
      .finished;
    assertEquals(
      { accepted, peak, open, bytesRead, bytesWritten },
      { accepted: 1, peak: 1, open: 0, bytesRead: 5, bytesWritten: 5 },
    );
  });

  it("shutdown can be called twice", async () => {
    const server = serve({ port: 0 });
    const { shutdown } = server;
    assertStrictEquals(await shutdown(), await server.shutdown());
    await assertRejects(() => exchange("x", to(server)), ConnectError);
  });

  it("a signal closes it at once, if it is aborted before or after the start", async () => {
    await serve({ port: 0, signal: AbortSignal.abort() }).finished;
    const controller = new AbortController();
    const server = serve({ port: 0, signal: controller.signal });
    using conn = await Deno.connect(to(server));
    await until(() => server.stats().open === 1);
    controller.abort();
    await server.finished;
    assertEquals(await conn.read(new Uint8Array(1)), null);
  });

  it("ref and unref apply to open and to later connections", async () => {
    await using server = serve({ port: 0 });
    using conn = await Deno.connect(to(server));
    await until(() => server.stats().open === 1);
    server.unref();
    using later = await Deno.connect(to(server));
    await write(later, utf8("x"));
    assertEquals(await read(later, 1), utf8("x"));
    server.ref();
    await write(conn, utf8("y"));
    assertEquals(await read(conn, 1), utf8("y"));
  });

  it("onOpen and onClose are called for each connection", async () => {
    const opened: Connection[] = [];
    const closed: ClosedConnection[] = [];
    const server = serve({
      port: 0,
      onOpen: (c) => opened.push(c),
      onClose: (c) => closed.push(c),
    });
    await exchange("one", to(server));
    await until(() => closed.length === 1);
    await server.shutdown();
    assertEquals(opened[0]!.id, 1);
    assertEquals(opened[0]!.remoteAddr.transport, "tcp");
    const { id, bytesRead, bytesWritten, reason, error } = closed[0]!;
    assertEquals(
      { id, bytesRead, bytesWritten, reason, error },
      {
        id: 1,
        bytesRead: 3,
        bytesWritten: 3,
        reason: "closed",
        error: undefined,
      },
    );
    assert(closed[0]!.duration >= 0);
  });
});

describe("serve rejects", () => {
  it("an address in use, and names it", async () => {
    await using server = serve({ port: 0 });
    const error = assertThrows(
      () => serve({ port: portOf(server) }),
      Deno.errors.AddrInUse,
    );
    assertEquals(
      error.message,
      `Cannot listen on 127.0.0.1:${portOf(server)}: address already in use`,
    );
  });

  for (
    const options of [
      { port: 65_536 },
      { port: -1 },
      { port: 1.5 },
      { maxConnections: 0 },
      { maxConnections: NaN },
      { maxConnections: 1.5 },
      { maxConnections: -1 },
      { idleTimeout: 0 },
      { idleTimeout: -1 },
      { grace: -1 },
      { grace: NaN },
    ]
  ) {
    it(`options out of range: ${Deno.inspect(options)}`, () => {
      assertThrows(() => serve({ port: 0, ...options }));
    });
  }
});
