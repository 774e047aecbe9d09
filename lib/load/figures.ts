/**
 * The figures of a load run: what came back and how late, what did not, and why.
 * It has no clock; all times are milliseconds from the end of the warm-up, and come
 * from the caller.
 *
 * @module
 */

import { errorKind } from "../net/errors.ts";
import { Histogram } from "../stats/histogram.ts";
import { Intervals } from "../stats/intervals.ts";
import { Latencies } from "../stats/latencies.ts";
import { FAIRNESS_REPLIES } from "../stats/metrics.ts";
import type { DropCauses, LoadSummary } from "../stats/summaries.ts";
import type { Pacer } from "./pacer.ts";

/**
 * Jain's fairness index of what connections got: 1 where all got the same, 1/n where
 * one got all (Jain, Chiu, Hawe: DEC-TR-301, 1984).
 */
export function fairness(shares: readonly number[]): number {
  let sum = 0, squares = 0;
  for (const share of shares) {
    sum += share;
    squares += share * share;
  }
  return squares === 0 ? 1 : sum * sum / (shares.length * squares);
}

/** What a summary says besides these figures. */
export type RunFacts =
  & Pick<
    LoadSummary,
    "timestamp" | "connections" | "size" | "rate" | "warmup" | "duration"
  >
  & Pick<LoadSummary, "cpuUtilization" | "scheduled">
  & {
    /** Replies that each connection got. */
    replies: number[];
    /** The schedule, if there is one. */
    pacer: Pacer | undefined;
  };

/** The figures of one run; see above. */
export class LoadFigures {
  /** All latencies of messages that count. */
  readonly latencies: Latencies = new Latencies();
  /** The run in intervals. */
  readonly intervals: Intervals;
  /** The times that connecting took. */
  readonly connects: Histogram = new Histogram();
  /** Why messages were never sent. */
  readonly droppedBy: DropCauses = { down: 0, slow: 0, client: 0 };
  /** Messages that were sent, and count. */
  sent = 0;
  /** Of those, messages that an error ended. */
  failed = 0;
  /** Replies that came after the end. */
  late = 0;
  /** Connections that the server closed between messages. */
  reconnects = 0;
  /** Errors that are no message's own, and yet were a loss. */
  otherErrors = 0;
  readonly #errors: Record<string, number> = {};
  readonly #firstErrors: Record<string, string> = {};

  /** With a schedule, `dueBefore` says how many messages are due. */
  constructor(dueBefore?: (time: number) => number) {
    this.intervals = new Intervals(dueBefore);
  }

  /** Messages that were due, and never sent. */
  get dropped(): number {
    const { down, slow, client } = this.droppedBy;
    return down + slow + client;
  }

  /** A message that was due at a time came back `now`. */
  reply(due: number, latency: number, now: number, isLate: boolean): void {
    this.latencies.replies.record(latency);
    this.intervals.reply(due, latency);
    if (isLate) this.late++;
    else this.intervals.received(now);
  }

  /** Messages that were due at a time had not come back `now`. */
  miss(due: number, now: number, count = 1): void {
    const waited = Math.max(0, now - due);
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

  /** All of it. */
  summary({ pacer, replies, ...facts }: RunFacts): LoadSummary {
    const { latencies, connects, sent, failed, late, otherErrors } = this;
    const { scheduled, duration, size, timestamp } = facts;
    const received = latencies.replies.count;
    const attempts = scheduled + otherErrors;
    const perSecond = duration > 0 ? (received - late) / duration * 1e3 : null;
    // With fewer, whole messages make the most of the difference.
    const isFair = received >= FAIRNESS_REPLIES * replies.length;
    return {
      mode: "load",
      ...facts,
      ...{ sent, received, failed, late, reconnects: this.reconnects },
      unanswered: sent - received - failed,
      dropped: scheduled - sent,
      droppedBy: { ...this.droppedBy },
      loss: attempts > 0
        ? (scheduled - received + otherErrors) / attempts
        : null,
      receivedPerSecond: perSecond,
      bytesPerSecond: perSecond === null ? null : perSecond * size,
      errors: { ...this.#errors },
      firstErrors: { ...this.#firstErrors },
      latencies,
      latency: latencies.summary(),
      buckets: latencies.replies.buckets(),
      percentiles: latencies.curve(),
      intervals: this.intervals.list(duration, Date.parse(timestamp)),
      fairness: isFair ? fairness(replies) : null,
      starved: isFair ? replies.filter((n) => n === 0).length : null,
      connects: connects.count > 0
        ? { ...new Latencies(connects).summary(), count: connects.count }
        : null,
      lag: pacer?.lag() ?? null,
      delayed: pacer?.delayed ?? 0,
    };
  }
}
