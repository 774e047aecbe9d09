import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Faults } from "../../lib/echo.ts";
import { untilTurn } from "../support/fake_clock.ts";
import { pattern, read, until, utf8, write } from "../support/peers.ts";
import {
  bytesDue,
  clocked,
  eventually,
  KINDS,
  see,
  type Session,
  soon,
  start,
  within,
} from "../support/sessions.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Sends text, and resolves when a fault has it. */
async function hold(session: Session, conn: Deno.Conn, sent: string) {
  const due = bytesDue(session) + sent.length;
  await write(conn, utf8(sent));
  await soon(untilTurn(() => bytesDue(session) === due));
}

for (const kind of KINDS) {
  describe(`what replaced faults of ${kind}() hold is sent`, () => {
    const holding: Faults[] = [
      { latency: 60_000 },
      { latency: 60_000, corrupt: 1 },
      { stall: 0 },
      { latency: 100, stall: 0 },
      { latency: 60_000, bandwidth: 1 },
      { latency: 60_000, slicer: 1, slicerDelay: 60_000 },
      { latency: 100, bandwidth: 1 },
    ];
    const next: (Faults | undefined)[] = [
      undefined,
      { slicer: 2 },
      { latency: 10 },
      { bandwidth: 1_000_000 },
    ];
    for (const faults of holding) {
      it(`at once, in order, unchanged: ${Deno.inspect(faults)}`, async () => {
        for (const replacement of next) {
          await clocked(kind, { faults }, async (session, clock) => {
            using conn = await session.connect();
            await hold(session, conn, "one");
            await hold(session, conn, "two");
            await clock.advance(150);
            session.server.setFaults(replacement);
            assertEquals(text(await soon(read(conn, 6))), "onetwo");
            await write(conn, utf8("three"));
            await soon(untilTurn(() => bytesDue(session) === 11));
            await clock.advance(100);
            assertEquals(text(await soon(read(conn, 5))), "three");
          });
        }
      });
    }

    it("without the end that it would have come to", async () => {
      for (const limit of [{ limitData: 4 }, { reset: 4 }, { stall: 4 }]) {
        const faults = { ...limit, latency: 60_000 };
        await clocked(kind, { faults }, async (session) => {
          using conn = await session.connect();
          await hold(session, conn, "delay");
          session.server.setFaults(undefined);
          assertEquals(text(await soon(read(conn, 5))), "delay");
          await write(conn, utf8("more"));
          assertEquals(text(await soon(read(conn, 4))), "more");
        });
      }
    });

    it("before the end that the next faults bring", async () => {
      for (const faults of [{ latency: 60_000 }, { stall: 0 }]) {
        for (const end of [{ limitData: 0 }, { closeAfter: 0 }, { reset: 0 }]) {
          await clocked(kind, { faults }, async (session, clock) => {
            using conn = await session.connect();
            await hold(session, conn, "held");
            session.server.setFaults(end);
            await write(conn, utf8("later"));
            await clock.advance(1);
            const seen = await soon(see(conn));
            assertEquals(text(seen.bytes), "held");
            assertEquals(seen.end, "reset" in end ? "reset" : "eof");
          });
        }
      }
    });

    it("before the half-close that follows it", async () => {
      for (const faults of [{ latency: 60_000 }, { stall: 0 }]) {
        await clocked(kind, { faults }, async (session) => {
          using conn = await session.connect();
          await hold(session, conn, "held");
          await conn.closeWrite();
          session.server.setFaults({ latency: 60_000 });
          session.server.setFaults(undefined);
          const seen = await soon(see(conn));
          assertEquals([text(seen.bytes), seen.end], ["held", "eof"]);
        });
      }
    });

    it("in order, when they are replaced often", async () => {
      await clocked(kind, {}, async (session) => {
        using conn = await session.connect();
        for (let i = 0; i < 200; i++) {
          session.server.setFaults(i % 2 ? undefined : { latency: 60_000 });
          await hold(session, conn, String(i % 10));
        }
        session.server.setFaults(undefined);
        assertEquals(
          text(await soon(read(conn, 200))),
          "0123456789".repeat(20),
        );
      });
    });
  });

  describe(`new faults of ${kind}()`, () => {
    it("apply to the first byte of a connection that is accepted later", () =>
      within(30_000, async () => {
        await using session = start(kind);
        for (let i = 0; i < 20; i++) {
          const limitData = 1 + i % 7;
          // These wait in the kernel's queue when the faults are set.
          const conns = [await session.connect(), await session.connect()];
          session.server.setFaults({ limitData });
          conns.push(await session.connect());
          for (const conn of conns) {
            await write(conn, pattern(100));
            assertEquals((await see(conn)).bytes, pattern(limitData));
            conn.close();
          }
          session.server.setFaults(undefined);
        }
      }));

    it("count their bytes from when they were set, and keep the counts", () =>
      clocked(kind, { faults: { limitData: 4 } }, async (session) => {
        const { server } = session;
        using conn = await session.connect();
        const trip = async (sent: string, length = sent.length) => {
          await write(conn, utf8(sent));
          return text(await soon(read(conn, length)));
        };
        assertEquals(await trip("abc"), "abc");
        server.setFaults({ slicer: 1 });
        assertEquals(await trip("def"), "def");
        server.setFaults({ limitData: 4 });
        assertEquals(await trip("ghi"), "ghi");
        assertEquals(await trip("jkl", Infinity), "j");
        assertEquals(server.stats().faults, { slicer: 3, limitData: 1 });
      }));

    it("repeat the choices of their seed from when they were set", () =>
      clocked(kind, {}, async (session) => {
        using conn = await session.connect();
        const changes = async (faults: Faults | undefined) => {
          session.server.setFaults(faults);
          await write(conn, new Uint8Array(1_000));
          return String(await soon(read(conn, 1_000)));
        };
        const zeros = String(new Uint8Array(1_000));
        const first = await changes({ corrupt: 0.1, seed: 3 });
        assertEquals(await changes(undefined), zeros);
        assertEquals(await changes({ corrupt: 0.1, seed: 3 }), first);
        const other = await changes({ corrupt: 0.1, seed: 4 });
        assertEquals(new Set([first, other, zeros]).size, 3);
      }));

    it("do not revive a connection that a fault has ended", () =>
      within(30_000, async () => {
        for (const faults of [{ limitData: 1 }, { reset: 1 }]) {
          await using session = start(kind, { faults });
          using conn = await session.connect();
          await write(conn, utf8("ab"));
          await until(() => session.server.stats().faults !== undefined);
          await eventually("the fault", () => {
            const { limitData = 0, reset = 0 } = session.server.stats().faults!;
            return limitData + reset > 0;
          });
          session.server.setFaults(undefined);
          await write(conn, utf8("cd")).catch(() => {});
          assertEquals((await see(conn)).bytes.length, 1);
        }
      }));

    it("end in their scope, in any order", () =>
      clocked(kind, { faults: { corrupt: 1 } }, async ({ server, connect }) => {
        using conn = await connect();
        const isChanged = async () => {
          await write(conn, Uint8Array.of(0));
          return (await soon(read(conn, 1)))[0] !== 0;
        };
        assertEquals(await isChanged(), true);
        const outer = server.injectFaults({ latency: 0 });
        const inner = server.injectFaults({ corrupt: 1 });
        assertEquals(await isChanged(), true);
        outer[Symbol.dispose]();
        assertEquals(await isChanged(), true, "the last scope is in force");
        server.setFaults(undefined);
        assertEquals(await isChanged(), false, "set within the scope");
        inner[Symbol.dispose]();
        inner[Symbol.dispose]();
        assertEquals(await isChanged(), true, "as before the scopes");
      }));

    it("make an outage for as long as their scope, and a recovery", () =>
      within(30_000, async () => {
        await using session = start(kind);
        const { server, connect } = session;
        for (let i = 1; i <= 3; i++) {
          using open = await connect();
          await write(open, utf8("up"));
          assertEquals(await read(open, 2), utf8("up"));
          {
            using _ = server.injectFaults({ down: true });
            assertEquals((await see(open)).bytes.length, 0);
            using refused = await connect();
            assertEquals((await see(refused)).bytes.length, 0);
          }
          using back = await connect();
          await write(back, utf8("up"));
          assertEquals(await read(back, 2), utf8("up"));
          assertEquals(server.stats().faults, { down: 2 * i });
        }
      }));

    it("change under load, and lose or change no byte", () =>
      within(60_000, async () => {
        await using session = start(kind);
        const changes: (Faults | undefined)[] = [
          { latency: 5, jitter: 5 },
          undefined,
          { slicer: 1_000 },
          { latency: 1, stall: 1_000 },
          { bandwidth: 10_000_000 },
          { stall: 0 },
          {},
        ];
        const sent = pattern(251 * 8_000);
        let done = false;
        const clients = Promise.all(Array.from({ length: 10 }, async () => {
          using conn = await session.connect();
          const sending = write(conn, sent).then(() => conn.closeWrite());
          const received = await read(conn);
          await sending;
          assertEquals(received.length, sent.length);
          assert(received.every((byte, i) => byte === i % 251));
        })).finally(() => done = true);
        for (let i = 0; !done; i++) {
          session.server.setFaults(changes[i % changes.length]);
          await new Promise((resolve) => setTimeout(resolve, i % 3));
        }
        await clients;
      }));
  });
}
