import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { load, type LoadOptions, type LoadSummary } from "../../lib/load.ts";
import { formatExpectation } from "../../lib/stats/expectation.ts";
import { parseExpectation } from "../../lib/stats/expectation.ts";
import { findings, judge } from "../../lib/stats/findings.ts";
import { discard, echo, peer, portOf, read, write } from "../support/peers.ts";

/** The counts of a summary add up, in all of it and in its intervals. */
function assertComplete(summary: LoadSummary): void {
  const { scheduled, sent, dropped, received, failed, unanswered } = summary;
  const sum = (pick: (interval: LoadSummary["intervals"][number]) => number) =>
    summary.intervals.reduce((sum, interval) => sum + pick(interval), 0);
  const { down, slow, client } = summary.droppedBy;
  assertEquals(scheduled, sent + dropped);
  assertEquals(dropped, down + slow + client);
  assertEquals(sent, received + failed + unanswered);
  assertEquals(sum(({ due }) => due), scheduled);
  assertEquals(sum(({ missing }) => missing), scheduled - received);
  assertEquals(summary.latencies.count, scheduled);
}

/** Conditions that a run of whole and fast echoes would meet. */
function assertUnmet(summary: LoadSummary, ...conditions: string[]): void {
  const { results, passed } = judge(
    summary,
    conditions.map((text) => parseExpectation(text, "load")),
  );
  for (const result of results) {
    assertEquals(result.met, false, formatExpectation(result));
  }
  assertEquals(passed, false);
}

/** A server whose connections all stop to answer after a time, or for a time. */
function stalling(from: number, to = Infinity) {
  const start = performance.now();
  return peer(async (conn) => {
    const buffer = new Uint8Array(65_536);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const now = performance.now() - start;
      if (now > from && now < to) {
        if (to === Infinity) return await discard(conn);
        await new Promise((resolve) => setTimeout(resolve, to - now));
      }
      await write(conn, buffer.subarray(0, n));
    }
  });
}

/** Blocks the event loop. */
function standStill(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe("what was due and did not come back", () => {
  const options = { connections: 10, rate: 500, warmup: 0, duration: 900 };

  it("is exactly what a schedule has, where all of it came back", async () => {
    await using server = serve({ port: 0 });
    for (const rate of [1, 333.3, 2_000]) {
      const summary = await load({
        ...options,
        rate,
        port: portOf(server),
        duration: 600,
      });
      assertComplete(summary);
      const { scheduled, dropped, unanswered } = summary;
      assertEquals(scheduled, Math.ceil(rate * 0.6));
      assertEquals([dropped, unanswered], [0, 0]);
      assertEquals(summary.latency.atLeast, []);
    }
  });

  it("is in loss and in every latency, at a server that died", async () => {
    const server = serve({ port: 0, signal: AbortSignal.timeout(300) });
    const summary = await load({ ...options, port: portOf(server) });
    assertComplete(summary);
    assertEquals(summary.scheduled, 450);
    assertGreaterOrEqual(summary.droppedBy.down, 200);
    assertUnmet(summary, "loss<20%", "p90<100ms", "max<100ms", "mean<100ms");
    assertMatch(
      findings(summary).map(({ message }) => message).join("\n"),
      /scheduled messages were not sent: .*no connection to the server/,
    );
    await server.finished;
  });

  it("is in every latency, at a server that stalls until the end", async () => {
    await using server = stalling(500);
    const summary = await load({
      ...options,
      timeout: 300,
      port: server.port,
      duration: 750,
    });
    assertComplete(summary);
    assertGreaterOrEqual(summary.droppedBy.slow, 50);
    assertUnmet(summary, "p90<100ms", "max<200ms", "loss<5%");
    assert(summary.latency.atLeast.includes("p90"));
    assertEquals(summary.latency.atLeast.includes("p50"), false);
    // The time that each waited, not only the last: the first did so for 250 ms.
    assertGreaterOrEqual(summary.latency.max!, 200);
  });

  for (const rate of [undefined, 500]) {
    it(`is in every latency of a run that is aborted in a stall, with rate ${rate}`, async () => {
      await using server = stalling(300);
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 900);
      const summary = await load({
        connections: 10,
        rate,
        port: server.port,
        warmup: 0,
        signal: controller.signal,
      });
      assertComplete(summary);
      assertEquals(summary.unanswered, 10);
      assertGreaterOrEqual(summary.latency.max!, 400);
      assertUnmet(summary, "max<300ms", "loss=0%");
    });
  }

  it("is not what was sent just before a run is aborted", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      warmup: 0,
      signal: AbortSignal.timeout(300),
    });
    assertComplete(summary);
    assertEquals([summary.unanswered, summary.latency.atLeast], [0, []]);
    assertLess(summary.duration, 10_000);
  });

  it("is a message of the warm-up that its connection still waits for", async () => {
    let client = 0;
    await using server = peer((conn) =>
      client++ === 0 ? discard(conn) : echo(conn)
    );
    const summary = await load({
      port: server.port,
      connections: 2,
      warmup: 100,
      duration: 100,
      timeout: 10_000,
    });
    assertComplete(summary);
    assertEquals(summary.unanswered, 1);
    assertUnmet(summary, "max<1s");
  });

  it("is a connection that is down, where there is no schedule", async () => {
    const server = serve({ port: 0, signal: AbortSignal.timeout(200) });
    const summary = await load({
      port: portOf(server),
      connections: 4,
      warmup: 0,
      duration: 700,
    });
    assertComplete(summary);
    assertEquals(summary.droppedBy, { down: 4, slow: 0, client: 0 });
    assertUnmet(summary, "max<300ms", "errors=0");
    await server.finished;
  });

  it("ends a run with a count, once its server is gone", async () => {
    for (const rate of [undefined, 1_000]) {
      const server = serve({ port: 0, signal: AbortSignal.timeout(200) });
      const summary = await load({
        port: portOf(server),
        connections: 4,
        rate,
        count: 1_000_000,
        timeout: 300,
      });
      assertComplete(summary);
      assertUnmet(summary, "loss<50%");
      await server.finished;
    }
  });

  it("makes the second slow in which it was due", async () => {
    // The server stands still from 1 s on, and echoes all that it got at 2.2 s.
    await using server = stalling(1_000, 2_200);
    const { intervals } = await load({
      port: server.port,
      connections: 10,
      rate: 200,
      warmup: 0,
      duration: 3_000,
    });
    const p99 = intervals.map(({ p99 }) => p99!);
    assertLess(p99[0]!, 500);
    assertGreaterOrEqual(p99[1]!, 900);
    // The figures of throughput are by the time of the reply.
    assertLess(intervals[1]!.received, 150);
    assertGreaterOrEqual(intervals[2]!.received, 250);
    assertEquals(intervals.map(({ due }) => due), [200, 200, 200]);
    assertEquals(intervals.map(({ missing }) => missing), [0, 0, 0]);
  });
});

describe("a pause of this process", () => {
  it("is no timeout of echoes that have arrived", async () => {
    await using server = serve({ port: 0 });
    setTimeout(() => standStill(900), 100);
    const summary = await load({
      port: portOf(server),
      connections: 5,
      warmup: 0,
      duration: 1_300,
      timeout: 500,
    });
    assertEquals([summary.errors, summary.unanswered], [{}, 0]);
  });
});

describe("a rate that no client reaches", () => {
  it("is refused if it is not finite, or above ten millions", async () => {
    for (const rate of [Infinity, NaN, 2e7]) {
      await assertRejects(() => load({ rate }), RangeError, `rate ${rate}`);
    }
  });

  it("leaves the event loop to the sockets, timers and signals", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      connections: 5,
      rate: 1e7,
      warmup: 0,
      signal: AbortSignal.timeout(300),
    });
    assert(summary.received > 0);
    assertLess(summary.duration, 5_000);
    assertComplete(summary);
    assertUnmet(summary, "max<1ms", "dropped=0");
  });
});

describe("a server that closes connections", () => {
  it("on accept is tried less and less often", async () => {
    let accepted = 0;
    await using server = peer(() => {
      accepted++;
      return Promise.resolve();
    });
    const { errors, received } = await load({
      port: server.port,
      connections: 1,
      warmup: 0,
      duration: 1_500,
    });
    assertEquals([received, Object.keys(errors).length > 0], [0, true]);
    // Pauses of 25, 50, 100, 200 and 400 ms, or up to twice as long.
    assertLessOrEqual(accepted, 8);
  });

  const limits: [string, LoadOptions][] = [
    ["without a rate", { count: 60 }],
    ["at a rate", { count: 60, rate: 1_000 }],
  ];
  for (const [kind, options] of limits) {
    it(`after some messages is no error, ${kind}`, async () => {
      await using server = peer(async (conn) => {
        for (let i = 0; i < 5; i++) await write(conn, await read(conn, 512));
      });
      const summary = await load({
        ...options,
        port: server.port,
        connections: 2,
      });
      assertComplete(summary);
      assertEquals([summary.received, summary.errors], [60, {}]);
      assertGreaterOrEqual(summary.reconnects, 10);
    });
  }
});

describe("a run that is too short", () => {
  it("says nothing of fairness, CPU time and high percentiles", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({ port: portOf(server), count: 10 });
    const { fairness, starved, cpuUtilization, latency } = summary;
    assertEquals([fairness, starved, cpuUtilization], [null, null, null]);
    assertEquals([latency.p90 !== null, latency.p99], [true, null]);
    assertUnmet(summary, "p99.9<5ms", "fairness>0.1");
    assertEquals(findings(summary), []);
  });

  it("has no duration if it was aborted in its warm-up", async () => {
    await using server = serve({ port: 0 });
    const { duration, receivedPerSecond } = await load({
      port: portOf(server),
      warmup: 60_000,
      signal: AbortSignal.timeout(50),
    });
    assertEquals([duration, receivedPerSecond], [0, null]);
  });
});

it("the limit of open files is named, with the number that is needed", async () => {
  const { connect } = Deno;
  Deno.connect = () => {
    throw new Error("Too many open files (os error 24)");
  };
  try {
    const error = await assertRejects(() => load({ connections: 100 }));
    assertMatch(
      (error as Error).message,
      /^Cannot load 127.0.0.1:12345: the limit of open files \(ulimit -n\) .* 100 connections: raise it to 164/,
    );
  } finally {
    Deno.connect = connect;
  }
});

it("no figure is formatted with ICU, which takes 16 ms at first", async () => {
  await using server = serve({ port: 0 });
  const { toLocaleString } = Number.prototype;
  let calls = 0;
  Number.prototype.toLocaleString = function (this: number, ...args) {
    calls++;
    return toLocaleString.apply(this, args);
  };
  try {
    const summary = await load({ port: portOf(server), count: 12_345 });
    findings({ ...summary, dropped: 1_234, reconnects: 4_321 });
    judge(summary, [parseExpectation("rate>1,000,000")]).results
      .map(formatExpectation);
  } finally {
    Number.prototype.toLocaleString = toLocaleString;
  }
  assertEquals(calls, 0);
});
