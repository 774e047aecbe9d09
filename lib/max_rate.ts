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

import {
  RateSearch,
  type RateSearchOptions,
  type RateSearchSummary,
  type RateStep,
  type StepFigures,
  type Verdict,
} from "./client/rate_search.ts";
import { load, type LoadOptions, type LoadSummary } from "./load.ts";
import { DEFAULT_STEP_DURATION_MS } from "./net/defaults.ts";
import { formatEndpoint } from "./net/endpoint.ts";
import { notify } from "./net/notify.ts";
import {
  checkExpectations,
  type Expectation,
  type ExpectationResult,
  parseExpectation,
} from "./stats/expectation.ts";

export type {
  ExpectationResult,
  RateSearchOptions,
  RateSearchSummary,
  RateStep,
  Verdict,
};

/** A step of the search, and what was measured for its verdict. */
export interface MaxRateStep extends RateStep {
  /** The conditions. Empty if the load could not run. */
  expectations: ExpectationResult[];
  /** The errors of the step by kind. */
  errors: Record<string, number>;
  /** Why the load could not run, such as a refused connection. */
  error?: Error;
}

/** The options of a search: those of each load run, and the conditions. */
export interface MaxRateOptions extends Omit<LoadOptions, "count" | "rate"> {
  /**
   * The conditions, such as `p99<5ms` or `loss<1%`. A step with errors does not
   * meet them, unless one of them is on `errors` or `loss`.
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
  onStep?: ((step: MaxRateStep) => void) | undefined;
}

/** Runs the load of a step. */
export type LoadFunction = (
  options: LoadOptions,
) => Promise<LoadSummary>;

/** The figures of a step whose load could not run. */
const NOTHING: StepFigures = {
  messages: 0,
  messagesPerSecond: 0,
  latency: { p50: 0, p99: 0, p999: 0 },
  dropped: 0,
  delayed: 0,
  cpuUtilization: 0,
};

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

/** Whether errors are left to the conditions to judge. */
function coversErrors({ metric }: Expectation): boolean {
  return metric === "errors" || metric === "loss";
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
  const allowsErrors = expectations.some(coversErrors);
  const search = new RateSearch(range);
  let isFirst = true;
  for (
    let rate = search.next;
    rate !== undefined && !signal?.aborted;
    rate = search.next
  ) {
    try {
      const summary = await runLoad({ ...rest, duration, rate });
      // Figures of a part of a step would count against the server.
      if (signal?.aborted) break;
      const { errors, unanswered } = summary;
      const results = checkExpectations(expectations, "load", summary);
      const isMet = results.every(({ met }) => met) && unanswered === 0 &&
        (allowsErrors || Object.keys(errors).length === 0);
      const step = search.record(summary, isMet);
      notify(onStep, { ...step, expectations: results, errors });
    } catch (thrown) {
      if (signal?.aborted) break;
      if (isFirst) throw thrown;
      const error = thrown instanceof Error ? thrown : new Error(`${thrown}`);
      const step = search.record(NOTHING, false);
      notify(onStep, { ...step, expectations: [], errors: {}, error });
    }
    isFirst = false;
  }
  return search.summary();
}
