/**
 * The mode `--load --rate max`: prints each step of the search and the answer.
 *
 * ```sh
 * deno task client --load -r max --expect 'p99<5ms'
 * ```
 *
 * @module
 */

import { findMaxRate, type RateStep } from "../max_rate.ts";
import { rateAnswer } from "../stats/findings.ts";
import { formatCount, formatDuration, formatRate } from "../stats/format.ts";
import { type ModeInput, runOptions } from "./client_flags.ts";
import { findingLines, Run } from "./run.ts";
import { Interrupted } from "./signals.ts";

/** Columns of the table: rates to 10,000,000, latencies as `≥ 1.23 ms`. */
const WIDTHS = [10, 11, 10, 10, 10, 10];

/** A line of the table, of at most 80 columns. */
function row(cells: readonly string[], verdict: string): string {
  const padded = cells.map((cell, i) => cell.padStart(WIDTHS[i]!));
  return `${padded.join("")}  ${verdict}`;
}

/** The head of the table. */
export const HEADER: string = row(
  ["asked/s", "reached/s", "p50", "p99", "p99.9", "missing"],
  "verdict",
);

/** The line of a step. A rate that was not reached fails whatever was measured. */
export function stepLine(step: RateStep): string {
  const { rate, receivedPerSecond, latency, dropped, unanswered } = step;
  const latencies = (["p50", "p99", "p99.9"] as const).map((figure) =>
    (latency.atLeast.includes(figure) ? "≥ " : "") +
    formatDuration(latency[figure])
  );
  return row(
    [
      ...[formatRate(rate), formatRate(receivedPerSecond), ...latencies],
      formatCount(dropped + unanswered),
    ],
    step.verdict === "not met" && !step.reached ? "not reached" : step.verdict,
  );
}

/** Searches for the highest rate at which the conditions hold. */
export async function runSearch(input: ModeInput): Promise<number> {
  const { rate: _, count: __, ...options } = runOptions(input);
  const run = await Run.start(input);
  let steps = 0;
  const summary = await findMaxRate({
    ...options,
    expectations: input.expectations.map(({ text }) => text),
    signal: run.signal,
    onStep(step) {
      const head = steps++ === 0 ? `${HEADER}\n` : "";
      run.print("step", step, () => head + stepLine(step));
    },
  });
  run.check();
  if (steps === 0) {
    throw new Interrupted(
      `Cannot search for the highest rate of ${run.target}: interrupted before the first step ended`,
    );
  }
  const verdict = {
    passed: summary.confirmed,
    reasons: summary.confirmed ? [] : ["not confirmed"],
    results: summary.steps.at(-1)?.expectations ?? [],
  };
  return run.end(
    summary,
    verdict,
    () => [...findingLines(summary), rateAnswer(summary)].join("\n"),
  );
}
