/**
 * The search for the highest rate that holds. A state machine without clock or
 * network: it names the next rate and takes the verdict on a run at that rate.
 *
 * It doubles the rate until one fails, and halves the gap between the highest rate
 * that holds and the lowest that fails. A run is one sample, and another program on
 * the machine may spoil it, so that two runs in a row that agree decide:
 *
 * - A rate that failed is measured again; on the way down once is enough, as
 *   conditions that cannot hold should not take long to refuse.
 * - Both ends of the gap are measured again before the answer.
 * - Where the client was the limit, the search does not go higher, but the summary
 *   says whose limit it was. If the client did not reach the rate, once is enough:
 *   being too slow throughout a run is no bad luck.
 *
 * ```ts
 * import { RateSearch } from "./rate_search.ts";
 * const search = new RateSearch();
 * for (let rate; (rate = search.next) !== undefined;) {
 *   search.record({ verdict: rate <= 21_400 ? "met" : "not met", reached: true });
 * }
 * search.answer(); // { rate: 20_900, range: null, confirmed: true, … }
 * ```
 *
 * @module
 */

import { checkRange, POSITIVE, POSITIVE_INTEGER } from "../net/validate.ts";
import { CLIENT_BUSY_SHARE } from "../stats/findings.ts";
import type {
  LoadSummary,
  RateSearchSummary,
  RateStep,
  Verdict,
} from "../stats/summaries.ts";

/** Where to search, and for how long. */
export interface RateSearchOptions {
  /**
   * The first rate. A server worth searching holds it, the client hardly notices
   * it, and a p99 has ten messages above it in a run of 1 s.
   * @default {1_000}
   */
  start?: number;
  /**
   * The lowest rate that is tried. Below it, a run has too few messages to say
   * anything of them.
   * @default {1}
   */
  min?: number;
  /**
   * The highest rate that is tried. A message costs a server or a client at
   * least some 5 µs of CPU time, so one core is far from reaching it.
   * @default {10_000_000}
   */
  max?: number;
  /**
   * Runs at most, those that repeat another included. 15 to 20 are usual; a
   * server that takes one message a second needs 21.
   * @default {40}
   */
  maxSteps?: number;
}

/**
 * Up and down by doubling: gentle enough that the first rate that fails does not
 * drown the server, and 14 steps from the first rate to the last.
 */
const FACTOR = 2;

/**
 * The gap is narrow enough when its ends differ by this share. Each halving costs a
 * run or two, and the next ones would measure little but the noise of single runs.
 * It leaves 10 % for that noise where runs are to agree in 15 %.
 */
const TOLERANCE = 0.05;

/** Digits of a rate: readable, and ten times finer than the tolerance. */
const RATE_DIGITS = 3;

/** Kept for the end: the answer is measured again, twice if it fails once. */
const CONFIRMATION_STEPS = 2;

/** Failures of the upper end that are believed, as one may be followed by another. */
const SURE_FAILURES = 3;

/**
 * A rate must be reached to this share. The last replies arrive after the last
 * message is due: at 50 ms a reply, a run of 1 s misses 5 %. A server that takes
 * less than is asked of it misses more as soon as the rate rises.
 */
const REACHED_SHARE = 0.95;

/**
 * From this share of delayed messages on, a failure may be the client's: as many
 * latencies, on which a p99 depends, may include its own pauses.
 */
const CLIENT_DELAYED_SHARE = 0.01;

/** Whether as many messages came back as were asked for. */
export function isReached(rate: number, summary: LoadSummary): boolean {
  return (summary.receivedPerSecond ?? 0) >= REACHED_SHARE * rate;
}

/**
 * Judges a run at `rate`. All conditions must have held and the rate must have been
 * reached. The client can only make figures worse, so it matters where they fail.
 */
export function verdictOf(
  rate: number,
  summary: LoadSummary,
  conditionsMet: boolean,
): Verdict {
  const { cpuUtilization, delayed, scheduled } = summary;
  if (conditionsMet && isReached(rate, summary)) return "met";
  const isBusy = (cpuUtilization ?? 0) >= CLIENT_BUSY_SHARE;
  const isLate = delayed > 0 && delayed >= CLIENT_DELAYED_SHARE * scheduled;
  return isBusy || isLate ? "client limited" : "not met";
}

/** What came of a run. */
export type Outcome = Pick<RateStep, "verdict" | "reached">;

function isNarrow(held: number, failed: number): boolean {
  return failed <= held * (1 + TOLERANCE);
}

function round(rate: number): number {
  return +rate.toPrecision(RATE_DIGITS);
}

/** The runs at one rate, in their order. */
class Runs {
  readonly rate: number;
  readonly outcomes: Outcome[] = [];
  /** A failure that needs no second run. */
  isSure = false;

  constructor(rate: number) {
    this.rate = rate;
  }

  /** The last two, as far as there are two: whether they were met. */
  get #lastTwo(): boolean[] {
    return this.outcomes.slice(-2).map(({ verdict }) => verdict === "met");
  }

  /** Whether any was met. */
  get wasMet(): boolean {
    return this.outcomes.some(({ verdict }) => verdict === "met");
  }

  /** Whether the rate holds as far as is known. */
  get holds(): boolean {
    return this.#lastTwo.every(Boolean);
  }

  /** Whether it failed twice in a row, or once for sure. */
  get failed(): boolean {
    const [first, second = this.isSure ? false : undefined] = this.#lastTwo;
    return first === false && second === false;
  }

  /** Whether it held twice in a row. */
  get isConfirmed(): boolean {
    return this.outcomes.length > 1 && this.holds;
  }

  /** Whose limit the last failure was. */
  get limit(): "client" | "server" {
    const failure = this.outcomes.findLast(({ verdict }) => verdict !== "met");
    return failure?.verdict === "client limited" ? "client" : "server";
  }

  /** Whether the failure need not be measured once more before the answer. */
  get isBelieved(): boolean {
    const failures = this.outcomes.filter(({ verdict }) => verdict !== "met");
    return this.limit === "client" || failures.length >= SURE_FAILURES;
  }
}

/** A search; see above. */
export class RateSearch {
  /** The rate of the next run, or `undefined` when the search is over. */
  next: number | undefined;
  readonly #min: number;
  readonly #max: number;
  readonly #all = new Map<number, Runs>();
  #stepsLeft: number;

  /**
   * Starts a search; `next` is its first rate.
   *
   * @throws {RangeError} if an option is out of its range.
   */
  constructor(options: RateSearchOptions = {}) {
    const { start = 1_000, min = 1, max = 10_000_000, maxSteps = 40 } = options;
    const attempt = "Cannot search for the highest rate";
    checkRange(POSITIVE, { action: attempt, options: { start, min, max } });
    checkRange(POSITIVE_INTEGER, { action: attempt, options: { maxSteps } });
    if (min > max) {
      throw new RangeError(
        `${attempt} with min ${min}: expected no more than max, ${max}`,
      );
    }
    this.#min = min;
    this.#max = max;
    this.#stepsLeft = maxSteps;
    this.next = Math.min(Math.max(start, min), max);
  }

  /** Takes the outcome of a run at the rate `next`. */
  record(outcome: Outcome): void {
    const rate = this.next;
    if (rate === undefined) {
      throw new Error("Cannot record a step: the search is over");
    }
    const runs = this.#all.get(rate) ?? new Runs(rate);
    this.#all.set(rate, runs);
    runs.outcomes.push(outcome);
    const { verdict, reached } = outcome;
    const isWayDown = this.#lower === undefined && rate > this.#min;
    if (verdict !== "met") {
      runs.isSure = verdict === "not met" ? isWayDown : !reached;
    }
    this.#stepsLeft--;
    this.next = this.#stepsLeft > 0 ? this.#choose(runs) : undefined;
  }

  /** What was found so far; final once `next` is `undefined`. */
  answer(): Pick<
    RateSearchSummary,
    "rate" | "range" | "confirmed" | "limitedBy"
  > {
    const [lower, upper] = [this.#lower, this.#upper];
    const met = [...this.#all.values()].filter(({ wasMet }) => wasMet)
      .map(({ rate }) => rate);
    const to = Math.max(0, ...met);
    const from = lower?.rate ?? null;
    const isClosed = upper !== undefined &&
      (lower ? isNarrow(lower.rate, upper.rate) : upper.rate <= this.#min);
    return {
      rate: from,
      range: to > 0 && !isNarrow(from ?? 0, to) ? { from, to } : null,
      confirmed: lower?.isConfirmed ?? false,
      limitedBy: isClosed ? upper.limit : "search",
    };
  }

  /** The lowest rate that fails. */
  get #upper(): Runs | undefined {
    return [...this.#all.values()].filter(({ failed }) => failed)
      .reduce<Runs | undefined>(
        (least, runs) => least && least.rate < runs.rate ? least : runs,
        undefined,
      );
  }

  /** The highest rate below it that holds. */
  get #lower(): Runs | undefined {
    const limit = this.#upper?.rate ?? Infinity;
    return [...this.#all.values()]
      .filter(({ holds, rate }) => holds && rate < limit)
      .reduce<Runs | undefined>(
        (most, runs) => most && most.rate > runs.rate ? most : runs,
        undefined,
      );
  }

  #choose(last: Runs): number | undefined {
    // The last two runs contradict each other, or there is only one.
    if (!last.holds && !last.failed) return last.rate;
    const [lower, upper] = [this.#lower, this.#upper];
    if (!lower) return this.#below(upper!.rate);
    const isOver = upper
      ? isNarrow(lower.rate, upper.rate)
      : lower.rate >= this.#max;
    if (this.#stepsLeft <= CONFIRMATION_STEPS) return this.#confirm(lower);
    if (!isOver) {
      return upper
        // The geometric mean, as rates are compared by their ratio.
        ? round(Math.sqrt(lower.rate * upper.rate))
        : Math.min(round(lower.rate * FACTOR), this.#max);
    }
    if (upper && !upper.isBelieved) return upper.rate;
    return this.#confirm(lower);
  }

  /** Measures the answer again, unless that was done. */
  #confirm(lower: Runs): number | undefined {
    return lower.isConfirmed ? undefined : lower.rate;
  }

  /** The next rate while none has held. */
  #below(failed: number): number | undefined {
    if (failed <= this.#min) return undefined;
    return Math.max(round(failed / FACTOR), this.#min);
  }
}
