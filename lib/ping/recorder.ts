/**
 * Records the probes of a run and computes its summary, at the end or before. It
 * has no clock; the caller passes the time.
 *
 * ```ts
 * import { PingRecorder } from "./recorder.ts";
 *
 * const recorder = new PingRecorder({ size: 56, interval: 1000, connect: false });
 * recorder.reply(0, 0.25); // sent at 0 ms, came back after 0.25 ms
 * recorder.lost(1_000, 2_000, new Error("timed out"));
 * recorder.summary(3_000).loss; // 0.5
 * ```
 *
 * @module
 */

import { errorKind } from "../net/errors.ts";
import { Intervals } from "../stats/intervals.ts";
import { Latencies } from "../stats/latencies.ts";
import type { PingSummary, ProbePoint } from "../stats/summaries.ts";

/** Points that a picture can tell apart. */
const MAX_POINTS = 5_000;

/** The record of a run. All times are milliseconds from its start. */
export class PingRecorder {
  /** Probes recorded. */
  sent = 0;
  readonly #options: Pick<PingSummary, "size" | "interval" | "connect">;
  readonly #startedAt: number;
  readonly #latencies = new Latencies();
  readonly #intervals = new Intervals();
  readonly #errors: Record<string, number> = {};
  readonly #firstErrors: Record<string, string> = {};
  readonly #points: ProbePoint[] = [];
  #failed = 0;
  #last: number | undefined;
  /** The sum of the differences of successive latencies. */
  #differences = 0;

  /** Takes the start of the run as milliseconds since 1970. */
  constructor(
    options: Pick<PingSummary, "size" | "interval" | "connect">,
    startedAt: number = Date.now(),
  ) {
    this.#options = options;
    this.#startedAt = startedAt;
  }

  /** The longest latency so far. */
  get longest(): number {
    return this.#latencies.replies.max;
  }

  /** A probe that was sent at a time came back. */
  reply(sentAt: number, latency: number): void {
    this.#count(sentAt, latency);
    this.#latencies.replies.record(latency);
    this.#intervals.reply(sentAt, latency);
    this.#intervals.received(sentAt + latency);
    this.#differences += Math.abs(latency - (this.#last ?? latency));
    this.#last = latency;
  }

  /** A probe was given up, after so long. */
  lost(sentAt: number, waited: number, error: unknown): void {
    this.unanswered(sentAt, waited);
    this.#failed++;
    this.#intervals.error(sentAt + waited);
    const kind = errorKind(error);
    this.#errors[kind] = (this.#errors[kind] ?? 0) + 1;
    this.#firstErrors[kind] ??= error instanceof Error
      ? error.message
      : String(error);
  }

  /** A probe was in flight at the end. */
  unanswered(sentAt: number, waited: number): void {
    this.#count(sentAt, null);
    this.#latencies.missing.record(waited);
    this.#intervals.missing(sentAt, waited);
  }

  #count(sentAt: number, latency: number | null): void {
    this.sent++;
    this.#intervals.due(sentAt);
    if (this.sent <= MAX_POINTS) {
      this.#points.push({ elapsed: sentAt, latency });
    }
  }

  /** The summary of the first `duration` milliseconds of the run. */
  summary(duration: number): PingSummary {
    const { sent } = this;
    const latencies = this.#latencies;
    const received = latencies.replies.count;
    return {
      mode: "ping",
      timestamp: new Date(this.#startedAt).toISOString(),
      duration,
      ...this.#options,
      scheduled: sent,
      sent,
      received,
      failed: this.#failed,
      unanswered: sent - received - this.#failed,
      dropped: 0,
      loss: sent === 0 ? null : (sent - received) / sent,
      errors: this.#errors,
      firstErrors: this.#firstErrors,
      latencies,
      latency: latencies.summary(),
      jitter: received > 1 ? this.#differences / (received - 1) : null,
      buckets: latencies.replies.buckets(),
      percentiles: latencies.curve(),
      intervals: this.#intervals.list(duration, this.#startedAt)
        .filter(({ due, received, errors }) => due + received + errors > 0),
      probes: sent <= MAX_POINTS ? this.#points : [],
    };
  }
}
