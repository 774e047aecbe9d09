import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { misbehave } from "../lib/misbehave.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { FakeConn } from "./fakes.ts";
import { pattern } from "./peers.ts";

describe("a latency that varies", () => {
  it("varies in both directions, as far as the jitter, around the latency", async () => {
    using clock = new FakeClock();
    const spoil = misbehave({ latency: 100, jitter: 50, seed: 1 });
    const start = clock.now;
    const conns = Array.from({ length: 200 }, (_, id) => {
      const conn = new FakeConn();
      const faulty = spoil(conn, id);
      void faulty.write(Uint8Array.of(1));
      return { conn, faulty, took: NaN };
    });
    for (let ms = 0; ms <= 160; ms++) {
      for (const one of conns) {
        if (Number.isNaN(one.took) && one.conn.writes.length > 0) {
          one.took = clock.now - start;
        }
      }
      await clock.advance(1);
    }
    const times = conns.map(({ took }) => took);
    assert(times.every((ms) => ms >= 50 && ms <= 152), times.join());
    assert(times.filter((ms) => ms < 75).length > 20, times.join());
    assert(times.filter((ms) => ms > 125).length > 20, times.join());
    const mean = times.reduce((sum, ms) => sum + ms) / times.length;
    assert(mean > 92 && mean < 108, `${mean}`);
    for (const { faulty } of conns) faulty.close();
  });

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`keeps the order of what was written, with seed ${seed}`, async () => {
      using clock = new FakeClock();
      const conn = new FakeConn();
      const faulty = misbehave({ latency: 100, jitter: 100, seed })(conn, 1);
      const sent = pattern(100);
      for (const byte of sent) {
        await faulty.write(Uint8Array.of(byte));
        await clock.advance(1);
      }
      await clock.advance(300);
      assertEquals(conn.output, sent);
      faulty.close();
    });
  }
});

describe("a misbehaving connection", () => {
  it("sends all of it where a write takes few bytes", async () => {
    for (const faults of [{ slicer: 7 }, { latency: 10 }, { corrupt: 0 }]) {
      using clock = new FakeClock();
      const conn = new FakeConn({ bytesPerWrite: 3 });
      const faulty = misbehave(faults)(conn, 1);
      const writing = faulty.write(pattern(100));
      await clock.advance(100);
      await writing;
      assertEquals(conn.output, pattern(100), Deno.inspect(faults));
      faulty.close();
      await settle();
    }
  });
});
