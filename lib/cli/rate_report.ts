/**
 * The search for the highest rate, as lines for people: a table that grows with
 * each step, within 80 columns, and the answer.
 *
 * ```ts
 * import { RATE_HEADER, rateAnswer, rateLine } from "./rate_report.ts";
 * import type { RateSearchSummary } from "../stats/rate_step.ts";
 * declare const summary: RateSearchSummary;
 * console.log(RATE_HEADER);
 * for (const step of summary.steps) console.log(rateLine(step));
 * console.log(rateAnswer(summary));
 * ```
 *
 * @module
 */

import {
  isReached,
  type RateSearchSummary,
  type RateStep,
} from "../stats/rate_step.ts";

/** Columns of 10,000,000 messages a second, the highest rate of a search. */
const RATE_COLUMNS = 10;
/** Columns of the longest latency: `1000 µs` with a blank before it. */
const LATENCY_COLUMNS = 8;
/** Columns of the count of dropped messages, up to 9,999,999. */
const DROPPED_COLUMNS = 9;
const GAP = "  ";

/** A rate; below 100 its fraction matters. */
function rateText(rate: number): string {
  return rate < 100
    ? String(+rate.toPrecision(3))
    : Math.round(rate).toLocaleString("en-US");
}

/** A latency in the unit that suits it. */
function latencyText(ms: number): string {
  if (ms < 1) return `${+(ms * 1_000).toPrecision(3)} µs`;
  if (ms < 1_000) return `${+ms.toPrecision(3)} ms`;
  return `${+(ms / 1_000).toPrecision(3)} s`;
}

/** A rate with its unit. */
function perSecond(rate: number): string {
  return `${rateText(rate)} message${rate === 1 ? "" : "s"}/s`;
}

function countText(count: number): string {
  const text = count.toLocaleString("en-US");
  return text.length <= DROPPED_COLUMNS
    ? text
    : count.toLocaleString("en-US", { notation: "compact" });
}

function row(
  rates: readonly string[],
  latencies: readonly string[],
  dropped: string,
  verdict: string,
): string {
  return [
    ...rates.map((text) => text.padStart(RATE_COLUMNS)),
    ...latencies.map((text) => text.padStart(LATENCY_COLUMNS)),
    dropped.padStart(DROPPED_COLUMNS),
    verdict,
  ].join(GAP);
}

/** The head of the table. */
export const RATE_HEADER: string = row(
  ["asked/s", "reached/s"],
  ["p50", "p99", "p99.9"],
  "dropped",
  "verdict",
);

/** A rate that was not reached fails whatever the conditions say. */
function verdictText(step: RateStep): string {
  return step.verdict === "not met" && !isReached(step)
    ? "not reached"
    : step.verdict;
}

/** The line of a step. */
export function rateLine(step: RateStep): string {
  const { rate, messagesPerSecond, p50, p99, p999, dropped } = step;
  return row(
    [rateText(rate), rateText(messagesPerSecond)],
    [p50, p99, p999].map((ms) => messagesPerSecond > 0 ? latencyText(ms) : "-"),
    countText(dropped),
    verdictText(step),
  );
}

/** The answer, as it stands when the search is over or was ended. */
export function rateAnswer(summary: RateSearchSummary): string {
  const { rate, confirmed, limitedBy, steps } = summary;
  if (rate === undefined) {
    const last = steps.at(-1);
    if (!last || limitedBy === "search") {
      return "no rate was found to hold: the search ended too early";
    }
    const lowest = `no rate holds, not even ${perSecond(last.rate)}`;
    return limitedBy === "client" ? `${lowest}: the client is busy` : lowest;
  }
  const least = {
    server: "",
    client: "at least ",
    search: "at least ",
  }[limitedBy];
  const notes: string[] = {
    server: [],
    client: ["limited by the client"],
    search: [
      `the search ended after ${steps.length} ${
        steps.length === 1 ? "step" : "steps"
      }`,
    ],
  }[limitedBy];
  if (!confirmed) notes.push("not confirmed");
  return `highest rate that holds: ${least}${perSecond(rate)}${
    notes.length > 0 ? ` (${notes.join(", ")})` : ""
  }`;
}
