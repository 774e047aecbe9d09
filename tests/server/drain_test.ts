import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConnectError, exchange } from "../../lib/echo.ts";
import { settle, untilTurn } from "../support/fake_clock.ts";
import {
  closedPort,
  pattern,
  read,
  until,
  utf8,
  write,
} from "../support/peers.ts";
import {
  bytesDue,
  clocked,
  KINDS,
  see,
  type Session,
  soon,
  start,
  within,
} from "../support/sessions.ts";

const reasons = ({ closed }: Session) => closed.map(({ reason }) => reason);

/** A promise that is looked at: whether it has resolved. */
function watch<T>(promise: Promise<T>): { done: boolean; promise: Promise<T> } {
  const watched = { done: false, promise };
  void promise.then(() => watched.done = true, () => {});
  return watched;
}

/** Sends while `goOn` says so, and reads to the end. Nothing may be wrong. */
async function talk(conn: Deno.Conn, length: number, goOn: () => boolean) {
  const sent = pattern(251 * length);
  const sending = (async () => {
    for (let at = 0; goOn(); at = (at + length) % sent.length) {
      await write(conn, sent.subarray(at, at + length));
    }
  })().catch(() => {});
  const buffer = new Uint8Array(65_536);
  let received = 0;
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      for (let i = 0; i < n; i++) {
        const expected = sent[(received + i) % sent.length];
        if (buffer[i] !== expected) throw new Error(`byte ${received + i}`);
      }
      received += n;
    }
  } catch (error) {
    // A reset ends it too. What was received before it counts.
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  conn.close();
  await sending;
  return received;
}

for (const kind of KINDS) {
  describe(`a graceful shutdown of ${kind}()`, () => {
    for (
      const [clients, grace, stop] of [
        [20, 3_600_000, true],
        // These never pause: they get the end after half of the grace period.
        [2, 8_000, false],
      ] as const
    ) {
      it(`loses no byte that was read from ${clients} clients, ${stop ? "which stop" : "which do not stop"}`, () =>
        within(100_000, async () => {
          await using session = start(kind, { grace });
          const { server, closed } = session;
          let goOn = true;
          const talks = Array.from({ length: clients }, async (_, i) => {
            const conn = await session.connect();
            return await talk(conn, i % 2 ? 100 : 50_000, () => goOn);
          });
          await until(() => server.stats().bytesWritten > 200_000 * clients);
          const done = server.shutdown();
          if (stop) {
            const more = server.stats().bytesRead + 50_000 * clients;
            await until(() => server.stats().bytesRead > more);
            goOn = false;
          }
          const totals = await done;
          goOn = false;
          const received = (await Promise.all(talks)).sort((a, b) => a - b);
          const written = closed.map(({ bytesWritten }) => bytesWritten);
          assertEquals(received, written.sort((a, b) => a - b));
          assertEquals(reasons(session), Array(clients).fill("shutdown"));
          for (const { bytesRead, bytesWritten, upstream } of closed) {
            assertEquals(upstream?.bytesRead ?? bytesRead, bytesWritten);
            assertEquals(upstream?.bytesWritten ?? bytesWritten, bytesRead);
          }
          assertEquals(totals.open, 0);
        }));
    }

    it("ends an idle client with an end of input, a second of silence later", () =>
      clocked(kind, { grace: 60_000 }, async (session, clock) => {
        using conn = await session.connect();
        await soon(untilTurn(() => session.server.stats().open === 1));
        await settle(100);
        const ending = watch(session.server.shutdown());
        const seeing = see(conn);
        await clock.advance(110);
        if (kind === "echo") assertEquals((await soon(seeing)).end, "eof");
        await settle(200);
        await clock.advance(800);
        assertEquals(ending.done, false);
        await clock.advance(200);
        await soon(ending.promise);
        assertEquals((await soon(seeing)).end, "eof");
        assertEquals(reasons(session), ["shutdown"]);
      }));

    it("does not call a client idle that has sent, until it is closed", () =>
      clocked(kind, { grace: 60_000 }, async (session, clock) => {
        using conn = await session.connect();
        await write(conn, utf8("x"));
        assertEquals(await soon(read(conn, 1)), utf8("x"));
        const ending = watch(session.server.shutdown());
        await clock.advance(200);
        assertEquals((await soon(see(conn))).end, "eof");
        await clock.advance(2_000);
        assertEquals(ending.done, false);
        conn.close();
        await soon(ending.promise);
        assertEquals(reasons(session), ["shutdown"]);
      }));

    it("ends what is left after the grace period", () =>
      within(30_000, async () => {
        await using session = start(kind, { grace: 50 });
        using conn = await session.connect();
        const flooding = write(conn, pattern(32 << 20)).catch(() => {});
        await until(() => bytesDue(session) > 1 << 20);
        await session.server.shutdown();
        await flooding;
        assertEquals(reasons(session), ["aborted"]);
      }));

    it("destroys nothing of a client that sends before it reads, and stays", () =>
      clocked(kind, { grace: 60_000 }, async (session, clock) => {
        using conn = await session.connect();
        await write(conn, utf8("before"));
        const { server } = session;
        await soon(untilTurn(() => server.stats().bytesWritten === 6));
        const ending = server.shutdown();
        await clock.advance(300);
        await settle(200);
        for (let i = 0; i < 3; i++) await write(conn, utf8("after"));
        await settle(200);
        const { bytes, end } = await soon(see(conn));
        assertEquals([bytes, end], [utf8("before"), "eof"]);
        await clock.advance(60_000);
        await soon(ending);
        assertEquals(reasons(session), ["shutdown"]);
        assertEquals(session.closed[0]!.bytesRead, 6);
      }));

    it("accepts no connection, and takes no time if none is open", () =>
      clocked(kind, { grace: 60_000 }, async ({ server, port }) => {
        await soon(server.shutdown());
        await assertRejects(() => exchange("x", { port }), ConnectError);
      }));
  });
}

describe("a graceful shutdown of a proxy", () => {
  it("waits while a reply is due, and then for silence", () => {
    const upstream = Promise.withResolvers<Deno.Conn>();
    const over = Promise.withResolvers<void>();
    return clocked("proxy", { grace: 60_000 }, async (session, clock) => {
      const { server } = session;
      using conn = await session.connect();
      await write(conn, utf8("request"));
      const peer = await soon(upstream.promise);
      assertEquals(await soon(read(peer, 7)), utf8("request"));
      await soon(untilTurn(() => server.stats().upstream?.bytesWritten === 7));
      const ending = watch(server.shutdown());
      const end = watch(peer.read(new Uint8Array(1)));
      await clock.advance(2_000);
      await settle(200);
      assertEquals(end.done, false, "the reply is due");
      await write(peer, utf8("reply"));
      assertEquals(await soon(read(conn, 5)), utf8("reply"));
      await clock.advance(1_500);
      assertEquals(await soon(end.promise), null);
      // What is still to come is passed on, and what the client sends is not.
      await write(conn, utf8("late"));
      await write(peer, utf8(", more"));
      assertEquals(await soon(read(conn, 6)), utf8(", more"));
      assertEquals(ending.done, false);
      peer.close();
      over.resolve();
      assertEquals((await soon(see(conn))).end, "eof");
      conn.close();
      await soon(ending.promise);
      assertEquals(reasons(session), ["shutdown"]);
      assertEquals(session.closed[0]!.upstream!.bytesWritten, 7);
    }, async (conn) => {
      upstream.resolve(conn);
      await over.promise;
    });
  });

  it("gives a silent upstream the end of input after half of the grace period", () => {
    let ended = false;
    return clocked("proxy", { grace: 10_000 }, async (session, clock) => {
      using conn = await session.connect();
      await write(conn, utf8("request"));
      const { server } = session;
      await soon(untilTurn(() => server.stats().upstream?.bytesWritten === 7));
      const ending = server.shutdown();
      await clock.advance(4_900);
      await settle(200);
      assertEquals(ended, false);
      await clock.advance(200);
      assertEquals(await soon(read(conn)), utf8("at last"));
      conn.close();
      await soon(ending);
      assertEquals(reasons(session), ["shutdown"]);
    }, async (conn) => {
      await read(conn);
      ended = true;
      await write(conn, utf8("at last"));
    });
  });
});

describe("a proxy that is connecting", () => {
  const acts: [
    string,
    (session: Session, abort: () => void) => void,
    string,
  ][] = [
    ["a shutdown", ({ server }) => void server.shutdown(), "shutdown"],
    ["an abort", (_, abort) => abort(), "aborted"],
    ["an outage", ({ server }) => server.setFaults({ down: true }), "fault"],
    [
      "a limit",
      ({ server }) => server.setFaults({ limitData: 0 }),
      "fault",
    ],
    [
      "a reset",
      ({ server }) => server.setFaults({ resetAfter: 0 }),
      "reset",
    ],
  ];
  for (const [name, act, reason] of acts) {
    it(`stops at ${name}`, () => {
      const controller = new AbortController();
      const { signal } = controller;
      // Nothing listens there, so it tries for as long as it may.
      const upstream = { port: closedPort(), wait: 60_000 };
      return within(30_000, async () => {
        await using session = start("proxy", { signal, upstream });
        using conn = await session.connect();
        await until(() => session.server.stats().open === 1);
        act(session, () => controller.abort());
        const { bytes } = await see(conn);
        assertEquals(bytes.length, 0);
        await until(() => session.closed.length === 1);
        assertEquals(reasons(session), [reason]);
        assert(session.closed[0]!.duration < 25_000);
      });
    });
  }
});
