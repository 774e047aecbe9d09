/**
 * One step of the search for the highest rate that holds: the figures of a load
 * run at a fixed rate, and the verdict on them.
 *
 * ```ts
 * import { judgeStep, type StepFigures } from "./rate_step.ts";
 * const figures = { messagesPerSecond: 990 } as StepFigures;
 * judgeStep(1_000, figures, true).verdict; // "met"
 * ```
 *
 * @module
 */

import type { LatencySummary } from "./histogram.ts";

/** Whether a rate holds, or the client could not tell. */
export type Verdict = "met" | "not met" | "client limited";

/** What the search reads from the summary of a load run. */
export interface StepFigures {
  /** Messages that came back. */
  messages: number;
  /** The same, per second. */
  messagesPerSecond: number;
  /** Latencies, ms. */
  latency: Pick<LatencySummary, "p50" | "p99" | "p999">;
  /** Scheduled messages that were not sent. */
  dropped: number;
  /** Scheduled messages that the client noticed too late. */
  delayed: number;
  /** CPU time of the client, as a share of one core. */
  cpuUtilization: number;
}

/** A step of the search. */
export interface RateStep {
  /** Messages a second that were asked for. */
  rate: number;
  /** Messages a second that came back. */
  messagesPerSecond: number;
  /** Half of the latencies are no longer, ms. */
  p50: number;
  /** 99 % are no longer, ms. */
  p99: number;
  /** 99.9 % are no longer, ms. */
  p999: number;
  /** Scheduled messages that were not sent. */
  dropped: number;
  /** Whether the rate holds. */
  verdict: Verdict;
}

/** What a search found. */
export interface RateSearchSummary {
  /** All steps, in the order in which they were measured. */
  steps: RateStep[];
  /** The highest rate that was found to hold; absent if none was. */
  rate?: number | undefined;
  /** Whether it held when it was measured again. */
  confirmed: boolean;
  /**
   * Why the search did not go higher. `server`: the conditions did not hold.
   * `client`: the client was too slow to tell, so the server may take more.
   * `search`: it ended first, at its highest rate or its last step.
   */
  limitedBy: "server" | "client" | "search";
}

/**
 * A rate must be reached to this share. The last replies arrive after the last
 * message is due: at 50 ms a reply, a run of 1 s misses 5 %. A server that
 * takes less than is asked of it misses more as soon as the rate rises.
 */
export const REACHED_SHARE = 0.95;

/**
 * From this share of a core on, a failure may be the client's: it has one
 * thread, whose queue grows steeply as it gets no pause.
 */
export const CLIENT_BUSY_SHARE = 0.9;

/**
 * From this share of delayed messages on, a failure may be the client's: as many
 * latencies, on which a p99 depends, may include its own pauses.
 */
export const CLIENT_DELAYED_SHARE = 0.01;

/** Whether the client itself may have made the figures of a run worse. */
export function isClientLimited(
  { messages, dropped, delayed, cpuUtilization }: StepFigures,
): boolean {
  return cpuUtilization >= CLIENT_BUSY_SHARE ||
    delayed > 0 && delayed >= CLIENT_DELAYED_SHARE * (messages + dropped);
}

/** Whether as many messages came back as were asked for. */
export function isReached(
  { rate, messagesPerSecond }: Pick<RateStep, "rate" | "messagesPerSecond">,
): boolean {
  return messagesPerSecond >= REACHED_SHARE * rate;
}

/**
 * Judges a run at `rate`. `conditionsMet` says whether all conditions held. They
 * must hold and the rate must be reached. The client can only make figures worse,
 * so it matters where they fail, and not where they hold.
 */
export function judgeStep(
  rate: number,
  figures: StepFigures,
  conditionsMet: boolean,
): RateStep {
  const { messagesPerSecond, latency, dropped } = figures;
  const holds = conditionsMet && isReached({ rate, messagesPerSecond });
  const { p50, p99, p999 } = latency;
  return {
    rate,
    messagesPerSecond,
    p50,
    p99,
    p999,
    dropped,
    verdict: holds
      ? "met"
      : isClientLimited(figures)
      ? "client limited"
      : "not met",
  };
}
