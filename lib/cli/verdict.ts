/**
 * The conditions of `--expect` after a run.
 *
 * ```ts ignore
 * import { judgeRun } from "./verdict.ts";
 *
 * const { lines, isMet } = judgeRun(expect, "ping", summary);
 * ```
 *
 * @module
 */

import {
  checkExpectations,
  type Expectation,
  type ExpectationResult,
  formatExpectation,
} from "../stats/expectation.ts";
import type { Figures, Mode } from "../stats/metrics.ts";

/** What came of the conditions of a run. */
export interface RunVerdict {
  /** Each condition, in the order in which they were given. */
  results: ExpectationResult[];
  /** Whether all of them are met, also if there are none. */
  isMet: boolean;
  /** A line each. */
  lines: string[];
  /** The field of the summary event; none without conditions. */
  fields: { expectations?: ExpectationResult[] };
}

/** Checks the conditions of a run against its summary. */
export function judgeRun<M extends Mode>(
  expectations: readonly Expectation[],
  mode: M,
  summary: Figures[M],
): RunVerdict {
  const results = checkExpectations(expectations, mode, summary);
  return {
    results,
    isMet: results.every(({ met }) => met),
    lines: results.map(formatExpectation),
    fields: results.length > 0 ? { expectations: results } : {},
  };
}

/** Whether conditions judge the errors of a run, so that others are no failure. */
export function judgesErrors(expectations: readonly Expectation[]): boolean {
  return expectations.some(({ metric }) =>
    metric === "errors" || metric === "loss"
  );
}
