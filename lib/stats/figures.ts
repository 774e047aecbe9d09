/**
 * What came of the messages of a run, whether load or ping: latencies, intervals and
 * errors. It has no clock. All times are milliseconds from the start of what is
 * measured, and come from the caller.
 *
 * @module
 */

import { errorKind } from "../net/errors.ts";
import { Intervals } from "./intervals.ts";
import { Latencies } from "./latencies.ts";
import type { RunSummary } from "./summaries.ts";

/** The figures of one run; see above. */
export class Figures {
  /** The latencies of all messages that count. */
  readonly latencies: Latencies = new Latencies();
  /** The run in intervals. */
  readonly intervals: Intervals;
  /** Messages that were sent, and count. */
  sent = 0;
  /** Of those, messages that an error ended. */
  failed = 0;
  readonly #errors: Record<string, number> = {};
  readonly #firstErrors: Record<string, string> = {};

  /** With a schedule, `dueBefore` says how many messages are due. */
  constructor(dueBefore?: (time: number) => number) {
    this.intervals = new Intervals(dueBefore);
  }

  /** The message that was due at a time took so long to come back. */
  reply(due: number, latency: number): void {
    this.latencies.replies.record(latency);
    this.intervals.reply(due, latency);
  }

  /** Messages did not come back, and had waited for so long. */
  miss(due: number, waited: number, count = 1): void {
    this.latencies.missing.record(waited, count);
    this.intervals.missing(due, waited, count);
  }

  /** Something failed. */
  error(error: unknown, now: number): void {
    const kind = errorKind(error);
    this.#errors[kind] = (this.#errors[kind] ?? 0) + 1;
    this.#firstErrors[kind] ??= error instanceof Error
      ? error.message
      : String(error);
    this.intervals.error(now);
  }

  /** What load and ping say of them; `startedAt` is in milliseconds since 1970. */
  summary(
    duration: number,
    startedAt: number,
  ): Omit<RunSummary, "size" | "scheduled" | "dropped" | "loss"> {
    const { latencies, sent, failed } = this;
    const received = latencies.replies.count;
    return {
      timestamp: new Date(startedAt).toISOString(),
      ...{ duration, sent, received, failed },
      unanswered: sent - received - failed,
      errors: { ...this.#errors },
      firstErrors: { ...this.#firstErrors },
      latencies,
      latency: latencies.summary(),
      buckets: latencies.replies.buckets(),
      percentiles: latencies.curve(),
      intervals: this.intervals.list(duration, startedAt),
    };
  }
}
