/** Summaries of made-up runs, the same each time, for the tests of the pages. */

import type { ReportProbe } from "../../lib/html_report.ts";
import {
  checkExpectations,
  parseExpectation,
} from "../../lib/stats/expectation.ts";
import { Intervals } from "../../lib/stats/intervals.ts";
import { Latencies } from "../../lib/stats/latencies.ts";
import type {
  LoadSummary,
  PingSummary,
  RateSearchSummary,
  RateStep,
  RunSummary,
} from "../../lib/stats/summaries.ts";

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

const START = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A run to make up. */
export interface Script {
  /** Its length in seconds. */
  seconds: number;
  /** Messages that are due in each. */
  perSecond: number;
  /** Seconds in which the server is down: what is due in them is lost. */
  down?: readonly number[];
}

/** What load and ping have in common, and each message. */
function play({ seconds, perSecond, down = [] }: Script) {
  const random = randomFrom(7);
  const latencies = new Latencies(), intervals = new Intervals();
  const probes: ReportProbe[] = [];
  const duration = seconds * 1_000, scheduled = seconds * perSecond;
  for (let i = 0; i < scheduled; i++) {
    const due = i * 1_000 / perSecond;
    const timestamp = new Date(START + due).toISOString();
    intervals.due(due);
    if (down.includes(Math.floor(due / 1_000))) {
      latencies.missing.record(duration - due);
      intervals.missing(due, duration - due);
      probes.push({ timestamp });
      continue;
    }
    const normal = Math.sqrt(-2 * Math.log(1 - random())) *
      Math.cos(2 * Math.PI * random());
    const stall = random() < 0.002 ? 5 + 30 * random() : 1;
    const latency = 0.9 * Math.exp(0.25 * normal) * stall;
    latencies.replies.record(latency);
    intervals.reply(due, latency);
    intervals.received(Math.min(due + latency, duration - 1));
    probes.push({ timestamp, latency });
  }
  const missing = latencies.missing.count;
  const summary: RunSummary = {
    timestamp: new Date(START).toISOString(),
    duration,
    size: 512,
    scheduled,
    sent: scheduled,
    received: latencies.replies.count,
    failed: 0,
    unanswered: missing,
    dropped: 0,
    loss: scheduled === 0 ? null : missing / scheduled,
    errors: {},
    firstErrors: {},
    latencies,
    latency: latencies.summary(),
    buckets: latencies.replies.buckets(),
    percentiles: latencies.curve(),
    intervals: intervals.list(duration, START),
  };
  return { summary, probes };
}

/** A load run. */
export function loadSummary(
  script: Script,
  changes: Partial<LoadSummary> = {},
): LoadSummary {
  const { summary } = play(script);
  const { received, duration } = summary;
  const receivedPerSecond = duration > 0 ? received / duration * 1_000 : null;
  return {
    mode: "load",
    ...summary,
    connections: 50,
    rate: null,
    warmup: 1_000,
    receivedPerSecond,
    bytesPerSecond: receivedPerSecond && receivedPerSecond * 512,
    late: 0,
    fairness: 0.9987,
    starved: 0,
    reconnects: 0,
    connects: null,
    droppedBy: { down: 0, slow: 0, client: 0 },
    lag: null,
    delayed: 0,
    cpuUtilization: 0.713,
    ...changes,
  };
}

/** A ping run, and its probes. */
export function pingRun(
  script: Script,
): { summary: PingSummary; probes: ReportProbe[] } {
  const { summary, probes } = play(script);
  return {
    summary: {
      mode: "ping",
      ...summary,
      interval: 1_000 / script.perSecond,
      connect: false,
      jitter: 0.0234,
    },
    probes,
  };
}

function step(rate: number, verdict: RateStep["verdict"]): RateStep {
  const perSecond = Math.min(rate, 40_800) / 10;
  const run = loadSummary({ seconds: 1, perSecond });
  const slow = 1 / (1 - Math.min(0.99, rate / 42_000));
  const { p50, p99, ...rest } = run.latency;
  const tail = rest["p99.9"];
  return {
    rate,
    receivedPerSecond: 10 * perSecond,
    reached: rate < 40_800,
    dropped: Math.max(0, rate - 40_800),
    unanswered: 0,
    latency: {
      ...rest,
      p50: p50 && p50 * slow,
      p99: p99 && p99 * slow,
      "p99.9": tail && tail * slow,
    },
    expectations: checkExpectations([parseExpectation("p99<20ms")], run),
    errors: {},
    verdict,
  };
}

/** A search that found 37,500 messages a second. */
export function searchSummary(
  changes: Partial<RateSearchSummary> = {},
): RateSearchSummary {
  return {
    mode: "rate search",
    timestamp: new Date(START).toISOString(),
    duration: 30_000,
    steps: [
      ...[1_000, 2_000, 4_000, 8_000, 16_000, 32_000].map((rate) =>
        step(rate, "met")
      ),
      step(64_000, "not met"),
      step(48_000, "client limited"),
      step(40_000, "not met"),
      step(36_000, "met"),
      step(38_000, "not met"),
      step(37_500, "met"),
      step(37_500, "met"),
    ],
    rate: 37_500,
    range: null,
    confirmed: true,
    limitedBy: "server",
    ...changes,
  };
}
