import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FaultInjector } from "../../lib/faults/fault_injector.ts";
import { FaultyConn } from "../../lib/faults/faulty_conn.ts";
import { MAX_QUEUED } from "../../lib/faults/stage.ts";
import type { Faults } from "../../lib/net/fault_options.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeConn } from "../support/fakes.ts";
import { inject } from "../support/inject.ts";
import { pattern, utf8 } from "../support/peers.ts";

/** Replaces the faults of connection 1. */
function change(conn: FaultyConn, faults: Faults | undefined): void {
  conn.setFaults(faults && new FaultInjector(faults).faultsOf(1));
}

/** A connection with faults, and what its peer has received. */
function faulty(faults: Faults) {
  const plain = new FakeConn();
  const conn = inject(plain, faults);
  return {
    plain,
    conn,
    received: () => new TextDecoder().decode(plain.output),
  };
}

describe("when faults are replaced, what they hold back is sent", () => {
  /** Faults that hold back at least a part of "onetwo", as long as time stands. */
  const holding: Record<string, Faults> = {
    latency: { latency: 60_000 },
    "latency and corruption": { latency: 60_000, corrupt: 1 },
    stall: { stall: 0 },
    "a stall after some bytes": { stall: 2 },
    "latency before a stall": { latency: 100, stall: 1 },
    "latency before a slow link": { latency: 100, bandwidth: 1 },
    slices: { slicer: 1, slicerDelay: 60_000 },
    "a slow link": { bandwidth: 1 },
    "slices on a slow link": { slicer: 2, slicerDelay: 60_000, bandwidth: 1 },
  };
  /** Faults that replace them, and what they make of the next bytes. */
  const next: [string, Faults | undefined][] = [
    ["none", undefined],
    ["slices", { slicer: 2 }],
    ["latency", { latency: 10 }],
    ["a slow link", { bandwidth: 1_000_000 }],
  ];
  for (const [name, faults] of Object.entries(holding)) {
    for (const [later, replacement] of next) {
      it(`at once and before later bytes: ${name}, then ${later}`, async () => {
        using clock = new FakeClock();
        const { conn, received } = faulty(faults);
        const writes = [conn.write(utf8("one")), conn.write(utf8("two"))];
        await clock.advance(150);
        const third = conn.write(utf8("three"));
        await clock.advance(10);
        assert(received().length < 11, received());
        change(conn, replacement);
        writes.push(third, conn.write(utf8("four")));
        await settle();
        assert(received().startsWith("onetwothree"), received());
        await clock.advance(100);
        assertEquals(received(), "onetwothreefour");
        await Promise.all(writes);
        await conn.flush();
        conn.close();
      });
    }
  }

  it("although a write has begun in the same turn", async () => {
    for (const faults of [{ latency: 60_000 }, { stall: 0 }, {}]) {
      const { conn, received } = faulty(faults);
      const writing = conn.write(utf8("one"));
      change(conn, undefined);
      await settle();
      assertEquals(received(), "one");
      await writing;
      conn.close();
    }
  });

  it("although several writes wait for each other", async () => {
    using clock = new FakeClock();
    const { conn, received } = faulty({ bandwidth: 1_000 });
    const writes = ["a".repeat(100), "b".repeat(100), "c"].map((text) =>
      conn.write(utf8(text))
    );
    await clock.advance(50);
    change(conn, { latency: 100 });
    await settle();
    assertEquals(received(), "a".repeat(100) + "b".repeat(100) + "c");
    await Promise.all(writes);
    conn.close();
  });

  it("in order when they are replaced again meanwhile", async () => {
    using clock = new FakeClock();
    const { conn, plain, received } = faulty({ latency: 60_000 });
    await conn.write(utf8("1"));
    await conn.write(utf8("2"));
    // The peer takes nothing for a while.
    const write = plain.write.bind(plain);
    const taken = Promise.withResolvers<void>();
    plain.write = (bytes) => taken.promise.then(() => write(bytes));
    change(conn, { stall: 1 });
    const writes = [conn.write(utf8("3"))];
    change(conn, { latency: 50 });
    writes.push(conn.write(utf8("4")));
    change(conn, undefined);
    writes.push(conn.write(utf8("5")));
    await settle();
    assertEquals(received(), "");
    taken.resolve();
    await settle();
    assertEquals(received(), "12345");
    await Promise.all(writes);
    await clock.advance(60_000);
    assertEquals(received(), "12345");
    conn.close();
  });

  it("unchanged, and without the end that they would have come to", async () => {
    for (const limit of [{ limitData: 150 }, { reset: 150 }, { stall: 150 }]) {
      using clock = new FakeClock();
      const { conn, plain } = faulty({
        ...limit,
        bandwidth: 1_000,
        corrupt: 0,
      });
      const writing = conn.write(pattern(200));
      await clock.advance(50);
      change(conn, undefined);
      await settle();
      assertEquals(plain.output, pattern(200), Deno.inspect(limit));
      assertEquals([plain.ended, plain.closed], [false, false]);
      assertEquals(conn.faults, { bandwidth: 150 });
      await writing;
      conn.close();
    }
  });

  it("before the end that the next faults bring", async () => {
    for (
      const held of [{ latency: 60_000 }, { stall: 0 }, { bandwidth: 1 }, {
        latency: 1,
        stall: 1,
      }]
    ) {
      for (const end of [{ limitData: 0 }, { closeAfter: 0 }]) {
        using clock = new FakeClock();
        const { conn, plain, received } = faulty(held);
        let atEnd: string | undefined;
        plain.closeWrite = () => Promise.resolve(void (atEnd ??= received()));
        const writing = conn.write(utf8("held"));
        await clock.advance(5);
        change(conn, end);
        const later = conn.write(utf8("later"));
        await clock.advance(1);
        assertEquals(atEnd, "held", Deno.inspect([held, end]));
        await Promise.all([writing, later]);
        assertEquals(received(), "held");
        assert(conn.isCut);
        conn.close();
      }
    }
  });

  it("up to 1 MiB of a stall, and a write that was blocked continues", async () => {
    const { conn, plain } = faulty({ stall: 3 });
    const bytes = pattern(2 * MAX_QUEUED);
    await conn.write(bytes.subarray(0, 100));
    await conn.write(bytes.subarray(100, MAX_QUEUED + 100));
    let resolved = false;
    const blocked = conn.write(bytes.subarray(MAX_QUEUED + 100));
    void blocked.then(() => resolved = true);
    await settle();
    assertEquals([resolved, plain.output.length], [false, 3]);
    change(conn, undefined);
    await blocked;
    assertEquals(plain.output, bytes);
    conn.close();
  });

  it("also to a writer of a full queue of delayed chunks", async () => {
    using _clock = new FakeClock();
    const { conn, plain } = faulty({ latency: 60_000 });
    await conn.write(new Uint8Array(MAX_QUEUED));
    const blocked = conn.write(utf8("next"));
    await settle();
    assertEquals(plain.output.length, 0);
    change(conn, { latency: 60_000 });
    await blocked;
    assertEquals(plain.output.length, MAX_QUEUED + 4);
    conn.close();
  });

  for (const order of ["before", "after"] as const) {
    it(`before a flush ends that began ${order} they were replaced`, async () => {
      using _clock = new FakeClock();
      const { conn, plain, received } = faulty({ latency: 60_000 });
      await conn.write(utf8("held"));
      const taken = Promise.withResolvers<void>();
      const write = plain.write.bind(plain);
      plain.write = (bytes) => taken.promise.then(() => write(bytes));
      if (order === "after") change(conn, undefined);
      let flushed: string | undefined;
      const flushing = conn.flush().then(() => flushed = received());
      if (order === "before") change(conn, undefined);
      await settle();
      assertEquals(flushed, undefined);
      taken.resolve();
      await flushing;
      assertEquals(flushed, "held");
      conn.close();
    });
  }

  it("to a flush and a half-close that wait for it", async () => {
    using _clock = new FakeClock();
    for (const faults of [{ stall: 0 }, { latency: 60_000 }]) {
      const { conn, plain, received } = faulty(faults);
      await conn.write(utf8("held"));
      const closing = conn.closeWrite();
      await settle();
      assertEquals(plain.ended, false);
      change(conn, { latency: 1 });
      await closing;
      assertEquals([received(), plain.ended], ["held", true]);
      conn.close();
    }
  });
});

describe("new faults", () => {
  it("count their bytes from when they were set", async () => {
    const { conn, plain, received } = faulty({ limitData: 4 });
    await conn.write(utf8("abc"));
    change(conn, { limitData: 4 });
    await conn.write(utf8("def"));
    assertEquals([plain.ended, received()], [false, "abcdef"]);
    await conn.write(utf8("ghi"));
    assertEquals([plain.ended, received()], [true, "abcdefg"]);
    conn.close();
  });

  it("repeat the choices of their seed from the start", async () => {
    const changes = async (conn: FaultyConn, plain: FakeConn) => {
      const before = plain.output.length;
      await conn.write(new Uint8Array(1_000));
      return plain.output.subarray(before);
    };
    const faults = { corrupt: 0.1, seed: 3 };
    const { conn, plain } = faulty(faults);
    const first = await changes(conn, plain);
    change(conn, undefined);
    assertEquals(await changes(conn, plain), new Uint8Array(1_000));
    change(conn, faults);
    assertEquals(await changes(conn, plain), first);
    conn.close();
  });

  it("keep the counts of those before", async () => {
    using clock = new FakeClock();
    const { conn } = faulty({ latency: 1 });
    await conn.write(utf8("a"));
    change(conn, { slicer: 1 });
    await conn.write(utf8("bc"));
    change(conn, undefined);
    await conn.write(utf8("d"));
    change(conn, { latency: 1 });
    await conn.write(utf8("e"));
    await clock.advance(1);
    assertEquals(conn.faults, { latency: 2, slicer: 2 });
    conn.close();
  });

  it("do not revive a connection that a fault has ended", async () => {
    for (const faults of [{ limitData: 1 }, { reset: 1 }]) {
      const { conn, plain, received } = faulty(faults);
      await conn.write(utf8("ab"));
      change(conn, undefined);
      await conn.write(utf8("cd")).catch(() => {});
      assertEquals(received(), "a");
      assertEquals([conn.isCut, conn.isReset], [!plain.closed, plain.closed]);
      conn.close();
    }
  });

  it("lift the limit on reading that a reset has set", async () => {
    const { conn, plain } = faulty({ reset: 2 });
    plain.feed(utf8("abcdef"));
    const buffer = new Uint8Array(10);
    assertEquals(await conn.read(buffer), 3);
    const reading = conn.read(buffer);
    await settle();
    change(conn, undefined);
    assertEquals(await reading, 3);
    conn.close();
  });

  it("may come and go often on a connection that stays open", async () => {
    const { conn, plain } = faulty({});
    let sent = 0;
    for (let i = 0; i < 1_000; i++) {
      change(conn, i % 2 ? undefined : { latency: 60_000, stall: 1 });
      await conn.write(new Uint8Array(3));
      sent += 3;
    }
    change(conn, undefined);
    await conn.flush();
    assertEquals(plain.output.length, sent);
    conn.close();
  });
});

describe("closing a connection while faults are replaced", () => {
  for (
    const faults of [{ latency: 60_000 }, { stall: 0 }, { bandwidth: 1 }]
  ) {
    it(`ends every write: ${Deno.inspect(faults)}`, async () => {
      const plain = new FakeConn({ neverReads: true });
      const conn = inject(plain, faults);
      const first = conn.write(utf8("one"));
      const writes = [first, conn.write(new Uint8Array(MAX_QUEUED)), first];
      await settle();
      change(conn, undefined);
      writes.push(conn.write(utf8("two")), conn.closeWrite().then(() => 0));
      await settle();
      conn.close();
      const results = await Promise.allSettled(writes);
      assertEquals(results.at(-1)!.status, "rejected");
      assertEquals(results.at(-2)!.status, "rejected");
      await assertRejects(() => conn.write(utf8("three")));
    });
  }

  it("leaves no timer of any pipeline", async () => {
    const conn = inject(new FakeConn(), { resetAfter: 60_000 });
    change(conn, { closeAfter: 60_000, latency: 60_000 });
    await conn.write(utf8("x"));
    change(conn, { stallAfter: 60_000 });
    conn.close();
    await settle();
  });
});

describe("faults by time", () => {
  const accepted = (clock: FakeClock, faults?: Faults) => {
    const plain = new FakeConn();
    const conn = new FaultyConn(plain, { acceptedAt: clock.now });
    if (faults) change(conn, faults);
    return { plain, conn };
  };

  it("take effect to the millisecond after the connection was accepted", async () => {
    using clock = new FakeClock();
    const closes = accepted(clock, { closeAfter: 100 });
    const stalls = accepted(clock, { stallAfter: 100 });
    const resets = accepted(clock, { resetAfter: 100 });
    await clock.advance(99);
    await stalls.conn.write(utf8("a"));
    const early = [closes.plain.ended, resets.plain.closed];
    await clock.advance(1);
    await stalls.conn.write(utf8("b"));
    assertEquals(early, [false, false]);
    assertEquals([closes.plain.ended, resets.plain.closed], [true, true]);
    assertEquals(stalls.plain.output, utf8("a"));
    assertEquals(closes.conn.faults, { closeAfter: 1 });
    assertEquals(stalls.conn.faults, { stallAfter: 1 });
    assertEquals(resets.conn.faults, { resetAfter: 1 });
    assertEquals([closes.conn.isCut, resets.conn.isReset], [true, true]);
    for (const { conn } of [closes, stalls, resets]) conn.close();
  });

  it("that are set later count from the same time, or take effect at once", async () => {
    using clock = new FakeClock();
    const before = accepted(clock);
    const after = accepted(clock);
    await clock.advance(60);
    change(before.conn, { closeAfter: 100 });
    change(after.conn, { closeAfter: 50 });
    await clock.advance(0);
    assertEquals([before.plain.ended, after.plain.ended], [false, true]);
    await clock.advance(39);
    assertEquals(before.plain.ended, false);
    await clock.advance(1);
    assertEquals(before.plain.ended, true);
    before.conn.close();
    after.conn.close();
  });

  it("do not take effect once they are replaced", async () => {
    using clock = new FakeClock();
    const one = accepted(clock, {
      closeAfter: 100,
      resetAfter: 90,
      stallAfter: 80,
    });
    await clock.advance(79);
    change(one.conn, undefined);
    await clock.advance(1_000);
    await one.conn.write(utf8("x"));
    assertEquals(one.plain.output, utf8("x"));
    assertEquals([one.plain.ended, one.plain.closed], [false, false]);
    one.conn.close();
  });

  it("close a connection that has stalled, without what is held back", async () => {
    using clock = new FakeClock();
    const one = accepted(clock, { stall: 1, closeAfter: 100 });
    await one.conn.write(utf8("abc"));
    const flushing = one.conn.flush();
    await clock.advance(100);
    await flushing;
    assertEquals(one.plain.output, utf8("a"));
    assertEquals([one.plain.ended, one.plain.closed], [true, false]);
    assertEquals(one.conn.faults, { stall: 1, closeAfter: 1 });
    one.conn.close();
  });

  it("end a connection once, whichever is first", async () => {
    using clock = new FakeClock();
    const one = accepted(clock, {
      resetAfter: 100,
      closeAfter: 50,
      limitData: 2,
    });
    await clock.advance(50);
    await one.conn.write(utf8("abc"));
    await clock.advance(100);
    assertEquals(one.conn.faults, { closeAfter: 1 });
    one.conn.close();
  });

  it("close in the middle of a chunk, without an error", async () => {
    using clock = new FakeClock();
    for (
      const slow of [{ bandwidth: 100 }, { slicer: 2, slicerDelay: 20 }]
    ) {
      const one = accepted(clock, { ...slow, closeAfter: 101 });
      one.plain.closeWrite = () => {
        one.plain.write = () =>
          Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
        return Promise.resolve();
      };
      const writing = one.conn.write(pattern(1_000));
      await clock.advance(4_000);
      assertEquals(one.plain.output.length, slow.bandwidth ? 10 : 12);
      one.conn.close();
      await writing.catch((error) => {
        assertEquals((error as Error).name, "AbortError");
      });
    }
  });

  it("close in the middle of a write, without an error", async () => {
    using clock = new FakeClock();
    const one = accepted(clock, { closeAfter: 100 });
    const sending = Promise.withResolvers<number>();
    one.plain.write = () => sending.promise;
    one.plain.closeWrite = () => {
      sending.reject(new Deno.errors.BrokenPipe("broken pipe"));
      return Promise.resolve();
    };
    const writing = one.conn.write(utf8("abc"));
    await clock.advance(100);
    assertEquals(await writing, 3);
    assertEquals(one.conn.bytesSent, 0);
    one.conn.close();
  });
});
