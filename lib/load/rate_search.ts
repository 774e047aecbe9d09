/**
 * The search for the highest rate that holds. A state machine without clock or
 * network: it names the next rate and takes the figures of a run at that rate.
 *
 * ```ts
 * import { RateSearch, type StepFigures } from "./rate_search.ts";
 * declare function run(rate: number): Promise<StepFigures>;
 * const search = new RateSearch();
 * for (let rate; (rate = search.next) !== undefined;) {
 *   const figures = await run(rate);
 *   search.record(figures, figures.latency.p99 < 5);
 * }
 * search.summary(); // { steps: [...], rate: 21_400, confirmed: true, ... }
 * ```
 *
 * @module
 */

import { checkRange, POSITIVE, POSITIVE_INTEGER } from "../net/validate.ts";
import {
  isReached,
  judgeStep,
  type RateSearchSummary,
  type RateStep,
  type StepFigures,
} from "../stats/rate_step.ts";

export type * from "../stats/rate_step.ts";

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
 * The bracket is narrow enough when its ends differ by this share. Each halving
 * costs a run or two, and the next ones would measure little but the noise of
 * single runs. It leaves 10 % for that noise where runs are to agree in 15 %.
 */
const TOLERANCE = 0.05;

/** Digits of a rate: readable, and ten times finer than the tolerance. */
const RATE_DIGITS = 3;

/** Kept for the end: the answer is measured again, twice if it fails once. */
const CONFIRMATION_STEPS = 2;

function isNarrow(held: number, failed: number): boolean {
  return failed <= held * (1 + TOLERANCE);
}

function round(rate: number): number {
  return +rate.toPrecision(RATE_DIGITS);
}

/** A rate that did not hold, and on whose account. */
interface Failure {
  readonly rate: number;
  readonly by: "server" | "client";
  /** Whether it needs no recheck before the answer. */
  isSure: boolean;
}

/** Why the next rate is measured. */
type Purpose = "search" | "recheck failed" | "recheck held";

/**
 * Searches upwards by doubling (downwards while nothing holds), then halves the
 * bracket, then measures both of its ends again.
 *
 * - A rate fails when it fails twice in a row: one unlucky run, such as one
 *   beside a backup, would cut the answer by up to half. On the way down once
 *   is enough, as conditions that cannot hold should not take long to refuse.
 * - Where the client was the limit, the search does not go higher, but the
 *   summary says whose limit it was. If the client did not reach the rate, once is
 *   enough: being too slow throughout a run is no bad luck.
 * - If the upper end holds when it is measured again, it becomes the lower end,
 *   and the next higher rate that failed becomes the upper end. The other way
 *   round if the lower end, which is the answer, fails.
 */
export class RateSearch {
  readonly #min: number;
  readonly #max: number;
  readonly #maxSteps: number;
  readonly #steps: RateStep[] = [];
  /** Rates that held, ascending; the last is the lower end of the bracket. */
  readonly #held: number[] = [];
  /** Rates that failed, descending; the last is the upper end. */
  readonly #failed: Failure[] = [];
  #next: number | undefined;
  #purpose: Purpose = "search";
  #isRetry = false;
  #isConfirmed = false;

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
    this.#maxSteps = maxSteps;
    this.#next = Math.min(Math.max(start, min), max);
  }

  /** The rate of the next run, or `undefined` when the search is over. */
  get next(): number | undefined {
    return this.#next;
  }

  /**
   * Takes the figures of a run at the rate `next`, and whether all conditions
   * held. Returns the step with its verdict.
   */
  record(figures: StepFigures, conditionsMet: boolean): RateStep {
    if (this.#next === undefined) {
      throw new Error("Cannot record a step: the search is over");
    }
    const step = judgeStep(this.#next, figures, conditionsMet);
    this.#steps.push(step);
    this.#isRetry = this.#deservesRetry(step);
    if (this.#isRetry) return step;
    if (step.verdict === "met") this.#hold(step);
    else this.#fail(step);
    this.#next = this.#stepsLeft > 0 ? this.#choose() : undefined;
    return step;
  }

  /** What was found so far; final once `next` is `undefined`. */
  summary(): RateSearchSummary {
    const held = this.#held.at(-1);
    const failed = this.#failed.at(-1);
    const isClosed = failed !== undefined &&
      (held === undefined
        ? failed.rate <= this.#min
        : isNarrow(held, failed.rate));
    return {
      steps: [...this.#steps],
      ...held !== undefined && { rate: held },
      confirmed: this.#isConfirmed,
      limitedBy: isClosed ? failed.by : "search",
    };
  }

  #deservesRetry(step: RateStep): boolean {
    const { rate, verdict } = step;
    const isWayDown = this.#held.length === 0 && rate > this.#min;
    const isLuck = verdict === "client limited" && isReached(step) ||
      verdict === "not met" && !isWayDown;
    return isLuck && !this.#isRetry &&
      this.#purpose !== "recheck failed" && this.#stepsLeft > 0;
  }

  get #stepsLeft(): number {
    return this.#maxSteps - this.#steps.length;
  }

  #hold({ rate }: RateStep): void {
    if (this.#purpose === "recheck held") {
      this.#isConfirmed = true;
      return;
    }
    if (this.#purpose === "recheck failed") this.#failed.pop();
    this.#held.push(rate);
  }

  #fail({ rate, verdict }: RateStep): void {
    if (this.#purpose === "recheck failed") {
      this.#failed.at(-1)!.isSure = true;
      return;
    }
    if (this.#purpose === "recheck held") this.#held.pop();
    const by = verdict === "client limited" ? "client" : "server";
    // A third run decides, unless there was one before: when it had held.
    const isSure = by === "client" || this.#purpose === "recheck held";
    this.#failed.push({ rate, by, isSure });
  }

  #choose(): number | undefined {
    if (this.#isConfirmed) return undefined;
    const held = this.#held.at(-1);
    const failed = this.#failed.at(-1);
    this.#purpose = "search";
    if (held === undefined) return this.#lower(failed!.rate);
    const isOver = failed === undefined
      ? held >= this.#max
      : isNarrow(held, failed.rate);
    if (
      this.#stepsLeft <= CONFIRMATION_STEPS ||
      isOver && failed?.isSure !== false
    ) {
      this.#purpose = "recheck held";
      return held;
    }
    if (failed === undefined) {
      return Math.min(round(held * FACTOR), this.#max);
    }
    if (isOver) {
      this.#purpose = "recheck failed";
      return failed.rate;
    }
    // The geometric mean, as rates are compared by their ratio.
    return round(Math.sqrt(held * failed.rate));
  }

  /** The next rate while none has held. */
  #lower(failed: number): number | undefined {
    if (failed <= this.#min) return undefined;
    return Math.max(round(failed / FACTOR), this.#min);
  }
}
