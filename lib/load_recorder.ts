/**
 * What happened in a load run: latencies, errors by kind, and what is new in each
 * second. It knows no clock; its user tells it the time.
 *
 * ```ts
 * import { LoadRecorder } from "./load_recorder.ts";
 * const recorder = new LoadRecorder();
 * recorder.reply(0.25);
 * recorder.second(1000).messages; // 1
 * ```
 *
 * @module
 */

import { kindOf } from "./errors.ts";
import { Histogram } from "./histogram.ts";
import type { LoadSecond } from "./load_options.ts";

/** A last interval shorter than this says nothing, unless it counted anything. */
const SHORTEST_INTERVAL_MS = 1;

/** The records of a run. */
export class LoadRecorder {
  /** Latencies of all messages that came back whole. */
  readonly latencies: Histogram = new Histogram();
  /** Errors by kind. */
  readonly errors: Record<string, number> = {};
  /** The message of the first error of each kind. */
  readonly firstErrors: Record<string, string> = {};
  /** Messages of `latencies` that came back after the time to send was over. */
  late = 0;
  #failed = 0;
  #last = { elapsed: 0, messages: 0, failed: 0 };

  /**
   * A message came back whole after so many milliseconds; `late` if the time to
   * send was over by then.
   */
  reply(latency: number, late = false): void {
    if (late) this.late++;
    this.latencies.record(latency);
  }

  /** Something failed. */
  error(error: unknown): void {
    this.#failed++;
    const kind = kindOf(error);
    this.errors[kind] = (this.errors[kind] ?? 0) + 1;
    this.firstErrors[kind] ??= error instanceof Error
      ? error.message
      : String(error);
  }

  /** Messages that came back while messages were sent. */
  get inTime(): number {
    return this.latencies.count - this.late;
  }

  /** What happened since the call before, up to `elapsed`. */
  second(elapsed: number): LoadSecond {
    const last = this.#last;
    this.#last = { elapsed, messages: this.inTime, failed: this.#failed };
    const messages = this.inTime - last.messages;
    return {
      elapsed,
      messages,
      messagesPerSecond: messages / (elapsed - last.elapsed) * 1_000,
      errors: this.#failed - last.failed,
    };
  }

  /** The same for the last interval, unless there is nothing left to tell. */
  lastSecond(elapsed: number): LoadSecond | undefined {
    const { elapsed: from, messages, failed } = this.#last;
    const nothing = elapsed - from < SHORTEST_INTERVAL_MS &&
      messages === this.inTime && failed === this.#failed;
    return nothing ? undefined : this.second(elapsed);
  }
}
