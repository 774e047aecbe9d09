import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { exchange, serve } from "../../lib/echo.ts";
import { cert, key } from "../support/certificates.ts";
import { settle, untilTurn } from "../support/fake_clock.ts";
import {
  discard,
  pattern,
  read,
  until,
  utf8,
  write,
} from "../support/peers.ts";
import {
  clocked,
  KINDS,
  see,
  soon,
  start,
  within,
} from "../support/sessions.ts";

for (const kind of KINDS) {
  describe(`an idle timeout of ${kind}()`, () => {
    for (const idleTimeout of [1_000, 60_000]) {
      it(`of ${idleTimeout} ms closes idle connections, up to a quarter later`, () =>
        clocked(kind, { idleTimeout }, async ({ closed, connect }, clock) => {
          using conn = await connect();
          await write(conn, utf8("hello"));
          assertEquals(await soon(read(conn, 5)), utf8("hello"));
          await clock.advance(idleTimeout - 1);
          assertEquals(closed.length, 0);
          // Bytes before the first sweep count as sent at that sweep.
          await clock.advance(idleTimeout / 2 + 2);
          await soon(untilTurn(() => closed.length === 1));
          assertEquals(closed[0]!.reason, "idle");
          assertEquals((await soon(see(conn))).end, "eof");
        }));
    }

    it("does not close a connection that sends more often", () =>
      clocked(
        kind,
        { idleTimeout: 10_000 },
        async ({ closed, connect }, clock) => {
          using conn = await connect();
          for (let i = 0; i < 20; i++) {
            await clock.advance(9_000);
            await write(conn, utf8("x"));
            assertEquals(await soon(read(conn, 1)), utf8("x"));
          }
          conn.close();
          await soon(untilTurn(() => closed.length === 1));
          assertEquals(closed[0]!.reason, "closed");
        },
      ));

    it("closes connections whose client does not read", () =>
      within(30_000, async () => {
        await using session = start(kind, { idleTimeout: 60 });
        using conn = await session.connect();
        await write(conn, pattern(32 << 20)).catch(() => {});
        await until(() => session.closed.length === 1);
        assertEquals(session.closed[0]!.reason, "idle");
      }));

    it("closes connections that are half-closed", () =>
      within(30_000, async () => {
        const stall = { stall: 0 };
        const faults = kind === "echo"
          ? stall
          : { downstream: stall, upstream: stall };
        await using session = start(kind, { idleTimeout: 50, faults }, discard);
        using conn = await session.connect();
        await write(conn, utf8("x"));
        await conn.closeWrite();
        await until(() => session.closed.length === 1);
        assertEquals(session.closed[0]!.reason, "idle");
      }));
  });

  describe(`a limit of connections of ${kind}()`, () => {
    it("leaves further ones in the backlog until one is closed", () =>
      within(30_000, async () => {
        await using session = start(kind, { maxConnections: 2 });
        const { server } = session;
        const conns: Deno.Conn[] = [];
        while (conns.length < 5) conns.push(await session.connect());
        for (const [i, conn] of conns.entries()) {
          await write(conn, Uint8Array.of(i));
          assertEquals(await read(conn, 1), Uint8Array.of(i));
          assert(server.stats().open <= 2);
          conn.close();
        }
        await until(() => server.stats().open === 0);
        const { peak, accepted } = server.stats();
        assertEquals([peak, accepted], [2, 5]);
      }));
  });

  it(`the totals of ${kind}() are the sums over all connections`, () =>
    within(30_000, async () => {
      await using session = start(kind);
      for (let i = 1; i <= 3; i++) {
        using conn = await session.connect();
        await write(conn, pattern(5 * i));
        assertEquals(await read(conn, 5 * i), pattern(5 * i));
        conn.close();
        await until(() => session.closed.length === i);
      }
      const totals = await session.server.shutdown();
      const { open, peak, accepted, bytesRead, bytesWritten } = totals;
      assertEquals([open, peak, accepted], [0, 1, 3]);
      assertEquals([bytesRead, bytesWritten], [30, 30]);
      const bytes = session.closed.map(({ bytesRead }) => bytesRead);
      assertEquals(bytes, [5, 10, 15]);
    }));

  it(`the counters of ${kind}() do not have what a fault delays`, () =>
    clocked(kind, { faults: { latency: 100 } }, async (session, clock) => {
      const { server, closed } = session;
      using conn = await session.connect();
      await write(conn, pattern(7));
      await soon(untilTurn(() => server.stats().faults?.latency === 1));
      assertEquals(server.stats().bytesWritten, 0);
      await clock.advance(101);
      assertEquals(await soon(read(conn, 7)), pattern(7));
      assertEquals(server.stats().bytesWritten, 7);
      conn.close();
      await settle(100);
      await clock.advance(6_000);
      await soon(untilTurn(() => closed.length === 1));
      assertEquals(closed[0]!.faults, { latency: 1 });
    }));
}

describe("a TLS handshake", () => {
  it("is given up after 10 s, or at the idle timeout", async () => {
    for (
      const [idleTimeout, reason] of [
        [Infinity, "handshake"],
        [2_000, "idle"],
      ] as const
    ) {
      const options = { cert, key, idleTimeout };
      await clocked("echo", options, async (session, clock) => {
        using _silent = await session.connect();
        const { server, closed } = session;
        await soon(untilTurn(() => server.stats().open === 1));
        await clock.advance(reason === "idle" ? 1_900 : 9_000);
        assertEquals(closed, []);
        await clock.advance(2_000);
        await soon(untilTurn(() => closed.length === 1));
        assertEquals(closed[0]!.reason, reason);
        assertEquals(closed[0]!.bytesRead, 0);
      });
    }
  });
});

const mayUseFiles = Deno.build.os !== "windows" &&
  (await Deno.permissions.query({ name: "write" })).state === "granted" &&
  (await Deno.permissions.query({ name: "read" })).state === "granted";

it("a Unix socket carries the same exchange, and is removed at the end", {
  ignore: !mayUseFiles,
}, async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/echo.sock`;
  const server = serve({ path });
  assertEquals(server.addr, { transport: "unix", path });
  assertEquals(await exchange("local", { path }), utf8("local"));
  await server.shutdown();
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(folder);
});
