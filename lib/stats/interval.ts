/**
 * The figures of one interval of a run.
 *
 * ```ts
 * import { mergeFigures } from "./interval.ts";
 *
 * const figures = { elapsed: 1000, messages: 1, errors: 0, p50: 1, p99: 1, max: 1 };
 * mergeFigures(figures, { ...figures, elapsed: 2000 }).messages; // 2
 * ```
 *
 * @module
 */

/**
 * The figures of a part of a run, mostly of a second. Latencies are in milliseconds,
 * and 0 if there were no messages.
 */
export interface Interval {
  /**
   * Milliseconds from the start of the run, or from the end of its warm-up, to the end
   * of the interval.
   */
  elapsed: number;
  /** When the interval ended, as an ISO 8601 string. */
  timestamp: string;
  /** Messages whose echo came back in the interval, or probes answered. */
  messages: number;
  /** The same, per second. */
  messagesPerSecond: number;
  /** Errors in the interval, or probes lost. Those of a warm-up are in the first. */
  errors: number;
  /** Half of the latencies are no longer. */
  p50: number;
  /** 99 % of the latencies are no longer. */
  p99: number;
  /** The longest latency. */
  max: number;
}

/** The figures that do not depend on the length of the interval. */
export type IntervalFigures = Omit<Interval, "timestamp" | "messagesPerSecond">;

/**
 * The figures of two neighbours together. Percentiles cannot be added, so the merged
 * ones are the highest.
 */
export function mergeFigures(
  first: IntervalFigures,
  second: IntervalFigures,
): IntervalFigures {
  return {
    elapsed: second.elapsed,
    messages: first.messages + second.messages,
    errors: first.errors + second.errors,
    p50: Math.max(first.p50, second.p50),
    p99: Math.max(first.p99, second.p99),
    max: Math.max(first.max, second.max),
  };
}
