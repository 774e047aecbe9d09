/**
 * The probes of a run per second. Long runs are kept in constant memory, because
 * neighbours are merged.
 *
 * ```ts
 * import { PingIntervals } from "./ping_intervals.ts";
 *
 * const intervals = new PingIntervals();
 * intervals.record(0.25, 10);
 * intervals.record(undefined, 1_010);
 * intervals.list(1_011).length; // 2
 * ```
 *
 * @module
 */

import { type IntervalFigures, mergeFigures } from "../stats/interval.ts";

/** The probes that ended within an interval of the run. */
export interface PingInterval {
  /** Milliseconds from the start of the run to the end of the interval. */
  elapsed: number;
  /** When the interval ended, as an ISO 8601 string. */
  timestamp: string;
  /** Probes that were answered. */
  messages: number;
  /** Of them, per second of a whole interval. */
  messagesPerSecond: number;
  /** Probes that were lost. */
  errors: number;
  /** Half of the round trips took no longer, in milliseconds. */
  p50: number;
  /** 99 % took no longer. */
  p99: number;
  /** The longest. */
  max: number;
}

/** An hour of seconds. */
const MAX_INTERVALS = 3_600;

const SECOND_MS = 1_000;

/** The nearest rank of ascending numbers; 0 if there are none. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}

/** Appends an interval, or merges it with the last one if both are in one span. */
function append(
  intervals: IntervalFigures[],
  interval: IntervalFigures,
  span: number,
): IntervalFigures[] {
  const last = intervals.at(-1);
  const spanOf = ({ elapsed }: IntervalFigures) => Math.ceil(elapsed / span);
  if (last && spanOf(last) === spanOf(interval)) {
    intervals[intervals.length - 1] = mergeFigures(last, interval);
  } else intervals.push(interval);
  return intervals;
}

/** The intervals of one run. */
export class PingIntervals {
  readonly #startedAt: number;
  #intervals: IntervalFigures[] = [];
  /** Milliseconds of an interval. */
  #span = SECOND_MS;
  /** The current second, from 0, and its probes. */
  #second = 0;
  #rtts: number[] = [];
  #lost = 0;

  /** Takes the start of the run as milliseconds since 1970. */
  constructor(startedAt: number = Date.now()) {
    this.#startedAt = startedAt;
  }

  /**
   * Records a probe that ended `elapsed` milliseconds after the start of the run.
   * A probe without a round-trip time was lost.
   */
  record(rtt: number | undefined, elapsed: number): void {
    const second = Math.floor(elapsed / SECOND_MS);
    if (second !== this.#second) this.#endSecond();
    this.#second = second;
    if (rtt === undefined) this.#lost++;
    else this.#rtts.push(rtt);
  }

  /**
   * The intervals until `elapsed` milliseconds after the start, in order. Intervals
   * without a probe are left out.
   */
  list(elapsed: number): PingInterval[] {
    const end = Math.min(elapsed, (this.#second + 1) * SECOND_MS);
    const current = this.#current(end);
    const intervals = [...this.#intervals];
    if (current) append(intervals, current, this.#span);
    return intervals.map((interval) => ({
      ...interval,
      timestamp: new Date(this.#startedAt + interval.elapsed).toISOString(),
      messagesPerSecond: interval.messages / this.#span * 1_000,
    }));
  }

  /** The counts of the current second, unless there are none. */
  #current(elapsed: number): IntervalFigures | undefined {
    const messages = this.#rtts.length;
    if (messages + this.#lost === 0) return undefined;
    const sorted = this.#rtts.toSorted((a, b) => a - b);
    return {
      elapsed,
      messages,
      errors: this.#lost,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      max: percentile(sorted, 1),
    };
  }

  #endSecond(): void {
    const current = this.#current((this.#second + 1) * SECOND_MS);
    this.#rtts = [];
    this.#lost = 0;
    if (!current) return;
    append(this.#intervals, current, this.#span);
    // One is left for the current second.
    while (this.#intervals.length >= MAX_INTERVALS) {
      this.#span *= 2;
      this.#intervals = this.#intervals.reduce(
        (merged, interval) => append(merged, interval, this.#span),
        [] as IntervalFigures[],
      );
    }
  }
}
