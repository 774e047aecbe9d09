/**
 * The metrics that a condition can name: their units, and how each is read from
 * the summary of a ping or load run. A metric is one row of a table.
 *
 * ```ts
 * import { METRIC_UNITS, metricsOf } from "./metrics.ts";
 * METRIC_UNITS.p99; // "duration"
 * metricsOf("ping").includes("dropped"); // false
 * ```
 *
 * @module
 */

import type { LatencySummary } from "./histogram.ts";

/** What a run measures: round trips one at a time, or many connections. */
export type Mode = "ping" | "load";

/** What a value of a metric is. */
export type Unit = "duration" | "percentage" | "rate" | "count" | "share";

/** Every metric and its unit, in the order in which errors list them. */
export const METRIC_UNITS = {
  min: "duration",
  mean: "duration",
  p50: "duration",
  p90: "duration",
  p99: "duration",
  "p99.9": "duration",
  max: "duration",
  stddev: "duration",
  jitter: "duration",
  loss: "percentage",
  rate: "rate",
  errors: "count",
  dropped: "count",
  fairness: "share",
} as const satisfies Record<string, Unit>;

/** The name of a metric. */
export type Metric = keyof typeof METRIC_UNITS;

/** The part of a ping summary that conditions read. */
export interface PingFigures {
  /** Probes sent. */
  sent: number;
  /** Probes that came back. */
  received: number;
  /** Round-trip times, ms. */
  rtt: LatencySummary;
  /** Mean absolute difference of successive round trips, ms. */
  jitter: number;
}

/** The part of a load summary that conditions read. */
export interface LoadFigures {
  /** Messages that came back. */
  messages: number;
  /** Of them, per second. */
  messagesPerSecond: number;
  /** Errors by kind. */
  errors: Record<string, number>;
  /** Latencies, ms. */
  latency: LatencySummary;
  /** Scheduled messages that were not sent. */
  dropped: number;
  /** Jain's fairness index. */
  fairness: number;
}

/** The summaries by mode. */
export interface Figures {
  /** Of a ping run. */
  ping: PingFigures;
  /** Of a load run. */
  load: LoadFigures;
}

/** Reads a metric; `undefined` where nothing was measured. */
type Measure<S> = (summary: S) => number | undefined;

function latencyMeasures<S>(
  latency: (summary: S) => LatencySummary | undefined,
) {
  return {
    min: (summary) => latency(summary)?.min,
    mean: (summary) => latency(summary)?.mean,
    p50: (summary) => latency(summary)?.p50,
    p90: (summary) => latency(summary)?.p90,
    p99: (summary) => latency(summary)?.p99,
    "p99.9": (summary) => latency(summary)?.p999,
    max: (summary) => latency(summary)?.max,
    stddev: (summary) => latency(summary)?.stddev,
  } satisfies Partial<Record<Metric, Measure<S>>>;
}

/** A count as a part of all; `undefined` where there were none. */
function shareOf(count: number, all: number): number | undefined {
  // A quotient of two whole numbers: the double nearest to the share, so that
  // it equals a limit of the same value. 1 - 99 / 100 is above 1 %.
  return all === 0 ? undefined : count / all;
}

function errorCount({ errors }: LoadFigures): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

/**
 * Not in ping: rate, which its interval sets; dropped and fairness, which need
 * many connections. Its errors are its lost probes.
 */
const PING: Partial<Record<Metric, Measure<PingFigures>>> = {
  ...latencyMeasures(({ received, rtt }) => received > 0 ? rtt : undefined),
  jitter: ({ received, jitter }) => received > 1 ? jitter : undefined,
  loss: ({ sent, received }) => shareOf(sent - received, sent),
  errors: ({ sent, received }) => sent - received,
};

/**
 * Not in load: jitter, as the replies of many connections have no order. Its
 * loss is the share of attempts that failed: messages whose echo did not come
 * back, and attempts to reconnect. What was dropped was not attempted.
 */
const LOAD: Partial<Record<Metric, Measure<LoadFigures>>> = {
  ...latencyMeasures(({ messages, latency }) =>
    messages > 0 ? latency : undefined
  ),
  loss: (summary) => {
    const lost = errorCount(summary);
    return shareOf(lost, summary.messages + lost);
  },
  rate: ({ messagesPerSecond }) => messagesPerSecond,
  errors: errorCount,
  dropped: ({ dropped }) => dropped,
  // The index of no messages at all is 1, which says nothing.
  fairness: ({ messages, fairness }) => messages > 0 ? fairness : undefined,
};

const MEASURES: {
  [M in Mode]: Partial<Record<Metric, Measure<Figures[M]>>>;
} = { ping: PING, load: LOAD };

const ALL = Object.keys(METRIC_UNITS) as Metric[];

/** The metrics that a mode measures, or all of them. */
export function metricsOf(mode?: Mode): Metric[] {
  return mode ? ALL.filter((metric) => MEASURES[mode][metric]) : [...ALL];
}

/**
 * Reads a metric from a summary: durations in ms, loss and fairness as a share.
 * `undefined` where nothing was measured, or the mode does not measure it.
 */
export function measure<M extends Mode>(
  metric: Metric,
  mode: M,
  summary: Figures[M],
): number | undefined {
  return MEASURES[mode][metric]?.(summary);
}
