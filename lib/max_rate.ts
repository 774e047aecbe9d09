/**
 * The highest rate at which conditions on the figures of a load run still hold. It
 * runs `load()` at one rate after another, each on new connections, and measures
 * the answer again before it is believed.
 *
 * ```ts
 * import { findMaxRate } from "./max_rate.ts";
 *
 * const { rate, confirmed } = await findMaxRate({
 *   expectations: ["p99<5ms"],
 *   onStep: ({ rate, verdict }) => console.log(rate, verdict),
 * });
 * console.log(rate, confirmed);
 * ```
 *
 * @module
 */

import { EchoError } from "./echo.ts";
import { load, type LoadOptions, type LoadSummary } from "./load.ts";
import {
  isReached,
  RateSearch,
  type RateSearchOptions,
  verdictOf,
} from "./load/rate_search.ts";
import { DEFAULT_STEP_DURATION_MS } from "./net/defaults.ts";
import { formatEndpoint } from "./net/endpoint.ts";
import { notify } from "./net/notify.ts";
import {
  type Expectation,
  type ExpectationResult,
  parseExpectation,
} from "./stats/expectation.ts";
import { judge } from "./stats/findings.ts";
import { Latencies } from "./stats/latencies.ts";
import type { RateSearchSummary, RateStep } from "./stats/summaries.ts";

export type {
  ExpectationResult,
  RateSearchOptions,
  RateSearchSummary,
  RateStep,
};
export type { LatencyFigure, LatencySummary } from "./stats/summaries.ts";
export type { Verdict } from "./stats/summaries.ts";

/** The options of a search: those of each load run, and the conditions. */
export interface MaxRateOptions extends Omit<LoadOptions, "count" | "rate"> {
  /**
   * The conditions, such as `p99<5ms` or `loss<1%`. A step in which something did
   * not come back does not meet them, unless one of them is on that: on `errors`,
   * `dropped` or `loss`.
   */
  expectations: readonly string[];
  /**
   * Milliseconds of a step, without its warm-up.
   * @default {3000}
   */
  duration?: number | undefined;
  /** Where to search, and for how many steps. */
  search?: RateSearchOptions | undefined;
  /** Called after each step. What it throws goes to `reportError()`. */
  onStep?: ((step: RateStep) => void) | undefined;
}

/** Runs the load of a step. */
export type LoadFunction = (options: LoadOptions) => Promise<LoadSummary>;

/** @throws {RangeError} if there is no condition, or one cannot be checked. */
function readExpectations(
  texts: readonly string[],
  action: string,
): Expectation[] {
  if (texts.length === 0) {
    throw new RangeError(
      `${action} without expectations: expected at least one, such as p99<5ms`,
    );
  }
  return texts.map((text) => {
    try {
      return parseExpectation(text, "load");
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(
        `${action} with expectation "${text}": ${error.message}`,
      );
    }
  });
}

/** The step of a load that ran. */
function stepOf(
  rate: number,
  summary: LoadSummary,
  expectations: readonly Expectation[],
): RateStep {
  const { receivedPerSecond, dropped, unanswered, latency, errors } = summary;
  const { results, passed } = judge(summary, expectations);
  return {
    rate,
    receivedPerSecond,
    reached: isReached(rate, summary),
    dropped,
    unanswered,
    latency,
    expectations: results,
    errors,
    verdict: verdictOf(rate, summary, passed),
  };
}

/** The step of a load that could not run. */
function failedStep(rate: number, error: Error): RateStep {
  return {
    rate,
    receivedPerSecond: null,
    reached: false,
    dropped: 0,
    unanswered: 0,
    latency: new Latencies().summary(),
    expectations: [],
    errors: {},
    error,
    verdict: "not met",
  };
}

/**
 * Searches for the highest rate at which all expectations are met. If `signal` is
 * aborted, the result is what was found until then; the step under way is not in it.
 * A step whose load cannot run, such as after a refused connection, is not met.
 *
 * @throws {RangeError} if an option is out of range, or an expectation is wrong.
 * @throws the error of `load` if its first step cannot run.
 */
export async function findMaxRate(
  options: MaxRateOptions,
  runLoad: LoadFunction = load,
): Promise<RateSearchSummary> {
  const { expectations: texts, search: range, onStep, ...rest } = options;
  const { duration = DEFAULT_STEP_DURATION_MS, signal } = rest;
  const expectations = readExpectations(
    texts,
    `Cannot search for the highest rate of ${formatEndpoint(options)}`,
  );
  const search = new RateSearch(range);
  const steps: RateStep[] = [];
  const timestamp = new Date().toISOString();
  const started = performance.now();
  for (let rate; (rate = search.next) !== undefined && !signal?.aborted;) {
    let step: RateStep;
    try {
      const summary = await runLoad({ ...rest, duration, rate });
      // Figures of a part of a step would count against the server.
      if (signal?.aborted) break;
      step = stepOf(rate, summary, expectations);
    } catch (error) {
      if (signal?.aborted) break;
      // Anything but a failed connection is a mistake, and no answer.
      if (steps.length === 0 || !(error instanceof EchoError)) throw error;
      step = failedStep(rate, error);
    }
    steps.push(step);
    search.record(step);
    notify(onStep, step);
  }
  return {
    mode: "rate search",
    timestamp,
    duration: performance.now() - started,
    steps,
    ...search.answer(),
  };
}
