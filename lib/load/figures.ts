/**
 * The figures of a load run: those of its messages, and what else went wrong.
 *
 * @module
 */

import { Figures } from "../stats/figures.ts";
import { Histogram } from "../stats/histogram.ts";
import { Latencies } from "../stats/latencies.ts";
import { FAIRNESS_REPLIES } from "../stats/metrics.ts";
import type { LoadSummary } from "../stats/summaries.ts";
import type { LoadRunOptions } from "./options.ts";
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

/** The figures of one run; see above. */
export class LoadFigures extends Figures {
  /** The times that connecting took. */
  readonly connects: Histogram = new Histogram();
  readonly #options: LoadRunOptions;
  readonly #pacer: Pacer | undefined;
  /** Why messages were never sent. */
  readonly droppedBy: LoadSummary["droppedBy"] = {
    down: 0,
    slow: 0,
    client: 0,
  };
  /** Replies that came after the end. */
  late = 0;
  /** Connections that the server closed between messages. */
  reconnects = 0;
  /** Errors that are no message's own, and yet were a loss. */
  otherErrors = 0;
  /** CPU time without waits for the schedule, as a share of a core. */
  cpuUtilization: number | null = null;

  /** Takes the schedule, if there is one. */
  constructor(options: LoadRunOptions, pacer: Pacer | undefined) {
    super(pacer && ((time) => pacer.scheduledBefore(time)));
    this.#options = options;
    this.#pacer = pacer;
  }

  /**
   * All of it. `startedAt` is in milliseconds since 1970, `isOver` says that nothing
   * more is sent, and `replies` are those of each connection.
   */
  loadSummary({ startedAt, duration, isOver, replies }: {
    startedAt: number;
    duration: number;
    isOver: boolean;
    replies: number[];
  }): LoadSummary {
    const { connects, late, otherErrors, reconnects, cpuUtilization } = this;
    const { connections, size, warmup, rate = null } = this.#options;
    const pacer = this.#pacer;
    const figures = this.summary(duration, startedAt);
    const { sent, received } = figures;
    const droppedBy = { ...this.droppedBy };
    const scheduled = pacer && !isOver
      ? Math.max(sent, pacer.scheduledBefore(duration))
      : sent + droppedBy.down + droppedBy.slow + droppedBy.client;
    const attempts = scheduled + otherErrors;
    const perSecond = duration > 0 ? (received - late) / duration * 1e3 : null;
    // With fewer, whole messages make the most of the difference.
    const isFair = received >= FAIRNESS_REPLIES * connections;
    return {
      mode: "load",
      ...figures,
      ...{ connections, size, warmup, rate, scheduled, late, reconnects },
      ...{ droppedBy, cpuUtilization },
      dropped: scheduled - sent,
      loss: attempts > 0 ? (attempts - received) / attempts : null,
      receivedPerSecond: perSecond,
      bytesPerSecond: perSecond === null ? null : perSecond * size,
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
