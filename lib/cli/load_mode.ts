/**
 * The mode `--load` at a rate, or without one.
 *
 * ```sh
 * deno task client --load --duration 5s --expect 'p99<5ms'
 * ```
 *
 * @module
 */

import { load } from "../load.ts";
import { DEFAULT_DURATION_MS } from "../net/defaults.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { EXIT } from "./program.ts";
import { loadReport, progressLine } from "./report.ts";
import { printEvent, RunControl } from "./run_control.ts";
import type { ModeOptions } from "./run_options.ts";
import { print } from "./stdio.ts";
import {
  DEFAULT_COLUMNS,
  LiveLine,
  printable,
  stderrTerminal,
  terminalColumns,
} from "./terminal.ts";
import { judgeRun, judgesErrors } from "./verdict.ts";

/** Seconds from one line of progress to the next if stderr is not a terminal. */
const PROGRESS_INTERVAL_S = 10;

/** Shows the progress of a load run on stderr. */
class ProgressDisplay {
  readonly #line = Deno.stderr.isTerminal()
    ? new LiveLine(stderrTerminal)
    : undefined;
  #seconds = 0;

  /** Redraws the line, or prints one every 10 seconds. */
  update(line: string): void {
    this.#seconds++;
    if (this.#line) this.#line.show(line);
    else if (this.#seconds % PROGRESS_INTERVAL_S === 0) console.error(line);
  }

  /** Removes the line that is redrawn. */
  clear(): void {
    this.#line?.clear();
  }
}

/** Sends messages on many connections, shows the progress, and prints a report. */
export async function runLoad(
  options: Omit<ModeOptions, "rate"> & { rate?: number | undefined },
): Promise<number> {
  const endpoint = printable(formatEndpoint(options));
  const { json, count, html, expect = [] } = options;
  const { duration = count ? undefined : DEFAULT_DURATION_MS } = options;
  const progress = { messages: 0, errors: 0, duration, count };
  // The JSON on the same terminal shows the progress, and would mix with it.
  const display = json && Deno.stdout.isTerminal()
    ? undefined
    : new ProgressDisplay();
  const control = new RunControl();
  let started = false;
  const summary = await load({
    ...options,
    signal: control.signal,
    onStart: () => started = true,
    onInterval(interval) {
      progress.messages += interval.messages;
      progress.errors += interval.errors;
      control.write(() => {
        if (json) printEvent("interval", interval);
        display?.update(progressLine(interval, progress));
      });
    },
  });
  control.throwIfOutputClosed();
  display?.clear();
  if (!started) {
    throw new Error(
      `Cannot load ${endpoint}: interrupted before the load began`,
    );
  }
  const { lines, fields, results, isMet } = judgeRun(expect, "load", summary);
  if (json) {
    printEvent("summary", { ...summary, ...fields });
  } else {
    const columns = Deno.stdout.isTerminal()
      ? terminalColumns()
      : DEFAULT_COLUMNS;
    const verdict = lines.length > 0 ? ["", ...lines] : [];
    print([loadReport(endpoint, summary, columns), ...verdict].join("\n"));
  }
  html?.write({
    mode: "load",
    target: endpoint,
    summary,
    expectations: results,
  });
  const failed = summary.unanswered > 0 ||
    Object.keys(summary.errors).length > 0 && !judgesErrors(expect);
  return summary.messages > 0 && !failed && isMet ? EXIT.ok : EXIT.failed;
}
