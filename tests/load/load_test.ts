import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConnectionRefusedError, serve } from "../../lib/echo.ts";
import { fairness } from "../../lib/load/figures.ts";
import { type Interval, load } from "../../lib/load.ts";
import {
  closedPort,
  discard,
  echo,
  peer,
  portOf,
  read,
  write,
} from "../support/peers.ts";

describe("load", () => {
  for (const size of [1, 3, 512, 100_000, 3_000_000]) {
    it(`verifies messages of ${size} bytes`, async () => {
      await using server = serve({ port: 0 });
      const summary = await load({
        port: portOf(server),
        connections: 4,
        count: 40,
        size,
      });
      assertEquals([summary.received, summary.errors], [40, {}]);
      assertEquals([summary.starved, summary.size], [0, size]);
      const { min, p50, p99, max } = summary.latency;
      // Forty messages do not support a p99.
      assert(0 < min! && min! <= p50! && p50! <= max!);
      assertEquals(p99, null);
      assertEquals(
        summary.buckets.reduce((sum, { count }) => sum + count, 0),
        40,
      );
      assertEquals(server.stats().bytesWritten, 40 * size);
    });
  }

  it("serves 300 connections alike", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      connections: 300,
      count: 6_000,
    });
    assertEquals([summary.received, summary.starved], [6_000, 0]);
    assertGreaterOrEqual(summary.fairness!, 0.9);
  });

  it("keeps a low rate over 300 connections, each watched meanwhile", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      connections: 300,
      rate: 3_000,
      count: 3_000,
    });
    assertEquals([summary.received, summary.errors], [3_000, {}]);
    assertEquals([summary.reconnects, summary.starved], [0, 0]);
  });

  it("ends after its duration", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      duration: 50,
      warmup: 0,
    });
    assertGreaterOrEqual(summary.duration, 50);
    assert(summary.received > 0);
  });

  it("tells how it goes each second, and reports when it is aborted", async () => {
    await using server = serve({ port: 0 });
    const controller = new AbortController();
    const seconds: Interval[] = [];
    let starts = 0;
    const summary = await load({
      port: portOf(server),
      connections: 1,
      warmup: 0,
      signal: controller.signal,
      onStart: () => starts++,
      onInterval(second) {
        seconds.push(second);
        controller.abort();
      },
    });
    assertEquals(starts, 1);
    assertGreaterOrEqual(summary.received, seconds[0]!.received);
    assertEquals(summary.errors, {});
  });

  for (
    const [duration, events] of [[300, 1], [1_000, 1], [1_200, 2]] as const
  ) {
    it(`tells of each second of ${duration} ms, the last part included`, async () => {
      await using server = serve({ port: 0 });
      const seconds: Interval[] = [];
      const summary = await load({
        port: portOf(server),
        connections: 2,
        duration,
        warmup: 0,
        onInterval: (second) => seconds.push(second),
      });
      assertEquals(seconds.length, events);
      assertEquals(seconds.at(-1)!.elapsed, duration);
      assertEquals(
        seconds.reduce((sum, { received }) => sum + received, 0),
        summary.received - summary.late,
      );
    });
  }

  it("tells of the last part of a run that ends with its count", async () => {
    await using server = serve({ port: 0 });
    const seconds: Interval[] = [];
    await load({
      port: portOf(server),
      count: 100,
      onInterval: (second) => seconds.push(second),
    });
    assertEquals(
      seconds.reduce((sum, { received }) => sum + received, 0),
      100,
    );
  });

  it("counts stalled connections, and not the wait for them", async () => {
    let client = 0;
    await using server = peer((conn) =>
      client++ === 0 ? discard(conn) : echo(conn)
    );
    const start = performance.now();
    const { duration, received, receivedPerSecond, late, unanswered, errors } =
      await load({
        port: server.port,
        connections: 5,
        duration: 300,
        warmup: 0,
        timeout: 60_000,
      });
    assertLess(performance.now() - start, 50_000);
    assertEquals([duration, unanswered, errors], [300, 1, {}]);
    assertAlmostEquals(receivedPerSecond! * 0.3, received - late, 1e-6);
  });

  it("waits for what was in flight at the end, and counts it apart", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 512);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await write(conn, bytes);
      await discard(conn);
    });
    const { duration, received, receivedPerSecond, late, unanswered } =
      await load({
        port: server.port,
        connections: 3,
        duration: 100,
        warmup: 0,
      });
    assertEquals([duration, received, late, unanswered], [100, 3, 3, 0]);
    assertEquals(receivedPerSecond, 0);
  });

  it("does not count the wait for a lost message into a run with a count", async () => {
    let client = 0;
    await using server = peer((conn) =>
      client++ === 0 ? discard(conn) : echo(conn)
    );
    const { duration, received, errors } = await load({
      port: server.port,
      connections: 2,
      count: 10,
      timeout: 1_000,
    });
    assertEquals([received, errors], [9, { "timeout": 1 }]);
    assertLess(duration, 1_000);
  });
});

describe("load with a rate", () => {
  it("sends on schedule, each message once", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      connections: 5,
      rate: 500,
      count: 100,
    });
    assertEquals(summary.received, 100);
    // The last message is due 198 ms after the first.
    assertGreaterOrEqual(summary.duration, 198);
    assertEquals(summary.fairness, 1);
  });

  it("counts what had to wait from when it was due", async () => {
    // Nothing is echoed for 300 ms, then everything.
    await using server = peer(async (conn) => {
      const first = await read(conn, 512);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await write(conn, first);
      await echo(conn);
    });
    const summary = await load({
      port: server.port,
      connections: 1,
      rate: 100,
      count: 30,
    });
    // Without the schedule one message of 30 would have taken long; with it,
    // those that were due meanwhile waited 290 ms, 280 ms, and so on.
    assertGreaterOrEqual(summary.latency.max!, 300);
    assertGreaterOrEqual(summary.latency.p50!, 100);
    assertEquals(summary.dropped, 0);
  });

  it("charges itself for its own delay, and not the server", async () => {
    await using server = serve({ port: 0 });
    // The event loop stands still while six received fall due, and no message is
    // in flight when that begins.
    setTimeout(() => {
      const until = performance.now() + 600;
      while (performance.now() < until);
    }, 150);
    const { received, latency, lag } = await load({
      port: portOf(server),
      connections: 1,
      rate: 10,
      count: 15,
    });
    assertEquals(received, 15);
    assertGreaterOrEqual(lag!.max, 400);
    assertLess(latency.p90!, 200);
  });

  it("replaces connections that were closed between messages", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 512));
    });
    const { received, errors, reconnects } = await load({
      port: server.port,
      connections: 1,
      rate: 10,
      count: 5,
    });
    assertEquals([received, errors, reconnects], [5, {}, 4]);
  });

  it("counts bytes between messages as an error", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 512);
      await write(conn, bytes);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await write(conn, Uint8Array.of(7));
      await discard(conn);
    });
    const { errors, firstErrors } = await load({
      port: server.port,
      connections: 1,
      rate: 5,
      count: 2,
    });
    assertEquals(errors, { mismatch: 1 });
    assertEquals(
      firstErrors["mismatch"],
      `Cannot load 127.0.0.1:${server.port}: differs at byte 0: sent nothing, received 0x07`,
    );
  });

  it("tells how many were due and never sent", async () => {
    await using server = peer(discard);
    const { received, dropped } = await load({
      port: server.port,
      connections: 1,
      rate: 1_000,
      duration: 300,
      warmup: 0,
    });
    assertEquals(received, 0);
    // One of about 280 that were due was sent.
    assertGreaterOrEqual(dropped, 100);
  });

  it("is over with nothing when it is aborted before it began", async () => {
    let started = false;
    const { received, errors } = await load({
      port: closedPort(),
      wait: 60_000,
      signal: AbortSignal.timeout(20),
      onStart: () => started = true,
    });
    assertEquals([received, errors, started], [0, {}, false]);
  });
});

describe("load with a warm-up", () => {
  for (const rate of [undefined, 1_000]) {
    const kind = rate ? "a rate" : "no rate";
    it(`leaves the messages of the warm-up out of all figures, with ${kind}`, async () => {
      await using server = serve({ port: 0 });
      const seconds: Interval[] = [];
      const summary = await load({
        port: portOf(server),
        connections: 2,
        rate,
        warmup: 300,
        count: 200,
        onInterval: (second) => seconds.push(second),
      });
      assertEquals([summary.warmup, summary.received], [300, 200]);
      assertEquals(summary.rate, rate ?? null);
      assert(server.stats().bytesRead > 200 * 512);
      const sum = seconds.reduce((sum, { received }) => sum + received, 0);
      assertEquals(sum, 200);
      assertEquals(summary.intervals, seconds);
      assertEquals(
        summary.buckets.reduce((sum, { count }) => sum + count, 0),
        200,
      );
      // The last message is due 199 ms after the warm-up.
      if (rate) assertGreaterOrEqual(summary.duration, 199);
      assertEquals(seconds.at(-1)!.elapsed, summary.duration);
    });
  }

  it("measures for the whole duration after it", async () => {
    await using server = serve({ port: 0 });
    const options = { connections: 2, warmup: 200, duration: 300 };
    const start = performance.now();
    const summary = await load({ ...options, port: portOf(server) });
    assertGreaterOrEqual(performance.now() - start, 500);
    assertEquals([summary.duration, summary.warmup], [300, 200]);
    assertEquals(summary.intervals.map(({ elapsed }) => elapsed), [300]);
  });

  it("leaves out a message that was due in it, and answered after it", async () => {
    // The first message is answered after the warm-up, the others at once.
    await using server = peer(async (conn) => {
      const first = await read(conn, 512);
      await new Promise((resolve) => setTimeout(resolve, 400));
      await write(conn, first);
      await echo(conn);
    });
    const { received, latency, lag, dropped } = await load({
      port: server.port,
      connections: 1,
      rate: 20,
      warmup: 300,
      count: 20,
    });
    assertEquals([received, dropped], [20, 0]);
    // The message that was due first after the warm-up waited 100 ms.
    assertLess(latency.max!, 300);
    assertLess(lag!.max, 300);
  });

  it("counts errors, the only figure that includes it", async () => {
    await using server = peer(discard);
    const { received, errors, intervals } = await load({
      port: server.port,
      connections: 1,
      warmup: 400,
      duration: 50,
      timeout: 100,
    });
    assertEquals([received, Object.keys(errors)], [0, ["timeout"]]);
    assertGreaterOrEqual(intervals[0]!.errors, 1);
  });

  it("reports nothing if it is aborted in it", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      warmup: 60_000,
      signal: AbortSignal.timeout(100),
    });
    assertEquals([summary.received, summary.intervals], [0, []]);
    assertEquals([summary.percentiles, summary.cpuUtilization], [[], null]);
  });
});

it("load measures the CPU time of the client", async () => {
  await using server = serve({ port: 0 });
  const busy = await load({ port: portOf(server), duration: 300, warmup: 0 });
  // Beside other work it gets only a part of a core.
  assert(busy.cpuUtilization! > 0);
  const idle = await load({
    port: portOf(server),
    connections: 1,
    rate: 10,
    duration: 300,
    warmup: 0,
  });
  assertLess(idle.cpuUtilization!, busy.cpuUtilization!);
});

it("load has percentiles of each interval, and the curve of the run", async () => {
  await using server = serve({ port: 0 });
  const { intervals, percentiles, latency } = await load({
    port: portOf(server),
    connections: 2,
    duration: 1_200,
    warmup: 0,
  });
  assertEquals(intervals.length, 2);
  for (const { p50, p99, max, timestamp } of intervals) {
    assert(0 < p50! && p50! <= p99! && p99! <= max!);
    assertEquals(new Date(timestamp).toISOString(), timestamp);
  }
  assertEquals(percentiles[0]!.latency, latency.min);
  assertEquals(percentiles.at(-1)!.latency, latency.max);
});

describe("load that replaces connections", () => {
  for (const rate of [undefined, 500]) {
    it(`after ${rate ? "received at a rate" : "messages"}`, async () => {
      const counts: number[] = [];
      await using server = peer(async (conn) => {
        const index = counts.push(0) - 1;
        for (;;) {
          const bytes = await read(conn, 512);
          if (bytes.length < 512) break;
          await write(conn, bytes);
          counts[index]!++;
        }
      });
      const { received, errors, reconnects, connects } = await load({
        port: server.port,
        connections: 2,
        rate,
        count: 60,
        reconnect: 5,
      });
      assertEquals([received, errors, reconnects], [60, {}, 0]);
      assertEquals(counts.reduce((sum, count) => sum + count, 0), 60);
      assert(counts.every((count) => count <= 5), `${counts}`);
      assertGreaterOrEqual(counts.length, 12);
      assertGreaterOrEqual(connects!.count, 10);
      assert(connects!.min! > 0 && connects!.max! >= connects!.p50!);
    });
  }

  it("without an error at the server", async () => {
    const outcomes: unknown[] = [];
    await using server = serve({
      port: 0,
      onClose: (connection) => outcomes.push(connection.error),
    });
    await load({
      port: portOf(server),
      connections: 2,
      count: 60,
      reconnect: 5,
    });
    await server.shutdown();
    assert(outcomes.length >= 12);
    assertEquals(outcomes.filter((error) => error !== undefined), []);
  });

  it("has no connect times otherwise", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({ port: portOf(server), count: 10 });
    assertEquals(summary.connects, null);
  });

  it("says that the ephemeral ports are used up", async () => {
    await using server = serve({ port: 0 });
    const real = Deno.connect;
    let connects = 0;
    Deno.connect = ((options: Deno.ConnectOptions) => {
      if (++connects <= 2) return real(options);
      throw new Deno.errors.AddrNotAvailable("os error 99");
    }) as typeof Deno.connect;
    try {
      const { errors, firstErrors } = await load({
        port: portOf(server),
        connections: 2,
        reconnect: 2,
        duration: 200,
        warmup: 0,
      });
      assertEquals(Object.keys(errors), ["connect"]);
      assertMatch(
        firstErrors["connect"]!,
        /^Cannot load 127.*: the ephemeral ports of this host are used up; /,
      );
    } finally {
      Deno.connect = real;
    }
  });
});

it("load refuses what cannot be, by name", async () => {
  for (
    const option of [
      { connections: 0 },
      { count: 0.5 },
      { size: 0 },
      { rate: 0 },
      { duration: -1 },
      { warmup: -1 },
      { reconnect: 0 },
      { timeout: NaN },
    ]
  ) {
    await assertRejects(
      () => load({ ...option, port: closedPort() }),
      RangeError,
      `with ${Object.keys(option)[0]} ${Object.values(option)[0]}: expected`,
    );
  }
});

describe("load counts errors by kind", () => {
  const short = { connections: 2, duration: 700, warmup: 0, timeout: 300 };

  it("a server that never answers", async () => {
    await using server = peer(discard);
    const { received, errors } = await load({ ...short, port: server.port });
    assertEquals(received, 0);
    assertEquals(Object.keys(errors), ["timeout"]);
  });

  it("one that answers late", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 512);
      await new Promise((resolve) => setTimeout(resolve, 600));
      await write(conn, bytes);
    });
    const { errors } = await load({ ...short, port: server.port });
    assertEquals(Object.keys(errors), ["timeout"]);
  });

  it("one that closes in the middle", async () => {
    await using server = peer(async (conn) => {
      await write(conn, (await read(conn, 512)).subarray(0, 100));
    });
    const { errors } = await load({ ...short, port: server.port });
    assert(errors["unexpectedEof"]! > 1, "it goes on with new connections");
  });

  it("one that changes a byte", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 512);
      bytes[300]! ^= 1;
      await write(conn, bytes);
      await discard(conn);
    });
    const { received, errors, firstErrors } = await load({
      ...short,
      port: server.port,
    });
    assertEquals(received, 0);
    assertEquals(Object.keys(errors), ["mismatch"]);
    assertMatch(firstErrors["mismatch"]!, /: differs at byte 300: sent 0x../);
  });

  it("one that sends too much", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 512);
      await write(conn, new Uint8Array([...bytes, 0]));
      await discard(conn);
    });
    const { errors } = await load({ ...short, port: server.port });
    assertEquals(Object.keys(errors), ["mismatch"]);
  });

  it("one that ends all connections is not tried again in step", async () => {
    // All are closed at the same time, once each has sent a message.
    const connections = 20;
    const all = Promise.withResolvers<void>();
    let clients = 0;
    await using server = peer(async (conn) => {
      const again = ++clients > connections;
      await read(conn, 512);
      if (clients === connections) all.resolve();
      await all.promise;
      if (again) await discard(conn);
    });
    // When they come back is a matter of chance on a busy machine, but not for
    // how long they mean to wait.
    const pauses = new Set<number>();
    const { setTimeout: real } = globalThis;
    globalThis.setTimeout = ((callback: () => void, ms: number) => {
      if (25 <= ms && ms <= 50) pauses.add(ms);
      return real(callback, ms);
    }) as typeof setTimeout;
    try {
      await load({ ...short, connections, port: server.port });
    } finally {
      globalThis.setTimeout = real;
    }
    assertGreaterOrEqual(pauses.size, connections / 2);
  });

  it("one that is not there is no result at all", async () => {
    await assertRejects(
      () => load({ ...short, port: closedPort() }),
      ConnectionRefusedError,
    );
  });
});

it("fairness is Jain's index", () => {
  assertEquals(fairness([3, 3, 3]), 1);
  assertEquals(fairness([1, 0, 0, 0]), 0.25);
  assertEquals(fairness([]), 1);
});
