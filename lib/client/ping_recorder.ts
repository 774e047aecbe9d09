/**
 * Records the probes of a run and computes its summary, at the end or before. It
 * has no clock; the caller passes the time.
 *
 * ```ts
 * import { PingRecorder } from "./ping_recorder.ts";
 *
 * const recorder = new PingRecorder();
 * recorder.record(0.25, 10);
 * recorder.record(undefined, 1_010);
 * recorder.summary(1_010).loss; // 0.5
 * ```
 *
 * @module
 */

import { Histogram } from "../stats/histogram.ts";
import { Jitter } from "../stats/jitter.ts";
import type { PingSummary } from "../stats/summaries.ts";
import { PingIntervals } from "./ping_intervals.ts";

/** The record of a run. */
export class PingRecorder {
  readonly #rtts = new Histogram();
  readonly #jitter = new Jitter();
  readonly #intervals: PingIntervals;
  #sent = 0;

  /** Takes the start of the run as milliseconds since 1970. */
  constructor(startedAt: number = Date.now()) {
    this.#intervals = new PingIntervals(startedAt);
  }

  /** Probes recorded. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Records a probe that ended `elapsed` milliseconds after the start of the run.
   * A probe without a round-trip time was lost.
   */
  record(rtt: number | undefined, elapsed: number): void {
    this.#sent++;
    this.#intervals.record(rtt, elapsed);
    if (rtt === undefined) return;
    this.#rtts.record(rtt);
    this.#jitter.record(rtt);
  }

  /** The summary of the first `duration` milliseconds of the run. */
  summary(duration: number): PingSummary {
    const sent = this.#sent;
    const received = this.#rtts.count;
    return {
      sent,
      received,
      loss: sent === 0 ? 0 : 1 - received / sent,
      duration,
      rtt: this.#rtts.summary(),
      jitter: this.#jitter.mean,
      buckets: this.#rtts.buckets(),
      percentiles: this.#rtts.percentiles(),
      intervals: this.#intervals.list(duration),
    };
  }
}
