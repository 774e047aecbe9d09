import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ClosedConnection } from "../../lib/echo.ts";
import type { DirectedFaults } from "../../lib/proxy.ts";
import { FaultControl } from "../../lib/faults/fault_control.ts";
import { readScheduler } from "../../lib/net/read_scheduler.ts";
import { Connection } from "../../lib/server/connection.ts";
import { Forwarder } from "../../lib/server/forwarder.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeConn, type FakeConnOptions } from "../support/fakes.ts";
import { pattern, utf8 } from "../support/peers.ts";

/** How long a side may stay after the other one has closed. */
const LINGER_MS = 5_000;

/** A forwarded connection whose client and upstream are the test's. */
class Forwarded {
  readonly client: FakeConn;
  readonly upstream: FakeConn;
  readonly control: FaultControl;
  readonly connection: Connection;
  readonly closed: ClosedConnection[] = [];
  signal: AbortSignal | undefined;
  forwarder!: Forwarder;
  readonly #dial = Promise.withResolvers<Deno.Conn>();

  constructor({ client, upstream, faults }: {
    client?: FakeConnOptions;
    upstream?: FakeConnOptions;
    faults?: DirectedFaults;
  } = {}) {
    this.client = new FakeConn(client);
    this.upstream = new FakeConn(upstream);
    this.control = new FaultControl(faults);
    this.connection = new Connection(this.client, {
      id: 1,
      faults: this.control,
      createHandler: (conn, context) =>
        this.forwarder = new Forwarder(conn, {
          ...context,
          dial: (signal) => {
            this.signal = signal;
            signal.addEventListener("abort", () => this.fails(signal.reason));
            return this.#dial.promise;
          },
        }),
      onClosed: (_, summary) => this.closed.push(summary),
    });
  }

  /** The upstream answers. */
  async connects(): Promise<this> {
    if (!this.signal) this.connection.start();
    this.#dial.resolve(this.upstream);
    await settle();
    return this;
  }

  /** There is no upstream. */
  fails(error: unknown): void {
    this.#dial.reject(error);
  }

  get reason(): string | undefined {
    return this.closed[0]?.reason;
  }

  /** Asserts that it has ended once and left nothing. */
  assertEnded(reason: string): void {
    assertEquals(this.closed.map(({ reason }) => reason), [reason]);
    assertEquals([this.client.closed, this.upstream.closed], [true, true]);
  }

  /** Asserts that it goes on. */
  assertOpen(): void {
    assertEquals(this.closed, []);
    assertEquals([this.client.closed, this.upstream.closed], [false, false]);
  }
}

const opened = (options?: ConstructorParameters<typeof Forwarded>[0]) =>
  new Forwarded(options).connects();

describe("a forwarder that connects", () => {
  it("passes on what the client has sent meanwhile", async () => {
    const one = new Forwarded();
    one.client.feed(utf8("early"));
    one.connection.start();
    await settle();
    assertEquals(one.client.buffers.length, 0);
    await one.connects();
    assertEquals(one.upstream.output, utf8("early"));
    one.connection.close("aborted");
    await settle();
    one.assertEnded("aborted");
  });

  it("closes the client if the upstream is unreachable, with the error", async () => {
    const one = new Forwarded();
    one.connection.start();
    const error = new Error("refused");
    one.fails(error);
    await settle();
    assertEquals(one.closed.map((c) => [c.reason, c.error]), [
      ["unreachable", error],
    ]);
    assert(one.client.closed);
  });

  for (
    const [name, act, reason] of [
      ["idle", ({ connection }) => connection.close("idle"), "idle"],
      ["the server's end", ({ connection }) => connection.abort(), "aborted"],
      ["a drain", ({ connection }) => connection.drain(), "shutdown"],
      [
        "an outage",
        ({ control }) => control.set({ downstream: { down: true } }),
        "fault",
      ],
      [
        "a limit",
        ({ control }) => control.set({ downstream: { limitData: 0 } }),
        "fault",
      ],
      [
        "a reset",
        ({ control }) => control.set({ downstream: { resetAfter: 0 } }),
        "reset",
      ],
    ] as [string, (one: Forwarded) => void, string][]
  ) {
    it(`stops at ${name}, and closes an upstream that comes too late`, async () => {
      const one = new Forwarded();
      one.connection.start();
      act(one);
      await settle();
      assertEquals(one.reason, reason);
      assert(one.signal!.aborted && one.client.closed);
      assertEquals(one.closed.length, 1);
    });
  }

  it("closes an upstream that it no longer needs", async () => {
    const client = new FakeConn();
    const upstream = new FakeConn();
    const dial = Promise.withResolvers<Deno.Conn>();
    let ended = 0;
    const forwarder = new Forwarder({ conn: client, pending: 0 }, {
      dial: () => dial.promise,
      attach: (conn) => ({ conn, pending: 0 }),
      onClosed: () => ended++,
    });
    forwarder.halfClose();
    assertEquals(ended, 1);
    dial.resolve(upstream);
    await settle();
    assertEquals([ended, upstream.closed], [1, true]);
  });

  it("does not begin if the connection was closed when it was opened", async () => {
    for (const act of ["drain", "abort"] as const) {
      const one = new Forwarded();
      one.connection[act]();
      one.connection.start();
      await settle();
      assertEquals([one.forwarder, one.closed.length], [undefined, 1]);
    }
  });
});

describe("a forwarder", () => {
  for (const bytesPerWrite of [1, 7, 1_000]) {
    it(`copies both ways if a write accepts ${bytesPerWrite}`, async () => {
      const options = { bytesPerWrite };
      const one = await opened({ client: options, upstream: options });
      one.client.feed(pattern(200));
      one.upstream.feed(pattern(300));
      await settle(2_000 / bytesPerWrite + 20);
      assertEquals(one.upstream.output, pattern(200));
      assertEquals(one.client.output, pattern(300));
      assertEquals(one.connection.stats(), {
        bytesRead: 200,
        bytesWritten: 300,
        upstream: { bytesRead: 300, bytesWritten: 200 },
        faults: undefined,
      });
      one.client.end();
      one.upstream.end();
      await settle();
      one.assertEnded("closed");
    });
  }

  it("passes on the end of input in either order, with data after it", async () => {
    const one = await opened();
    one.client.end();
    await settle();
    one.upstream.feed(utf8("still"));
    await settle();
    one.assertOpen();
    assertEquals([one.upstream.ended, one.client.ended], [true, false]);
    assertEquals(one.client.output, utf8("still"));
    one.upstream.end();
    await settle();
    one.assertEnded("closed");

    const two = await opened();
    two.upstream.end();
    await settle();
    two.client.feed(utf8("still"));
    await settle();
    two.assertOpen();
    assertEquals([two.upstream.ended, two.client.ended], [false, true]);
    assertEquals(two.upstream.output, utf8("still"));
    two.client.end();
    await settle();
    two.assertEnded("closed");
  });

  it("ends the other side when one is reset, and says which", async () => {
    const one = await opened();
    const error = new Deno.errors.ConnectionReset("Connection reset by peer");
    one.client.fail(error);
    await settle();
    one.assertEnded("reset");
    assertEquals(one.closed[0]!.error, error);

    const two = await opened();
    two.upstream.fail(error);
    await settle();
    two.assertEnded("reset");
    assertInstanceOf(two.closed[0]!.error, Error);
    assertEquals(
      (two.closed[0]!.error as Error).message,
      "the upstream failed: connection reset by peer",
    );
  });

  it("passes on a reply although the upstream takes no more", async () => {
    using clock = new FakeClock();
    const one = await opened();
    one.upstream.write = () =>
      Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
    one.client.feed(utf8("request"));
    await settle();
    one.client.feed(utf8("and its body"));
    one.upstream.feed(utf8("413"));
    await settle();
    one.assertOpen();
    one.upstream.feed(utf8(" too large"));
    one.upstream.end();
    await settle();
    assertEquals([one.client.output, one.client.ended], [
      utf8("413 too large"),
      true,
    ]);
    one.assertOpen();
    await clock.advance(LINGER_MS - 1);
    one.assertOpen();
    await clock.advance(1);
    one.assertEnded("aborted");
  });

  it("ends at once if the client closes after that", async () => {
    const one = await opened();
    one.upstream.write = () => Promise.reject(new Deno.errors.BrokenPipe("x"));
    one.client.feed(utf8("request"));
    await settle();
    one.upstream.end();
    await settle();
    one.client.end();
    await settle();
    one.assertEnded("aborted");
  });

  it("passes on a request although the client takes no more, and lingers", async () => {
    using clock = new FakeClock();
    const one = await opened();
    one.client.end();
    await settle();
    one.client.write = () => Promise.reject(new Deno.errors.BrokenPipe("x"));
    one.upstream.feed(utf8("reply"));
    await settle();
    one.assertOpen();
    await clock.advance(LINGER_MS);
    one.assertEnded("aborted");
  });

  it("keeps the process alive as the server does, also later", async () => {
    const one = await opened();
    one.connection.unref();
    assertEquals([one.client.refed, one.upstream.refed], [false, false]);
    one.connection.ref();
    assertEquals([one.client.refed, one.upstream.refed], [true, true]);
    const two = new Forwarded();
    two.connection.unref();
    await two.connects();
    assertEquals([two.client.refed, two.upstream.refed], [false, false]);
    for (const { connection } of [one, two]) connection.close("aborted");
    await settle();
  });
});

describe("a forwarder that has ended", () => {
  it("leaves no timer", async () => {
    const one = await opened({ faults: { upstream: { stall: 0 } } });
    one.client.write = () => Promise.reject(new Deno.errors.BrokenPipe("x"));
    one.client.feed(utf8("held"));
    one.client.end();
    one.upstream.feed(utf8("reply"));
    await settle();
    assertEquals(one.upstream.ended, false);
    one.upstream.fail();
    await settle();
    one.assertEnded("reset");
  });

  it("has no part in later faults", async () => {
    const one = await opened();
    one.client.end();
    one.upstream.end();
    await settle();
    one.assertEnded("closed");
    one.control.set({ downstream: { down: true }, upstream: { latency: 1 } });
    assertEquals(one.connection.stats().faults, undefined);
  });
});

describe("a drained forwarder", () => {
  it("ends after 100 ms of silence once the upstream has answered", async () => {
    using clock = new FakeClock();
    const one = await opened();
    one.client.feed(utf8("request"));
    await settle();
    one.upstream.feed(utf8("reply"));
    await settle();
    one.connection.drain();
    await clock.advance(99);
    assertEquals(one.upstream.ended, false);
    await clock.advance(1);
    assertEquals([one.upstream.ended, one.client.ended], [true, false]);
    one.client.feed(utf8("too late"));
    one.upstream.feed(utf8(", continued"));
    one.upstream.end();
    await settle();
    assertEquals(one.client.output, utf8("reply, continued"));
    assertEquals(one.upstream.output, utf8("request"));
    assertEquals(one.client.ended, true);
    one.assertOpen();
    one.client.end();
    await settle();
    one.assertEnded("shutdown");
  });

  it("waits while a reply is due, and then again for silence", async () => {
    using clock = new FakeClock();
    const one = await opened();
    one.client.feed(utf8("request"));
    await settle();
    one.connection.drain();
    await clock.advance(2_000);
    assertEquals(one.upstream.ended, false);
    await clock.advance(50);
    one.upstream.feed(utf8("reply"));
    await clock.advance(99);
    assertEquals(one.upstream.ended, false);
    await clock.advance(1);
    assertEquals(one.upstream.ended, true);
    one.connection.abort();
    await settle();
    one.assertEnded("aborted");
  });

  it("closes a client that stays after the upstream has closed", async () => {
    using clock = new FakeClock();
    const one = await opened();
    one.upstream.feed(utf8("welcome"));
    await settle();
    one.connection.drain();
    await clock.advance(100);
    one.upstream.end();
    await settle();
    await clock.advance(LINGER_MS - 1);
    one.assertOpen();
    await clock.advance(1);
    one.assertEnded("shutdown");
  });

  it("does not wait for a client that is idle, but a second of silence", async () => {
    using clock = new FakeClock();
    const one = await opened();
    one.connection.drain();
    await clock.advance(100);
    assertEquals(one.upstream.ended, true);
    await clock.advance(900);
    one.upstream.feed(utf8("bye"));
    await clock.advance(999);
    one.assertOpen();
    await clock.advance(1);
    one.assertEnded("shutdown");
    assertEquals(one.client.output, utf8("bye"));
  });

  it("does not call a client idle that speaks", async () => {
    using clock = new FakeClock();
    const one = await opened();
    one.connection.drain();
    await clock.advance(50);
    one.client.feed(utf8("request"));
    await clock.advance(5_000);
    one.assertOpen();
    assertEquals(one.upstream.ended, false);
    one.upstream.feed(utf8("reply"));
    await clock.advance(60_000);
    one.assertOpen();
    assertEquals(one.upstream.ended, true);
    one.connection.abort();
    await settle();
  });

  it("sends the end of input after the current chunks if it must", async () => {
    const one = await opened();
    const taking = Promise.withResolvers<void>();
    for (const conn of [one.client, one.upstream]) {
      const write = conn.write.bind(conn);
      conn.write = async (bytes) => {
        const count = await write(bytes.subarray(0, 2));
        await taking.promise;
        return count;
      };
    }
    one.client.feed(utf8("request"));
    one.upstream.feed(utf8("reply"));
    await settle();
    one.connection.drain();
    one.connection.halfClose();
    await settle();
    assertEquals([one.upstream.ended, one.client.ended], [false, false]);
    taking.resolve();
    await settle();
    assertEquals([one.upstream.ended, one.client.ended], [true, false]);
    assertEquals(one.upstream.output, utf8("request"));
    one.client.feed(utf8("dropped"));
    one.upstream.feed(utf8(" goes on"));
    one.upstream.end();
    await settle();
    assertEquals(one.client.output, utf8("reply goes on"));
    assertEquals([one.upstream.output.length, one.client.ended], [7, true]);
    one.connection.abort();
    await settle();
    one.assertEnded("shutdown");
    assertEquals(one.closed[0]!.bytesRead, 7);
  });

  it("half-closes a silent upstream at once if it must", async () => {
    const one = await opened();
    one.connection.drain();
    one.connection.halfClose();
    await settle();
    assertEquals([one.upstream.ended, one.client.ended], [true, false]);
    one.client.end();
    one.upstream.end();
    await settle();
    one.assertEnded("shutdown");
  });
});

describe("a fault that ends a side of a forwarder", () => {
  it("lets the client read what it was sent, and drops what it sends", async () => {
    using clock = new FakeClock();
    const one = await opened({ faults: { downstream: { limitData: 3 } } });
    one.upstream.feed(utf8("reply"));
    await settle();
    assertEquals([one.client.ended, one.client.closed], [true, false]);
    assert(one.upstream.closed);
    one.client.feed(utf8("dropped"));
    await clock.advance(LINGER_MS - 1);
    assertEquals(one.client.closed, false);
    await clock.advance(1);
    one.assertEnded("fault");
    assertEquals(one.client.output, utf8("rep"));
  });

  it("ends at once if the client had closed its side, or does so", async () => {
    for (const early of [true, false]) {
      const one = await opened({ faults: { downstream: { limitData: 3 } } });
      if (early) one.client.end();
      await settle();
      one.upstream.feed(utf8("reply"));
      await settle();
      if (!early) one.client.end();
      await settle();
      one.assertEnded("fault");
      assertEquals(one.client.output, utf8("rep"));
    }
  });

  it("lets the upstream read what it was sent, and closes the client", async () => {
    using clock = new FakeClock();
    const one = await opened({ faults: { upstream: { limitData: 3 } } });
    one.client.feed(utf8("request"));
    await settle();
    assertEquals([one.upstream.ended, one.client.ended], [true, true]);
    one.assertOpen();
    one.upstream.feed(utf8("dropped"));
    await clock.advance(LINGER_MS);
    one.assertEnded("fault");
    assertEquals(one.upstream.output, utf8("req"));
    assertEquals(one.client.output, utf8(""));
  });

  it("ends when both have closed after that", async () => {
    const one = await opened({ faults: { upstream: { limitData: 3 } } });
    one.client.feed(utf8("request"));
    await settle();
    one.upstream.end();
    await settle();
    one.client.end();
    await settle();
    one.assertEnded("fault");
  });

  for (const direction of ["downstream", "upstream"] as const) {
    it(`ends when a reset was not waited for, ${direction}`, async () => {
      using clock = new FakeClock();
      const one = await opened();
      one.control.set({ [direction]: { resetAfter: 1_000 } });
      (direction === "downstream" ? one.client : one.upstream).end();
      await settle();
      one.assertOpen();
      await clock.advance(1_000);
      one.assertEnded("reset");
      assertEquals(one.closed[0]!.faults, { resetAfter: 1 });
    });

    it(`may do so before there is an upstream, ${direction}`, async () => {
      for (
        const [fault, reason] of [
          [{ limitData: 0 }, "fault"],
          [{ closeAfter: 0 }, "fault"],
          [{ resetAfter: 0 }, "reset"],
          [{ closeOnAccept: true }, "fault"],
          [{ down: true }, "fault"],
        ] as const
      ) {
        using clock = new FakeClock();
        const one = new Forwarded({ faults: { [direction]: fault } });
        await one.connects();
        await clock.advance(LINGER_MS);
        assertEquals(one.reason, reason, Deno.inspect(fault));
        assert(one.client.closed);
        assertEquals(one.closed.length, 1);
        assertEquals(one.closed[0]!.faults, { [Object.keys(fault)[0]!]: 1 });
        assertEquals([one.client.output.length, one.upstream.output.length], [
          0,
          0,
        ]);
      }
    });

    it(`closes both sides in an outage, ${direction}`, async () => {
      const one = await opened();
      one.client.feed(utf8("x"));
      await settle();
      one.control.set({ [direction]: { down: true } });
      await settle();
      one.assertEnded("fault");
      assertEquals(one.closed[0]!.faults, { down: 1 });
    });
  }

  it("counts an outage of both directions once", async () => {
    const one = await opened();
    one.control.set({ downstream: { down: true }, upstream: { down: true } });
    await settle();
    one.assertEnded("fault");
    assertEquals(one.closed[0]!.faults, { down: 1 });
  });

  it("needs no upstream if it has reset the client before", async () => {
    const one = new Forwarded({ faults: { downstream: { resetAfter: 0 } } });
    one.connection.start();
    await settle();
    assertEquals(one.reason, "reset");
    assert(one.signal!.aborted);
  });

  it("does not count what it holds back as written", async () => {
    using clock = new FakeClock();
    const faults = { latency: 100 };
    const one = await opened({
      faults: { upstream: faults, downstream: faults },
    });
    one.client.feed(utf8("abc"));
    one.upstream.feed(utf8("de"));
    await settle();
    const counts = () => {
      const { bytesRead, bytesWritten, upstream } = one.connection.stats();
      return [
        bytesRead,
        upstream!.bytesWritten,
        upstream!.bytesRead,
        bytesWritten,
      ];
    };
    assertEquals(counts(), [3, 0, 2, 0]);
    assertEquals(one.forwarder.isWhole, false);
    await clock.advance(100);
    assertEquals(counts(), [3, 3, 2, 2]);
    assertEquals(one.forwarder.isWhole, true);
    one.connection.close("aborted");
    await settle();
  });

  it("delays the end of input by what is held back, in each direction", async () => {
    using clock = new FakeClock();
    const one = await opened({
      faults: { upstream: { latency: 100 }, downstream: { latency: 200 } },
    });
    one.client.feed(utf8("request"));
    one.client.end();
    one.upstream.feed(utf8("reply"));
    one.upstream.end();
    await clock.advance(99);
    assertEquals([one.upstream.ended, one.client.ended], [false, false]);
    await clock.advance(1);
    assertEquals([one.upstream.output, one.upstream.ended], [
      utf8("request"),
      true,
    ]);
    await clock.advance(99);
    assertEquals(one.closed, []);
    await clock.advance(1);
    one.assertEnded("closed");
    assertEquals(one.client.output, utf8("reply"));
  });
});

it("forwarders leave no member in the scheduler of reads", async () => {
  // With a member that never left, each further one would be queued.
  const many = await Promise.all(Array.from({ length: 120 }, () => opened()));
  for (const [i, { client, upstream, connection }] of many.entries()) {
    if (i % 4 === 0) client.fail();
    else if (i % 4 === 1) upstream.fail();
    else if (i % 4 === 2) connection.close("idle");
    else {
      client.end();
      upstream.end();
    }
  }
  await settle();
  for (const { closed } of many) assertEquals(closed.length, 1);
  let started = 0;
  for (let i = 0; i < 100; i++) {
    readScheduler.join();
    readScheduler.schedule(() => started++);
  }
  for (let i = 0; i < 100; i++) readScheduler.leave();
  assertEquals(started, 100);
});
