import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MAX_QUEUED } from "../../lib/faults/stage.ts";
import { sleep } from "../../lib/net/timeout.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeConn } from "../support/fakes.ts";
import { inject } from "../support/inject.ts";
import { pattern, utf8 } from "../support/peers.ts";

/** Whether a promise is settled in this turn of the event loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await settle();
  return settled;
}

describe("latency with jitter", () => {
  it("varies up and down by at most the jitter, with the latency as its mean", async () => {
    using clock = new FakeClock();
    const faults = { latency: 100, jitter: 50, seed: 1 };
    const start = clock.now;
    const conns = Array.from({ length: 200 }, (_, id) => {
      const conn = new FakeConn();
      const faulty = inject(conn, faults, { id });
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
    it(`keeps the order of chunks, with seed ${seed}`, async () => {
      using clock = new FakeClock();
      const conn = new FakeConn();
      const faulty = inject(conn, { latency: 100, jitter: 100, seed });
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

describe("a faulty connection", () => {
  it("writes every byte if a write accepts only a few", async () => {
    for (const faults of [{ slicer: 7 }, { latency: 10 }, { corrupt: 0 }]) {
      using clock = new FakeClock();
      const conn = new FakeConn({ bytesPerWrite: 3 });
      const faulty = inject(conn, faults);
      const writing = faulty.write(pattern(100));
      await clock.advance(100);
      await writing;
      assertEquals(conn.output, pattern(100), Deno.inspect(faults));
      faulty.close();
      await settle();
    }
  });

  it("sends writes that are not awaited in order, and half-closes after them", async () => {
    for (
      const faults of [
        { slicer: 3, slicerDelay: 10 },
        { bandwidth: 1_000 },
        { latency: 10, slicer: 3, slicerDelay: 10 },
      ]
    ) {
      using clock = new FakeClock();
      const conn = new FakeConn();
      const faulty = inject(conn, faults);
      const writes = [faulty.write(utf8("hello, ")), faulty.write(utf8("you"))];
      let output = "";
      conn.closeWrite = () => {
        output = new TextDecoder().decode(conn.output);
        return Promise.resolve();
      };
      const closing = faulty.closeWrite();
      await clock.advance(200);
      await Promise.all([...writes, closing]);
      assertEquals(output, "hello, you", Deno.inspect(faults));
      faulty.close();
    }
  });

  it("reports the end of input at once, and is flushed after the delay", async () => {
    using clock = new FakeClock();
    const conn = new FakeConn();
    const faulty = inject(conn, { latency: 100 });
    await faulty.write(utf8("x"));
    conn.end();
    assertEquals(await faulty.read(new Uint8Array(1)), null);
    const flushing = faulty.flush();
    await clock.advance(99);
    assertEquals(await isSettled(flushing), false);
    await clock.advance(1);
    await flushing;
    assertEquals(conn.output, utf8("x"));
    faulty.close();
  });

  it("sends at its bandwidth, to the millisecond", async () => {
    using clock = new FakeClock();
    const conn = new FakeConn();
    const faulty = inject(conn, { bandwidth: 1_000 });
    const writing = faulty.write(pattern(500));
    await clock.advance(250);
    assertEquals(conn.output.length, 240); // chunks of 20 bytes
    await clock.advance(249);
    assertEquals(conn.output.length, 480);
    await clock.advance(1);
    assertEquals(await writing, 500);
    assertEquals(faulty.faults, { bandwidth: 500 });
    faulty.close();
  });

  it("keeps to its bandwidth if each write takes some of the time", async () => {
    using clock = new FakeClock();
    const conn = new FakeConn();
    const write = conn.write.bind(conn);
    conn.write = (bytes) => sleep(5).then(() => write(bytes));
    const faulty = inject(conn, { bandwidth: 1_000 });
    const writing = faulty.write(pattern(500));
    await clock.advance(504);
    assertEquals(conn.output.length, 480);
    await clock.advance(1);
    assertEquals(await writing, 500);
    faulty.close();
  });

  it("pauses between slices, and not before the first", async () => {
    using clock = new FakeClock();
    const conn = new FakeConn();
    const faulty = inject(conn, { slicer: 2, slicerDelay: 10 });
    const start = clock.now;
    const times: number[] = [];
    const write = conn.write.bind(conn);
    conn.write = (bytes) => {
      times.push(clock.now - start);
      return write(bytes);
    };
    const writing = faulty.write(pattern(5));
    await clock.advance(20);
    await writing;
    assertEquals(times, [0, 10, 20]);
    assertEquals(conn.writes.map(({ length }) => length), [2, 2, 1]);
    assertEquals(faulty.faults, { slicer: 3 });
    faulty.close();
  });

  it("fails each later call if a delayed chunk cannot be sent", async () => {
    const conn = new FakeConn();
    conn.write = () => Promise.reject(new Deno.errors.BrokenPipe("broken"));
    const faulty = inject(conn, { latency: 1 });
    await faulty.write(utf8("x"));
    await assertRejects(() => faulty.closeWrite(), Deno.errors.BrokenPipe);
    await assertRejects(
      () => faulty.write(utf8("y")),
      Deno.errors.BrokenPipe,
    );
    await assertRejects(() => faulty.flush(), Deno.errors.BrokenPipe);
    faulty.close();
  });

  // The timers are real, so that the test fails if one is left.
  for (
    const faults of [
      { latency: 60_000 },
      { slicer: 1, slicerDelay: 60_000 },
      { bandwidth: 1 },
      { stall: 0, bandwidth: 1 },
      { limitData: 1 },
    ]
  ) {
    it(`leaves no timer and no write when it is closed: ${Deno.inspect(faults)}`, async () => {
      const conn = new FakeConn();
      const faulty = inject(conn, faults);
      const writing = faulty.write(pattern(10)).then(() =>
        faulty.write(new Uint8Array(2 * MAX_QUEUED))
      );
      const all = Promise.allSettled([writing, faulty.closeWrite()]);
      await settle();
      faulty.close();
      assert(await isSettled(all));
      await assertRejects(() => faulty.write(utf8("x")));
    });
  }

  it("starts no timer if it is closed while the last allowed byte is sent", async () => {
    const conn = new FakeConn();
    const sent = Promise.withResolvers<number>();
    conn.write = () => sent.promise;
    const faulty = inject(conn, { limitData: 1 });
    const writing = faulty.write(utf8("xy"));
    await settle();
    sent.resolve(1);
    faulty.close();
    await writing;
    assertEquals(faulty.faults, {});
  });

  it("is closed 5 s after its data was limited if the peer stays", async () => {
    using clock = new FakeClock();
    const conn = new FakeConn();
    const faulty = inject(conn, { limitData: 1 });
    await faulty.write(utf8("xy"));
    const reading = faulty.read(new Uint8Array(1));
    await clock.advance(4_999);
    assertEquals([conn.ended, conn.closed], [true, false]);
    await clock.advance(1);
    assert(conn.closed);
    assertEquals(await reading, null);
  });

  it("counts once that its data was limited", async () => {
    const conn = new FakeConn();
    const faulty = inject(conn, { limitData: 0 });
    conn.end();
    assertEquals(await faulty.read(new Uint8Array(1)), null);
    assertEquals(await faulty.write(utf8("x")), 1);
    assertEquals(faulty.faults, { limitData: 1 });
    assertEquals([conn.ended, conn.output.length], [true, 0]);
    assert(faulty.isCut);
    faulty.close();
  });

  it("waits for no delayed chunk that follows the limit", async () => {
    using clock = new FakeClock();
    const conn = new FakeConn();
    const faulty = inject(conn, { latency: 1_000, limitData: 1 });
    await faulty.write(utf8("x"));
    await clock.advance(900);
    await faulty.write(utf8("y"));
    const flushing = faulty.flush();
    assertEquals(await isSettled(flushing), false);
    await clock.advance(100);
    assert(await isSettled(flushing));
    assertEquals(conn.output, utf8("x"));
    faulty.close();
  });

  it("accepts 1 MiB after a stall, and then nothing until it is closed", async () => {
    const conn = new FakeConn();
    const faulty = inject(conn, { stall: 3 });
    await faulty.write(utf8("hello"));
    await faulty.write(new Uint8Array(MAX_QUEUED));
    const blocked = faulty.write(utf8("x"));
    assertEquals(await isSettled(blocked), false);
    faulty.close();
    await assertRejects(() => blocked);
    assertEquals(conn.output, utf8("hel"));
    assertEquals(faulty.faults, { stall: 1 });
  });

  it("does not half-close a stalled connection", async () => {
    const conn = new FakeConn();
    const faulty = inject(conn, { stall: 0 });
    await faulty.write(utf8("x"));
    const closing = faulty.closeWrite();
    assertEquals(await isSettled(closing), false);
    faulty.close();
    await assertRejects(() => closing);
    assertEquals(conn.ended, false);
  });

  it("resets after the delay of the chunk that reaches the limit", async () => {
    using clock = new FakeClock();
    const conn = new FakeConn();
    const faulty = inject(conn, { latency: 100, reset: 2 });
    conn.feed(utf8("abcdef"));
    const buffer = new Uint8Array(10);
    assertEquals(await faulty.read(buffer), 3);
    await faulty.write(buffer.subarray(0, 3));
    await clock.advance(99);
    assertEquals([conn.closed, conn.output.length], [false, 0]);
    await clock.advance(1);
    assertEquals([conn.closed, conn.output], [true, utf8("ab")]);
    await assertRejects(
      () => faulty.read(buffer),
      Deno.errors.ConnectionAborted,
      "reset by a fault",
    );
    assertEquals(faulty.faults, { latency: 1, reset: 1 });
    assertEquals([faulty.isCut, faulty.isReset], [false, true]);
  });

  it("resets when the client sends more than the limit, and not before", async () => {
    const conn = new FakeConn();
    const faulty = inject(conn, { reset: 2 });
    await faulty.write(utf8("ab"));
    assertEquals([conn.closed, faulty.faults], [false, {}]);
    await faulty.write(utf8("c"));
    assertEquals([conn.closed, faulty.faults], [true, { reset: 1 }]);
    assertEquals(conn.output, utf8("ab"));
  });

  it("has its faults in its streams, too", async () => {
    const conn = new FakeConn();
    const faulty = inject(conn, { limitData: 3 });
    conn.feed(utf8("abc"));
    const reader = faulty.readable.getReader();
    assertEquals((await reader.read()).value, utf8("abc"));
    const writer = faulty.writable.getWriter();
    await writer.write(utf8("hello"));
    assertEquals(conn.output, utf8("hel"));
    faulty.close();
  });
});
