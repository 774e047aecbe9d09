import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Histogram } from "../lib/histogram.ts";
import type { LoadSummary } from "../lib/load_options.ts";
import {
  bars,
  loadReport,
  pingReport,
  probeLine,
  progressLine,
} from "../lib/report.ts";

const none = {
  min: 0,
  mean: 0,
  mdev: 0,
  p50: 0,
  p90: 0,
  p99: 0,
  p999: 0,
  max: 0,
};

describe("a histogram", () => {
  it("has percentiles within its three figures", () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 10_000; i++) histogram.record(i / 100);
    const { min, mean, p50, p90, p99, p999, max } = histogram.figures();
    for (
      const [figure, is] of [
        [min, 0.01],
        [mean, 50.005],
        [p50, 50],
        [p90, 90],
        [p99, 99],
        [p999, 99.9],
        [max, 100],
      ] as const
    ) assertAlmostEquals(figure, is, is / 500);
  });

  it("has ping's mdev, the square root of mean square less square mean", () => {
    const histogram = new Histogram();
    for (const ms of [1, 2, 3, 4]) histogram.record(ms);
    assertAlmostEquals(histogram.figures().mdev, Math.sqrt(1.25), 1e-9);
  });

  it("is all zeros while it is empty", () => {
    const histogram = new Histogram();
    assertEquals(histogram.figures(), none);
    assertEquals(histogram.buckets(), []);
    assertEquals(histogram.count, 0);
  });

  it("has buckets that meet, from its first to its last", () => {
    const histogram = new Histogram();
    const values = [0.0001, 0.001, 0.003, 0.1, 1, 50, 100_000];
    for (const ms of values) histogram.record(ms);
    const buckets = histogram.buckets();
    assertEquals(
      buckets.reduce((sum, { count }) => sum + count, 0),
      values.length,
    );
    for (const [i, { to }] of buckets.entries()) {
      if (buckets[i + 1]) assertEquals(buckets[i + 1]!.from, to);
    }
    for (const ms of values.slice(1)) {
      assert(
        buckets.some(({ from, to, count }) =>
          from <= ms && ms < to && count > 0
        ),
      );
    }
  });
});

describe("ping's lines", () => {
  it("are a probe's", () => {
    assertEquals(
      probeLine("h:7", { seq: 3, size: 56, rtt: 0.12345 }),
      "56 bytes from h:7: seq=3 time=0.123 ms",
    );
    assertEquals(
      probeLine("h:7", { seq: 3, size: 56, rtt: 1, reconnected: true }),
      "56 bytes from h:7: seq=3 time=1.000 ms (reconnected)",
    );
    assertEquals(
      probeLine("h:7", { seq: 4, size: 56, error: new Error("late") }),
      "no echo from h:7: seq=4 (late)",
    );
  });

  it("are the summary's, in ping's order", () => {
    const rtt = { ...none, min: 1, mean: 2, max: 4, mdev: 0.5, p50: 2, p99: 4 };
    assertEquals(
      pingReport("h:7", {
        sent: 3,
        received: 2,
        loss: 1 / 3,
        duration: 2001.4,
        rtt,
      }),
      `--- h:7 ping statistics ---
3 probes sent, 2 received, 33.333% loss, time 2001 ms
rtt min/avg/max/mdev = 1.000/2.000/4.000/0.500 ms
rtt p50/p99 = 2.000/4.000 ms`,
    );
    assertEquals(
      pingReport("h:7", {
        sent: 1,
        received: 0,
        loss: 1,
        duration: 5,
        rtt: none,
      }),
      `--- h:7 ping statistics ---
1 probes sent, 0 received, 100% loss, time 5 ms`,
    );
  });
});

describe("a load run's lines", () => {
  const summary: LoadSummary = {
    connections: 50,
    size: 512,
    duration: 2_000,
    messages: 123_456,
    messagesPerSecond: 61_728,
    bytesPerSecond: 31_604_736,
    errors: {},
    firstErrors: {},
    latency: { ...none, min: 0.1, mean: 0.5, p50: 0.4, p90: 0.8, max: 9 },
    buckets: [
      { from: 0.096, to: 0.128, count: 1 },
      { from: 0.128, to: 0.192, count: 0 },
      { from: 0.192, to: 0.256, count: 1023 },
    ],
    fairness: 0.99987,
    starved: 0,
    reconnects: 0,
    late: 0,
    unanswered: 0,
    slip: 0,
    unsent: 0,
  };

  it("fit the terminal, their bars logarithmic", () => {
    for (const width of [40, 80, 100]) {
      const lines = bars(summary.buckets, width);
      assertEquals(lines.length, 3);
      assert(lines.every((line) => line.length <= width));
      const [one, zero, most] = lines.map((line) => line.split("█").length - 1);
      assertEquals(zero, 0);
      assert(most! / one! > 8 && most! / one! < 14);
    }
  });

  it("have bars no wider than 100 columns on a wide terminal", () => {
    assertEquals(bars(summary.buckets, 200), bars(summary.buckets, 100));
  });

  it("say all that matters", () => {
    assertEquals(
      loadReport("h:7", summary, 50).split("\n").slice(0, 6),
      [
        "--- h:7 load: 50 connections, 512 bytes a message ---",
        "123,456 messages verified in 2.0 s: 61,728 messages/s, 31.6 MB/s each way",
        "no errors",
        "fairness 0.9999 (Jain), 0 starved",
        "latency min/avg/max = 0.100/0.500/9.000 ms",
        "latency p50/p90/p99/p99.9 = 0.400/0.800/0.000/0.000 ms",
      ],
    );
  });

  it("name errors by kind, and say where there was nothing", () => {
    const failed = {
      ...summary,
      messages: 0,
      buckets: [],
      errors: { "timed out": 3, differs: 1 },
      firstErrors: {
        "timed out": "Cannot load h:7: 0 of 512 bytes within 500 ms",
        differs: "Cannot load h:7: differs at byte 3: sent 0x61, received 0x62",
      },
      unanswered: 2,
      reconnects: 1_000,
      slip: 20,
      unsent: 1_234,
    };
    const report = loadReport("h:7", failed, 80);
    assert(report.includes("errors: 3 timed out, 1 differs"));
    assert(report.includes(`
first timed out: Cannot load h:7: 0 of 512 bytes within 500 ms
first differs: Cannot load h:7: differs at byte 3: sent 0x61, received 0x62
2 unanswered: in flight at the end, and not back within the wait for them
1,000 reconnects: the server had closed the connection between messages
`));
    assert(report.includes("20.000 ms late itself"));
    assert(report.includes("1,234 more were due"));
    assert(!report.includes("fairness"));
    assert(!report.includes("latency"));
  });

  it("tell how it goes", () => {
    const second = {
      elapsed: 3_001,
      messages: 10,
      messagesPerSecond: 12_345.6,
      errors: 0,
    };
    assertEquals(
      progressLine(second, { messages: 0, errors: 1, duration: 10_000 }),
      "3 s of 10 s: 12,346 messages/s, 1 error",
    );
    assertEquals(
      progressLine(second, { messages: 4_500, errors: 0, count: 100_000 }),
      "3 s, 4,500 of 100,000 messages: 12,346 messages/s, 0 errors",
    );
  });
});
