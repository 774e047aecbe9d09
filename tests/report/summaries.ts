/** Summaries of made-up runs, the same each time, for the tests of the pages. */

import type {
  LatencySummary,
  LoadInterval,
  LoadSummary,
  Percentile,
  PingSummary,
  RateSearchSummary,
  RateStep,
} from "../../lib/html_report.ts";
import { Histogram } from "../../lib/stats/histogram.ts";

/** Numbers from 0 to 1 that look random (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Latencies around `median` ms, a few of them far above. */
function latencies(count: number, median: number, random: () => number) {
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) *
      Math.cos(2 * Math.PI * random());
    const stall = random() < 0.002 ? 5 + 30 * random() : 1;
    return median * Math.exp(0.25 * normal) * stall;
  });
}

function quantile(sorted: readonly number[], percentile: number): number {
  const last = sorted.length - 1;
  return sorted[Math.min(last, Math.ceil(last * percentile / 100))] ?? 0;
}

function curve(sorted: readonly number[]): Percentile[] {
  if (sorted.length === 0) return [];
  const points = [0, 25, 50, 75, 87.5, 90, 95, 97.5, 99, 99.5, 99.9, 99.95];
  points.push(99.99, 99.995, 99.999, 99.9999);
  const most = 100 * (1 - 1 / sorted.length);
  return [...points.filter((percentile) => percentile <= most), 100].map(
    (percentile) => ({ percentile, latency: quantile(sorted, percentile) }),
  );
}

const START = Date.UTC(2026, 0, 2, 3, 4, 5);

/** What `run` makes. */
export interface Run {
  latency: LatencySummary;
  buckets: ReturnType<Histogram["buckets"]>;
  percentiles: Percentile[];
  intervals: LoadInterval[];
  messages: number;
}

/** Intervals of a second with so many messages each. */
export function run(
  options: {
    intervals: number;
    messages: number;
    median?: number;
    failing?: readonly number[];
    empty?: readonly number[];
  },
): Run {
  const { median = 0.9, failing = [], empty = [] } = options;
  const random = randomFrom(7);
  const histogram = new Histogram();
  const all: number[] = [];
  const intervals = Array.from({ length: options.intervals }, (_, i) => {
    const count = empty.includes(i)
      ? 0
      : Math.round(options.messages * (0.92 + 0.16 * random()));
    const some = latencies(count, median * (0.9 + 0.2 * random()), random)
      .sort((a, b) => a - b);
    for (const latency of some) {
      histogram.record(latency);
      all.push(latency);
    }
    return {
      elapsed: (i + 1) * 1_000,
      timestamp: new Date(START + (i + 1) * 1_000).toISOString(),
      messages: count,
      messagesPerSecond: count,
      errors: failing.includes(i) ? 3 : 0,
      p50: quantile(some, 50),
      p99: quantile(some, 99),
      max: some.at(-1) ?? 0,
    };
  });
  all.sort((a, b) => a - b);
  return {
    latency: histogram.summary(),
    buckets: histogram.buckets(),
    percentiles: curve(all),
    intervals,
    messages: all.length,
  };
}

/** A load summary around a run. */
export function loadSummary(
  { latency, buckets, percentiles, intervals, messages }: Run,
  changes: Partial<LoadSummary> = {},
): LoadSummary {
  const duration = Math.max(1, intervals.length * 1_000);
  return {
    connections: 50,
    size: 512,
    duration,
    messages,
    messagesPerSecond: messages / duration * 1_000,
    bytesPerSecond: messages * 512 / duration * 1_000,
    errors: {},
    firstErrors: {},
    late: 0,
    unanswered: 0,
    latency,
    buckets,
    fairness: 0.9987,
    starved: 0,
    maxLag: 2.125,
    delayed: 0,
    dropped: 0,
    reconnects: 0,
    warmup: 1_000,
    cpuUtilization: 0.713,
    intervals,
    percentiles,
    ...changes,
  };
}

/** A ping summary around a run. */
export function pingSummary(
  { latency, buckets, percentiles, intervals, messages }: Run,
  changes: Partial<PingSummary> = {},
): PingSummary {
  const lost = intervals.reduce((sum, { errors }) => sum + errors, 0);
  return {
    sent: messages + lost,
    received: messages,
    loss: messages + lost === 0 ? 0 : lost / (messages + lost),
    duration: intervals.length * 1_000,
    rtt: latency,
    jitter: 0.0234,
    buckets,
    percentiles,
    intervals,
    ...changes,
  };
}

function step(
  rate: number,
  verdict: RateStep["verdict"],
  changes: Partial<RateStep> = {},
): RateStep {
  const load = Math.min(0.97, rate / 42_000);
  return {
    rate,
    messagesPerSecond: Math.min(rate * 0.9996, 40_800),
    p50: 0.06 / (1 - load),
    p99: 0.31 / (1 - load) ** 1.4,
    p999: 0.9 / (1 - load) ** 1.5,
    dropped: 0,
    verdict,
    ...changes,
  };
}

/** A search that found 37,500 messages a second. */
export function searchSummary(): RateSearchSummary {
  return {
    steps: [
      step(1_000, "met"),
      step(2_000, "met"),
      step(4_000, "met"),
      step(8_000, "met"),
      step(16_000, "met"),
      step(32_000, "met"),
      step(64_000, "not met", {
        dropped: 67_812,
        p50: 402,
        p99: 930,
        p999: 988,
      }),
      step(48_000, "client limited", { dropped: 1_204 }),
      step(40_000, "not met"),
      step(36_000, "met"),
      step(38_000, "not met"),
      step(37_500, "met"),
      step(37_500, "met", { p99: 4.41 }),
    ],
    rate: 37_500,
    confirmed: true,
    limitedBy: "server",
  };
}

/** Nothing came back. */
export function emptyRun(intervals = 0): Run {
  return run({ intervals, messages: 0 });
}
