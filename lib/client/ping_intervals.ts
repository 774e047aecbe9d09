/**
 * The probes of a run per second.
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

import type { Interval } from "../stats/interval.ts";
import { IntervalList } from "../stats/interval_list.ts";

const SECOND_MS = 1_000;

/** The nearest rank of ascending numbers; 0 if there are none. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}

/** The intervals of one run. */
export class PingIntervals {
  readonly #startedAt: number;
  readonly #intervals = new IntervalList();
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
  list(elapsed: number): Interval[] {
    const end = Math.min(elapsed, (this.#second + 1) * SECOND_MS);
    return this.#intervals.list(this.#current(end));
  }

  /** The current second until `elapsed`, unless it has no probe. */
  #current(elapsed: number): Interval | undefined {
    const messages = this.#rtts.length;
    if (messages + this.#lost === 0) return undefined;
    const sorted = this.#rtts.toSorted((a, b) => a - b);
    return {
      elapsed,
      timestamp: new Date(this.#startedAt + elapsed).toISOString(),
      messages,
      // Per second of a whole interval, as the probes have an interval of their own.
      messagesPerSecond: messages,
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
    if (current) this.#intervals.add(current);
  }
}
