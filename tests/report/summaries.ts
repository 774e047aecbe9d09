/** Runs with probes and intervals, the same each time, and a rate search. */

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
} from "../../lib/stats/summaries.ts";
import * as bare from "../support/summaries.ts";

const START = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A run to make up; what is due in the seconds `down` is lost. */
export interface Script {
  seconds: number;
  perSecond: number;
  down?: readonly number[];
}

/** Latencies in ms from 0.5 to 1.5, and one of 30 in a thousand. */
function latencyOf(i: number): number {
  return i % 1_000 === 999 ? 30 : 0.5 + (i * 37 % 100) / 100;
}

/** What load and ping have in common, and each message. */
function play({ seconds, perSecond, down = [] }: Script) {
  const latencies = new Latencies(), intervals = new Intervals();
  const duration = seconds * 1_000, scheduled = seconds * perSecond;
  const probes = Array.from({ length: scheduled }, (_, i) => {
    const elapsed = i * 1_000 / perSecond, latency = latencyOf(i);
    intervals.due(elapsed);
    if (down.includes(Math.floor(elapsed / 1_000))) {
      latencies.missing.record(duration - elapsed);
      intervals.missing(elapsed, duration - elapsed);
      return { elapsed, latency: null };
    }
    latencies.replies.record(latency);
    intervals.reply(elapsed, latency);
    intervals.received(elapsed);
    return { elapsed, latency };
  });
  const missing = latencies.missing.count;
  const run = {
    ...{ duration, scheduled, sent: scheduled, unanswered: missing },
    received: latencies.replies.count,
    loss: scheduled === 0 ? null : missing / scheduled,
    latencies,
    latency: latencies.summary(),
    buckets: latencies.replies.buckets(),
    percentiles: latencies.curve(),
    intervals: intervals.list(duration, START),
  };
  return { run, probes };
}

/** A load run. */
export function loadSummary(
  script: Script,
  changes: Partial<LoadSummary> = {},
): LoadSummary {
  const { run } = play(script);
  const receivedPerSecond = run.received / script.seconds;
  return bare.loadSummary({ ...run, receivedPerSecond, ...changes });
}

/** A ping run. */
export function pingSummary(
  script: Script,
  changes: Partial<PingSummary> = {},
): PingSummary {
  const { run, probes } = play(script);
  const interval = 1_000 / script.perSecond;
  return bare.pingSummary({ ...run, probes, interval, ...changes });
}

/** A step of a search, against a server that can do 40,000 messages/s. */
export function step(rate: number, verdict: RateStep["verdict"]): RateStep {
  const run = loadSummary({ seconds: 1, perSecond: rate / 20 });
  return {
    rate,
    receivedPerSecond: Math.min(rate, 40_000),
    reached: rate < 42_000,
    dropped: Math.max(0, rate - 40_000),
    unanswered: 0,
    latency: run.latency,
    expectations: checkExpectations([parseExpectation("p99<20ms")], run),
    errors: {},
    verdict,
  };
}

/** A search that found 37,500 messages a second, measured twice. */
export function searchSummary(
  changes: Partial<RateSearchSummary> = {},
): RateSearchSummary {
  return {
    mode: "rate search",
    timestamp: new Date(START).toISOString(),
    duration: 30_000,
    steps: [
      ...[20_000, 30_000].map((rate) => step(rate, "met")),
      ...[step(60_000, "client limited"), step(40_000, "not met")],
      ...[37_500, 37_500].map((rate) => step(rate, "met")),
    ],
    ...{ rate: 37_500, range: null, confirmed: true, limitedBy: "server" },
    ...changes,
  };
}
