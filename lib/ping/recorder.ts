/**
 * Records the probes of a run and computes its summary, at the end or before. It
 * has no clock; the caller passes the time.
 *
 * @module
 */

import { Figures } from "../stats/figures.ts";
import type { PingSummary } from "../stats/summaries.ts";

/** Points that a picture can tell apart. */
const MAX_POINTS = 5_000;

/** The record of a run. All times are milliseconds from its start. */
export class PingRecorder {
  readonly #options: Pick<PingSummary, "size" | "interval" | "connect">;
  readonly #startedAt: number;
  readonly #figures = new Figures();
  readonly #points: PingSummary["probes"] = [];
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

  /** Probes recorded. */
  get sent(): number {
    return this.#figures.sent;
  }

  /** The longest latency so far. */
  get longest(): number {
    return this.#figures.latencies.replies.max;
  }

  /** A probe that was sent at a time came back. */
  reply(sentAt: number, latency: number): void {
    this.#count(sentAt, latency);
    this.#figures.reply(sentAt, latency);
    this.#figures.intervals.received(sentAt + latency);
    this.#differences += Math.abs(latency - (this.#last ?? latency));
    this.#last = latency;
  }

  /** A probe was given up, after so long. */
  lost(sentAt: number, waited: number, error: unknown): void {
    this.unanswered(sentAt, waited);
    this.#figures.failed++;
    this.#figures.error(error, sentAt + waited);
  }

  /** A probe was in flight at the end. */
  unanswered(sentAt: number, waited: number): void {
    this.#count(sentAt, null);
    this.#figures.miss(sentAt, waited);
  }

  #count(sentAt: number, latency: number | null): void {
    this.#figures.sent++;
    this.#figures.intervals.due(sentAt);
    if (this.sent <= MAX_POINTS) {
      this.#points.push({ elapsed: sentAt, latency });
    }
  }

  /** The summary of the first `duration` milliseconds of the run. */
  summary(duration: number): PingSummary {
    const figures = this.#figures.summary(duration, this.#startedAt);
    const { sent, received } = figures;
    return {
      mode: "ping",
      ...figures,
      ...this.#options,
      scheduled: sent,
      dropped: 0,
      loss: sent === 0 ? null : (sent - received) / sent,
      jitter: received > 1 ? this.#differences / (received - 1) : null,
      intervals: figures.intervals
        .filter(({ due, received, errors }) => due + received + errors > 0),
      probes: sent <= MAX_POINTS ? this.#points : [],
    };
  }
}
