import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Faults } from "../../lib/echo.ts";
import { type FakeClock, settle, untilTurn } from "../support/fake_clock.ts";
import { discard, pattern, read, utf8, write } from "../support/peers.ts";
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

/** Sends bytes, and resolves with the milliseconds until each of them came back. */
async function arrivals(
  session: Session,
  conn: Deno.Conn,
  { clock, length, within }: {
    clock: FakeClock;
    length: number;
    within: number;
  },
): Promise<number[]> {
  const due = bytesDue(session) + length;
  await write(conn, pattern(length));
  await soon(untilTurn(() => bytesDue(session) === due));
  const from = clock.now;
  const times: number[] = [];
  const reading = (async () => {
    const buffer = new Uint8Array(length);
    while (times.length < length) {
      const count = await conn.read(buffer) ?? NaN;
      const took = clock.now - from;
      for (let i = 0; i < count; i++) times.push(took);
    }
  })();
  for (let ms = 0; ms < within; ms++) {
    await settle(100);
    await clock.advance(1);
  }
  await settle(100);
  await soon(reading);
  return times;
}

for (const kind of KINDS) {
  describe(`on the way through ${kind}(), to the millisecond,`, () => {
    // Each message is sent after the one before has come back.
    const rows: [Faults, messages: number, length: number, [number, number]][] =
      [
        [{ latency: 50 }, 3, 10, [50, 50]],
        [{ latency: 50, jitter: 20, seed: 5 }, 12, 1, [30, 70]],
        // Also after a pause, which is not saved up.
        [{ bandwidth: 1_000 }, 3, 40, [20, 40]],
        [{ slicer: 10, slicerDelay: 15 }, 2, 30, [0, 30]],
        [{ latency: 20, slicer: 10, slicerDelay: 15 }, 2, 30, [20, 50]],
      ];
    for (const [faults, messages, length, [min, max]] of rows) {
      it(`bytes take from ${min} to ${max} ms: ${Deno.inspect(faults)}`, () =>
        clocked(kind, { faults }, async (session, clock) => {
          using conn = await session.connect();
          const all: number[] = [];
          for (let i = 0; i < messages; i++) {
            const times = await arrivals(session, conn, {
              clock,
              length,
              within: max + 5,
            });
            assert(Math.min(...times) >= min - 1, `${times}`);
            assert(Math.max(...times) <= max + 1, `${times}`);
            assertEquals(times, times.toSorted((a, b) => a - b));
            all.push(...times);
            await clock.advance(1_000);
          }
          if (faults.jitter) assert(new Set(all).size > 4, `${all}`);
        }));
    }
  });

  describe(`a client of ${kind}() that stays after a fault has cut it`, () => {
    it("reads what it was sent, and is closed after 5 s", () =>
      clocked(kind, { faults: { limitData: 3 } }, async (session, clock) => {
        const { server, closed } = session;
        using conn = await session.connect();
        await write(conn, utf8("before"));
        await soon(untilTurn(() => server.stats().faults?.limitData === 1));
        await clock.advance(4_900);
        for (let i = 0; i < 3; i++) await write(conn, utf8("after"));
        await settle(200);
        assertEquals(closed.length, 0);
        const { bytes, end } = await soon(see(conn));
        assertEquals([bytes, end], [utf8("bef"), "eof"]);
        await clock.advance(200);
        await soon(untilTurn(() => closed.length === 1));
        assertEquals(closed[0]!.reason, "fault");
        assertEquals(closed[0]!.bytesWritten, 3);
      }));
  });

  it(`an outage of ${kind}() spares the open connections that toxicity excludes`, () =>
    within(30_000, async () => {
      await using session = start(kind);
      const { server } = session;
      const conns = await Promise.all(
        Array.from({ length: 60 }, () => session.connect()),
      );
      for (const conn of conns) {
        await write(conn, utf8("x"));
        assertEquals(await read(conn, 1), utf8("x"));
      }
      server.setFaults({ down: true, toxicity: 0.5, seed: 1 });
      const down = server.stats().faults?.down ?? 0;
      assert(down > 12 && down < 48, `${down} of 60`);
      server.setFaults(undefined);
      let alive = 0;
      for (const conn of conns) {
        await write(conn, utf8("y")).catch(() => {});
        alive += (await read(conn, 1).catch(() => [])).length;
        conn.close();
      }
      assertEquals(alive, 60 - down);
    }));
}

describe("an upstream that a fault has cut", () => {
  it("gets its bytes and the end of input, and is closed after 5 s", () => {
    let received = "";
    const faults = { upstream: { limitData: 3 } };
    return clocked("proxy", { faults }, async (session, clock) => {
      using conn = await session.connect();
      await write(conn, utf8("request"));
      const { bytes, end } = await soon(see(conn));
      assertEquals([bytes.length, end], [0, "eof"]);
      await soon(untilTurn(() => received !== ""));
      assertEquals(received, "req");
      await clock.advance(5_100);
      await soon(untilTurn(() => session.closed.length === 1));
      assertEquals(session.closed[0]!.reason, "fault");
    }, async (conn) => {
      received = new TextDecoder().decode(await read(conn));
      await discard(conn);
    });
  });
});
