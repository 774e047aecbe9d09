/**
 * The page of a search for the highest rate that holds.
 *
 * @module
 */

import { rateAnswer } from "../stats/findings.ts";
import { formatCount, formatRate, plural } from "../stats/format.ts";
import type { RateSearchSummary, RateStep } from "../stats/summaries.ts";
import { counts, durations } from "./axes.ts";
import { chart, type Mark } from "./chart.ts";
import type { Markup } from "./markup.ts";
import { latencies, type PageContent, signed, table } from "./page.ts";
import { LATENCIES, limits } from "./run_charts.ts";

/** The shape and colour of each verdict. */
const VERDICTS = {
  "met": "good",
  "not met": "error",
  "client limited": "warning",
} as const;

const FIGURES = ["p50", "p99", "p99.9"] as const;

/** The step that is believed: the last one at the answer that was met. */
function answerStep({ steps, rate }: RateSearchSummary): RateStep | undefined {
  return steps.findLast((step) => step.rate === rate && step.verdict === "met");
}

/** A rate that was not reached fails whatever was measured. */
function verdictText({ verdict, reached }: RateStep): string {
  return verdict === "not met" && !reached ? "not reached" : verdict;
}

/** The answer, as far as it is known. */
function answerText({ rate, range, limitedBy }: RateSearchSummary): string {
  if (range) return `${formatRate(range.from ?? 0)} to ${formatRate(range.to)}`;
  const isBound = rate !== null && limitedBy !== "server";
  return isBound ? `≥ ${formatRate(rate)}` : formatRate(rate);
}

/** Lines of percentiles, and on them a dot for each step by its verdict. */
function latencyByRate(search: RateSearchSummary): Markup | undefined {
  const { rate, steps } = search;
  const sorted = steps.toSorted((a, b) => a.rate - b.rate);
  const lines = FIGURES.map((legend, i): Mark => ({
    kind: "line",
    style: ["first", "second", "third"][i]!,
    legend,
    // Of a rate that was measured again, the last step decides.
    points: [...new Map(sorted.map((step) => [step.rate, step])).values()]
      .map((step) => ({ x: step.rate, y: step.latency[legend] })),
  }));
  const dots = Object.entries(VERDICTS).map(([legend, style]): Mark => ({
    kind: "dots",
    style,
    legend,
    points: steps.filter(({ verdict }) => verdict === legend).map((step) => ({
      x: step.rate,
      y: step.latency.p99,
    })),
  }));
  const results = (answerStep(search) ?? steps.at(-1))?.expectations ?? [];
  const rules = limits(results, LATENCIES);
  if (rate !== null) {
    const text = `answer: ${answerText(search)}`;
    rules.unshift({ axis: "x", at: rate, text, style: "guide" });
  }
  return chart({
    title: "Latency by rate",
    text: `Latencies of ${plural(steps.length, "step")}: ${rateAnswer(search)}`,
    x: counts("messages/s asked for"),
    y: durations("latency"),
    marks: [...lines, ...dots],
    rules,
  });
}

/** What the page of a rate search shows. */
export function rateSearchPage(search: RateSearchSummary): PageContent {
  const { confirmed, steps } = search;
  const answer = rateAnswer(search);
  const step = answerStep(search);
  return {
    heading: "Rate search",
    subtitle: [plural(steps.length, "step"), answer],
    verdict: { results: [], passed: confirmed, reasons: [answer] },
    cards: [
      ["messages/s", answerText(search)],
      ...step ? latencies(step.latency, FIGURES) : [],
    ],
    charts: [latencyByRate(search)],
    data: table(
      "Steps in the order in which they were measured",
      steps.map((step) => [
        ["verdict", signed(VERDICTS[step.verdict], verdictText(step))],
        ["asked for/s", formatRate(step.rate)],
        ["reached/s", formatRate(step.receivedPerSecond)],
        ...latencies(step.latency, FIGURES),
        ["lost", formatCount(step.dropped + step.unanswered)],
      ]),
    ),
    sections: {},
  };
}
