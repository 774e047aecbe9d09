/**
 * The conditions of a run and whether they held.
 *
 * ```ts
 * import { verdictMark } from "./expectations.ts";
 * verdictMark(true).toString(); // a check mark, and the word
 * ```
 *
 * @module
 */

import {
  count,
  duration,
  fixed,
  NONE,
  percent,
  plural,
  rate,
} from "./format.ts";
import { type Markup, markup } from "./markup.ts";
import { figureValue, grid } from "./table.ts";
import type { ExpectationResult } from "../stats/expectation.ts";
import type { RateStep } from "../stats/rate_step.ts";

const VERDICTS: Record<RateStep["verdict"], { sign: string; name: string }> = {
  "met": { sign: "✓", name: "met" },
  "not met": { sign: "✗", name: "not-met" },
  "client limited": { sign: "△", name: "client-limited" },
};

/** A verdict with its sign, so that not the colour alone says it. */
export function verdictMark(verdict: RateStep["verdict"] | boolean): Markup {
  const text = verdict === true
    ? "met"
    : verdict === false
    ? "not met"
    : verdict;
  const { sign, name } = VERDICTS[text];
  return markup`<span class="verdict ${name}"><span aria-hidden="true">${sign}</span> ${text}</span>`;
}

/** What was measured, in the unit of the metric that the condition names. */
export function measuredText(
  { expectation, measured }: ExpectationResult,
): string {
  if (measured === undefined) return NONE;
  const metric = /^\s*([a-z]+)/.exec(expectation)?.[1];
  switch (metric) {
    case "loss":
      return percent(measured);
    case "rate":
      return `${rate(measured)} messages/s`;
    case "fairness":
      return fixed(measured, 4);
    case "errors":
    case "dropped":
      return count(measured);
    default:
      return duration(measured);
  }
}

/** In one line whether all conditions held; nothing without conditions. */
export function verdictBanner(
  results: readonly ExpectationResult[],
): Markup | undefined {
  if (results.length === 0) return undefined;
  const failed = results.filter(({ met }) => !met).length;
  const text = failed === 0
    ? results.length === 1
      ? "The expectation was met"
      : `All ${results.length} expectations were met`
    : `${failed} of ${plural(results.length, "expectation")} ${
      failed === 1 ? "was" : "were"
    } not met`;
  return markup`<p class="banner ${
    failed === 0 ? "met" : "not-met"
  }"><span aria-hidden="true">${failed === 0 ? "✓" : "✗"}</span> ${text}</p>
`;
}

/** Each condition, what was measured, and the verdict. */
export function expectationsTable(
  results: readonly ExpectationResult[],
): Markup | undefined {
  if (results.length === 0) return undefined;
  return markup`<section class="conditions">
<h2>Expectations</h2>
${
    grid({
      caption: "Expectations and what was measured",
      columns: ["expectation", "measured", "verdict"],
      rows: results.map((result) => [
        result.expectation,
        figureValue({
          label: result.expectation,
          text: measuredText(result),
          exact: result.measured,
        }),
        verdictMark(result.met),
      ]),
    })
  }</section>
`;
}
