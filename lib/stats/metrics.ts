/**
 * The metrics that a condition can name: their units, and how each is read from
 * the summary of a ping or load run. A metric is one row of a table; a percentile
 * is any `p` with a number from 0 to 100.
 *
 * ```ts
 * import { metricsOf, unitOf } from "./metrics.ts";
 * unitOf("p99.97"); // "duration"
 * metricsOf("ping").includes("dropped"); // false
 * ```
 *
 * @module
 */

import { neededFor } from "./histogram.ts";
import type { Bounds } from "./latencies.ts";
import type { LoadSummary, PingSummary } from "./summaries.ts";

/** What a run measures: round trips one at a time, or many connections. */
export type Mode = "ping" | "load";

/** What a value of a metric is. */
export type Unit = "duration" | "percentage" | "rate" | "count" | "share";

/** What was measured, if anything; the ends differ where messages are missing. */
export interface Measurement extends Partial<Bounds> {
  /** Messages that the metric needs, if there were fewer. */
  needs?: number;
}

type Measure<S> = (summary: S) => Measurement;

/** A metric: what its values are, and where a mode has it. */
interface Metric {
  readonly unit: Unit;
  readonly load?: Measure<LoadSummary>;
  readonly ping?: Measure<PingSummary>;
}

/** A figure that is known exactly, or not at all. */
function exactly(value: number | null): Measurement {
  return value === null ? {} : { atLeast: value, atMost: value };
}

/** A figure of the replies, which missing ones could have changed to anything. */
function ofReplies(value: number | null, missing: number): Measurement {
  if (value === null || missing === 0) return exactly(value);
  return { atLeast: value, atMost: Infinity };
}

/** Has a row for both modes. */
function both(
  unit: Unit,
  measure: Measure<LoadSummary | PingSummary>,
): Metric {
  return { unit, load: measure, ping: measure };
}

function percentile(p: number): Metric {
  return both("duration", ({ latencies }) => {
    const needs = latencies.count > 0 && !latencies.supports(p);
    return needs ? { needs: neededFor(p) } : latencies.percentile(p) ?? {};
  });
}

/** Fewer replies a connection say nothing of how they are shared out. */
export const FAIRNESS_REPLIES = 10;

/** All but percentiles, in the order in which errors list them. */
const METRICS: Record<string, Metric> = {
  // Missing replies may have been as short as they waited.
  min: both("duration", ({ latency, latencies: { missing } }) => {
    const { min } = latency;
    if (min === null || missing.count === 0) return exactly(min);
    return { atLeast: Math.min(min, missing.min), atMost: min };
  }),
  mean: both("duration", ({ latencies }) => latencies.mean() ?? {}),
  max: percentile(100),
  stddev: both(
    "duration",
    ({ latency, latencies }) =>
      ofReplies(latency.stddev, latencies.missing.count),
  ),
  jitter: {
    unit: "duration",
    // The replies of many connections have no order.
    ping: ({ jitter, latencies }) => ofReplies(jitter, latencies.missing.count),
  },
  loss: both("percentage", ({ loss }) => exactly(loss)),
  rate: {
    unit: "rate",
    // In ping, its interval sets it.
    load: ({ receivedPerSecond }) => exactly(receivedPerSecond),
  },
  errors: both(
    "count",
    ({ errors }) =>
      exactly(Object.values(errors).reduce((sum, count) => sum + count, 0)),
  ),
  dropped: { unit: "count", load: ({ dropped }) => exactly(dropped) },
  fairness: {
    unit: "share",
    load: ({ fairness, connections }) =>
      fairness === null
        ? { needs: FAIRNESS_REPLIES * connections }
        : exactly(fairness),
  },
};

/** The name of all percentiles in lists of metrics. */
const ANY_PERCENTILE = "pNN (such as p50, p99.9)";

function metric(name: string): Metric | undefined {
  if (Object.hasOwn(METRICS, name)) return METRICS[name];
  const [, p] = /^p(\d{1,3}(?:\.\d+)?)$/.exec(name) ?? [];
  return p !== undefined && +p <= 100 ? percentile(+p) : undefined;
}

/** The unit of a metric, or `undefined` if there is no such metric. */
export function unitOf(name: string): Unit | undefined {
  return metric(name)?.unit;
}

/** Whether a mode has a metric. */
export function hasMetric(name: string, mode: Mode): boolean {
  return metric(name)?.[mode] !== undefined;
}

/** The metrics of a mode, or all of them, for help and errors. */
export function metricsOf(mode?: Mode): string[] {
  const names = Object.keys(METRICS);
  return [
    ANY_PERCENTILE,
    ...mode ? names.filter((name) => hasMetric(name, mode)) : names,
  ];
}

/** Reads a metric from a summary: durations in ms, loss and fairness as a share. */
export function measure(
  name: string,
  summary: LoadSummary | PingSummary,
): Measurement {
  const found = metric(name);
  return (summary.mode === "load"
    ? found?.load?.(summary)
    : found?.ping?.(summary)) ?? {};
}
