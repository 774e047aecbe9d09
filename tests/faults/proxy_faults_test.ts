import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { DirectedFaults, Faults } from "../../lib/proxy.ts";
import { discard, pattern, read, utf8, write } from "../support/peers.ts";
import { untilTurn } from "../support/fake_clock.ts";
import { eventually, see, soon, start, within } from "../support/sessions.ts";

describe("faults in both directions of a proxy", () => {
  const ends: [Faults, number, string][] = [
    [{ limitData: 0 }, 0, "fault"],
    [{ limitData: 300 }, 300, "fault"],
    [{ reset: 300 }, 300, "reset"],
    [{ stall: 300, closeAfter: 300 }, 300, "fault"],
    [{ stall: 300, resetAfter: 300 }, 300, "reset"],
    [{ closeAfter: 0 }, 0, "fault"],
    [{ closeOnAccept: true }, 0, "fault"],
    [{ down: true }, 0, "fault"],
  ];
  for (const [faults, length, reason] of ends) {
    it(`end it once, at the first: ${Deno.inspect(faults)}`, () =>
      within(30_000, async () => {
        let received = 0;
        await using session = start("proxy", {
          faults: { downstream: faults, upstream: faults },
        }, async (conn) => {
          received = (await read(conn)).length;
        });
        using conn = await session.connect();
        await write(conn, pattern(1_000)).catch(() => {});
        assertEquals((await see(conn)).bytes.length, 0);
        conn.close();
        await eventually("closed", () => session.closed.length === 1);
        assert(received <= length, `${received} bytes`);
        const { reason: why, faults: counts = {} } = session.closed[0]!;
        assertEquals(why, reason);
        const ending = Object.entries(counts).filter(([name]) =>
          !name.startsWith("stall")
        );
        assertEquals(ending.map(([, count]) => count), [1]);
      }));
  }

  it("make the same random choices with the same seed, others in each", () =>
    within(30_000, async () => {
      const changes = async (faults: DirectedFaults) => {
        let up = "";
        await using session = start("proxy", { faults }, async (conn) => {
          up = String(await read(conn, 1_000));
          await write(conn, new Uint8Array(1_000));
          await discard(conn);
        });
        using conn = await session.connect();
        await write(conn, new Uint8Array(1_000));
        return [String(await read(conn, 1_000)), up];
      };
      const faults = { corrupt: 0.05, seed: 7 };
      const both = { downstream: faults, upstream: faults };
      const [client, upstream] = await changes(both);
      assertEquals(await changes(both), [client, upstream]);
      const zeros = String(new Uint8Array(1_000));
      assertEquals(new Set([client, upstream, zeros]).size, 3);
      assertEquals(await changes({ upstream: faults }), [zeros, upstream]);
    }));
});

describe("a fault that limits what an upstream receives", () => {
  it("destroys nothing of it, although the upstream sends and reads late", () =>
    within(30_000, async () => {
      const may = Promise.withResolvers<void>();
      const seen = Promise.withResolvers<Awaited<ReturnType<typeof see>>>();
      await using session = start("proxy", {
        faults: { upstream: { limitData: 300 } },
      }, async (conn) => {
        const sending = write(conn, pattern(10_000)).catch(() => {});
        await may.promise;
        seen.resolve(await see(conn));
        await sending;
      });
      using conn = await session.connect();
      await write(conn, pattern(1_000));
      // The client's end of input says that the upstream was sent its own.
      await see(conn);
      may.resolve();
      const { bytes, end } = await seen.promise;
      assertEquals([bytes, end], [pattern(300), "eof"]);
    }));
});

describe("a stalled direction of a proxy", () => {
  it("holds at most 3 MiB, while the other direction goes on", () =>
    within(60_000, async () => {
      let received = 0;
      const release = Promise.withResolvers<void>();
      await using session = start("proxy", {
        faults: { stall: 0 },
      }, async (conn) => {
        const sending = write(conn, new Uint8Array(64 << 20)).catch(() => {});
        const buffer = new Uint8Array(65_536);
        for (let n; (n = await conn.read(buffer)) !== null;) received += n;
        await sending;
        release.resolve();
      });
      const { server } = session;
      using conn = await session.connect();
      const held = () => server.stats().upstream?.bytesRead ?? 0;
      await eventually("a stall", () => held() > 1 << 20);
      // As many turns as the whole flood needs without a stall.
      for (let sent = 1; sent <= 500; sent++) {
        await write(conn, utf8("x"));
        await soon(untilTurn(() => received === sent));
      }
      assert(held() < 3 << 20, `${held()}`);
      await server.shutdown();
      await release.promise;
    }));
});
