/**
 * Records a load run: latencies, errors by kind, and the figures of each interval.
 * It has no clock; the caller passes the time.
 *
 * ```ts
 * import { LoadRecorder } from "./load_recorder.ts";
 *
 * const recorder = new LoadRecorder();
 * recorder.reply(0.25);
 * recorder.interval(1000).messages; // 1
 * ```
 *
 * @module
 */

import { errorKind } from "../net/errors.ts";
import { Histogram } from "../stats/histogram.ts";
import type { Interval } from "../stats/interval.ts";
import { IntervalHistogram } from "../stats/interval_histogram.ts";
import { IntervalList } from "../stats/interval_list.ts";

/** A shorter last interval is left out, unless something happened in it. */
const MIN_INTERVAL_MS = 1;

/** The record of a run. */
export class LoadRecorder {
  /** The latencies of all messages that came back. */
  readonly latencies: Histogram = new Histogram();
  /** Errors by kind. */
  readonly errors: Record<string, number> = {};
  /** The message of the first error of each kind. */
  readonly firstErrors: Record<string, string> = {};
  /** Messages that came back after the end of the duration. */
  late = 0;
  /** The intervals so far. */
  readonly intervals: IntervalList = new IntervalList();
  readonly #recent = new IntervalHistogram();
  #failed = 0;
  #last = { elapsed: 0, messages: 0, failed: 0 };

  /** Records a latency in milliseconds; `late` if the duration was over. */
  reply(latency: number, late = false): void {
    if (late) this.late++;
    else this.#recent.record(latency);
    this.latencies.record(latency);
  }

  /** Records an error. */
  error(error: unknown): void {
    this.#failed++;
    const kind = errorKind(error);
    this.errors[kind] = (this.errors[kind] ?? 0) + 1;
    this.firstErrors[kind] ??= error instanceof Error
      ? error.message
      : String(error);
  }

  /** Messages that came back within the duration. */
  get inTime(): number {
    return this.latencies.count - this.late;
  }

  /** The figures since the last call, up to `elapsed` milliseconds. */
  interval(elapsed: number): Interval {
    const last = this.#last;
    this.#last = { elapsed, messages: this.inTime, failed: this.#failed };
    const messages = this.inTime - last.messages;
    const time = elapsed - last.elapsed;
    const interval = {
      elapsed,
      timestamp: new Date().toISOString(),
      messages,
      messagesPerSecond: time > 0 ? messages / time * 1_000 : 0,
      errors: this.#failed - last.failed,
      p50: this.#recent.percentile(50),
      p99: this.#recent.percentile(99),
      max: this.#recent.max,
    };
    this.#recent.clear();
    this.intervals.add(interval);
    return interval;
  }

  /** The same for the end of the run, unless nothing is left to report. */
  lastInterval(elapsed: number): Interval | undefined {
    const { elapsed: from, messages, failed } = this.#last;
    const nothing = elapsed - from < MIN_INTERVAL_MS &&
      messages === this.inTime && failed === this.#failed;
    return nothing ? undefined : this.interval(elapsed);
  }
}
