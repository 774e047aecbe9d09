/**
 * The mode `--load --rate max`: prints each step of the search and the answer.
 *
 * ```sh
 * deno task client --load --rate max --expect 'p99<5ms'
 * ```
 *
 * @module
 */

import { findMaxRate, type MaxRateStep } from "../max_rate.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import type { RateSearchSummary } from "../stats/rate_step.ts";
import { EXIT } from "./program.ts";
import { RATE_HEADER, rateAnswer, rateLine } from "./rate_report.ts";
import { printEvent, RunControl } from "./run_control.ts";
import type { ModeOptions } from "./run_options.ts";
import { print, writeStderr } from "./stdio.ts";
import { printable } from "./terminal.ts";

/** The step whose conditions say the most: the answer's last, or the last. */
function decisiveStep(
  steps: readonly MaxRateStep[],
  { rate: answer }: RateSearchSummary,
): MaxRateStep | undefined {
  return steps.findLast(({ rate, verdict }) =>
    rate === answer && verdict === "met"
  ) ?? steps.at(-1);
}

/** Searches for the highest rate at which the conditions hold. */
export async function runMaxRate(
  { json, html, expect = [], rate: _, count: __, ...options }: ModeOptions,
): Promise<number> {
  const endpoint = printable(formatEndpoint(options));
  const control = new RunControl();
  const steps: MaxRateStep[] = [];
  const summary = await findMaxRate({
    ...options,
    expectations: expect.map(({ text }) => text),
    signal: control.signal,
    onStep(step) {
      const { error, ...figures } = step;
      steps.push(step);
      control.write(() => {
        if (json) {
          printEvent("step", { ...figures, error: error?.message });
          return;
        }
        if (steps.length === 1) print(RATE_HEADER);
        print(rateLine(step));
      });
      if (error) writeStderr(printable(error.message));
    },
  });
  control.throwIfOutputClosed();
  if (steps.length === 0) {
    throw new Error(
      `Cannot search for the highest rate of ${endpoint}: interrupted before the first step ended`,
    );
  }
  if (json) printEvent("summary", summary);
  else print(rateAnswer(summary));
  html?.write({
    mode: "rate search",
    target: endpoint,
    summary,
    expectations: decisiveStep(steps, summary)?.expectations,
  });
  return summary.confirmed ? EXIT.ok : EXIT.failed;
}
