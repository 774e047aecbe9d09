/**
 * The page of a search for the highest rate that holds.
 *
 * ```ts
 * import { rateSearchPage } from "./rate_search_page.ts";
 * ```
 *
 * @module
 */

import { verdictMark } from "./expectations.ts";
import { timeFigure } from "./figures.ts";
import { count, milliseconds, NONE, plural, rate } from "./format.ts";
import { type Markup, markup } from "./markup.ts";
import type { PageContent } from "./page.ts";
import { rateLatencyChart, rateReachedChart } from "./rate_charts.ts";
import { type Figure, grid } from "./table.ts";
import type { RateSearchSummary, RateStep } from "../stats/rate_step.ts";

/** The answer, or what is known of it. */
function answerText({ rate: answer, limitedBy }: RateSearchSummary): string {
  if (answer === undefined) return NONE;
  return limitedBy === "server" ? rate(answer) : `at least ${rate(answer)}`;
}

/** The last measurement of the answer: the one that is believed. */
function answerStep(
  { steps, rate: answer }: RateSearchSummary,
): RateStep | undefined {
  return steps.findLast((step) =>
    step.rate === answer && step.verdict === "met"
  );
}

function warnings(summary: RateSearchSummary): string[] {
  const limited =
    summary.steps.filter(({ verdict }) => verdict === "client limited").length;
  const all: string[] = [];
  if (summary.rate === undefined) {
    all.push("No rate held: the expectations were not met at any step.");
  } else if (!summary.confirmed) {
    all.push("A second measurement did not confirm the answer.");
  }
  if (summary.limitedBy === "client" && summary.rate !== undefined) {
    all.push("The client was the limit: the server may take more.");
  } else if (limited > 0) {
    all.push(
      `In ${
        plural(limited, "step")
      } the client was the limit: the server may be faster.`,
    );
  }
  return all;
}

function cardsOf(summary: RateSearchSummary): Figure[] {
  const { rate: answer, steps, confirmed } = summary;
  const step = answerStep(summary);
  const { p50 = 0, p99 = 0, p999 = 0 } = step ?? {};
  return [
    {
      label: "highest rate",
      text: answer === undefined ? NONE : `${answerText(summary)}/s`,
      exact: answer,
    },
    {
      label: "confirmed",
      text: answer === undefined ? NONE : confirmed ? "yes" : "no",
    },
    timeFigure("p50 at this rate", p50, step !== undefined),
    timeFigure("p99 at this rate", p99, step !== undefined),
    timeFigure("p99.9 at this rate", p999, step !== undefined),
    { label: "steps", text: count(steps.length), exact: steps.length },
  ];
}

function stepTable(summary: RateSearchSummary): Markup | undefined {
  const { steps } = summary;
  if (steps.length === 0) return undefined;
  const last = answerStep(summary);
  return markup`<section>
<h2>Steps</h2>
${
    grid({
      caption: "The steps in the order they were run",
      // The verdict is near the rate, where narrow screens show it.
      columns: [
        "asked/s",
        "verdict",
        "reached/s",
        "p50 (ms)",
        "p99 (ms)",
        "p99.9 (ms)",
        "dropped",
      ],
      text: 1,
      rows: steps.map((step) => [
        rate(step.rate),
        step === last
          ? markup`${verdictMark(step.verdict)} <strong>(answer)</strong>`
          : verdictMark(step.verdict),
        rate(step.messagesPerSecond),
        milliseconds(step.p50),
        milliseconds(step.p99),
        milliseconds(step.p999),
        count(step.dropped),
      ]),
    })
  }</section>
`;
}

/** What the page of a rate search shows. */
export function rateSearchPage(summary: RateSearchSummary): PageContent {
  const { rate: answer, steps } = summary;
  return {
    heading: "Rate search",
    subtitle: answer === undefined
      ? `No rate held in ${plural(steps.length, "step")}`
      : `${answerText(summary)} messages/s held, found in ${
        plural(steps.length, "step")
      }`,
    warnings: warnings(summary),
    cards: cardsOf(summary),
    charts: [rateLatencyChart(summary), rateReachedChart(summary)],
    data: stepTable(summary),
    figures: [],
  };
}
