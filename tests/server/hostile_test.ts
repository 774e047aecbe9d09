import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect as nodeConnect, type Socket } from "node:net";
import {
  type ClosedConnection,
  exchange,
  type Faults,
  serve,
} from "../../lib/echo.ts";
import { pattern, portOf, read, until, utf8, write } from "../support/peers.ts";
import { soak } from "../soak.ts";

/** A connection that can be reset, which Deno's own cannot. */
function resettable(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = nodeConnect(port, "127.0.0.1", () => resolve(socket));
    // Errors after the connection was made are ignored.
    socket.on("error", reject);
  });
}

function reset(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("close", () => resolve());
    socket.resetAndDestroy();
  });
}

describe("a server survives", () => {
  it("a backlog of clients that reset before they are accepted", async () => {
    const errors: Error[] = [];
    await using server = serve({
      port: 0,
      maxConnections: 1,
      onAcceptError: (error) => errors.push(error),
    });
    const port = portOf(server);
    // While this connection is open, the others wait in the kernel's queue.
    using first = await Deno.connect({ port });
    await write(first, utf8("x"));
    await read(first, 1);
    for (let i = 0; i < 100; i++) await reset(await resettable(port));
    first.close();
    assertEquals(await exchange("alive", { port }), utf8("alive"));
    assertEquals(errors, []);
    assertEquals(server.stats().accepted, 2);
  });

  it("a reset during the echo, which it reports", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({ port: 0, onClose: (c) => closed.push(c) });
    const port = portOf(server);
    const socket = await resettable(port);
    socket.write(pattern(1 << 20));
    await until(() => server.stats().bytesRead > 0);
    await reset(socket);
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "reset");
    assert(closed[0]!.error instanceof Error);
    assertEquals(await exchange("alive", { port }), utf8("alive"));
  });

  for (
    const faults of [
      { latency: 100 },
      { bandwidth: 10_000 },
      { slicer: 100, slicerDelay: 50 },
    ] as Faults[]
  ) {
    it(`a reset while chunks are delayed: ${Deno.inspect(faults)}`, async () => {
      const closed: ClosedConnection[] = [];
      await using server = serve({
        port: 0,
        maxConnections: 1,
        faults,
        onClose: (c) => closed.push(c),
      });
      const port = portOf(server);
      const socket = await resettable(port);
      socket.write(pattern(8 << 20));
      // It has stopped reading when the counter does not change any more.
      let before = 0;
      await until(() => {
        const { bytesRead } = server.stats();
        const still = bytesRead > 0 && bytesRead === before;
        before = bytesRead;
        return still;
      });
      await reset(socket);
      assertEquals(await exchange("alive", { port }), utf8("alive"));
      assertEquals(closed[0]!.reason, "reset");
    });
  }

  it("a reset of a stalled connection", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      faults: { stall: 3 },
      onClose: (c) => closed.push(c),
    });
    const socket = await resettable(portOf(server));
    socket.write("hello");
    await until(() => server.stats().bytesWritten === 3);
    socket.write("more");
    await until(() => server.stats().bytesRead === 9);
    await reset(socket);
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "reset");
  });

  it("clients that close before they have read their echo", async () => {
    await using server = serve({ port: 0 });
    const port = portOf(server);
    for (let i = 0; i < 50; i++) {
      using conn = await Deno.connect({ port });
      await conn.write(pattern(100_000));
    }
    await until(() => server.stats().open === 0);
    assertEquals(await exchange("alive", { port }), utf8("alive"));
  });

  it("clients that connect and send nothing", async () => {
    await using server = serve({ port: 0 });
    const port = portOf(server);
    const silent = await Promise.all(
      Array.from({ length: 100 }, () => Deno.connect({ port })),
    );
    assertEquals(await exchange("alive", { port }), utf8("alive"));
    for (const conn of silent) conn.close();
    await until(() => server.stats().open === 0);
  });

  it("a thousand idle clients", async () => {
    await using server = serve({ port: 0 });
    const port = portOf(server);
    const idle: Deno.Conn[] = [];
    // One after the other, because the backlog of some systems is 128.
    while (idle.length < 1000) idle.push(await Deno.connect({ port }));
    await until(() => server.stats().open === 1000);
    assertEquals(await exchange("alive", { port }), utf8("alive"));
    for (const conn of idle) conn.close();
    await until(() => server.stats().open === 0);
    assertEquals(server.stats().peak, 1001);
  });

  it("500 busy clients, all of which it serves", async () => {
    await using server = serve({ port: 0 });
    const port = portOf(server);
    const conns: Deno.Conn[] = [];
    while (conns.length < 500) conns.push(await Deno.connect({ port }));
    await Promise.all(conns.map(async (conn) => {
      for (let i = 0; i < 20; i++) {
        await write(conn, utf8(`${i}`.padStart(8)));
        assertEquals(await read(conn, 8), utf8(`${i}`.padStart(8)));
      }
    }));
    for (const conn of conns) conn.close();
  });

  it("all of these at the same time, and loses no byte of other clients", async () => {
    const { exchanges, hostile, errors, totals } = await soak(2_000);
    assertEquals(errors, []);
    assert(exchanges > 0 && hostile > 0);
    assertEquals(totals.map(({ open }) => open), [0, 0, 0]);
  });
});
