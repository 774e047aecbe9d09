/**
 * The modes that measure: `--ping`, `--load`, and `--load --rate max`.
 *
 * @module
 */

import type { LoadSummary } from "../load.ts";
import { DEFAULT_DURATION_MS, DEFAULT_PING_SIZE } from "../net/defaults.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { formatExpectation } from "../stats/expectation.ts";
import {
  findings,
  judge,
  rateAnswer,
  type RunVerdict,
} from "../stats/findings.ts";
import { formatDuration, formatRate, plural } from "../stats/format.ts";
import type { Summary } from "../stats/summaries.ts";
import { type ModeInput, runOptions } from "./client_flags.ts";
import { openReport } from "./html_file.ts";
import { eventLine, print, printable, writeStderr } from "./output.ts";
import { progressDisplay } from "./progress.ts";
import { abortOnSignal, EXIT, Interrupted, onQuitSignal } from "./signals.ts";
import {
  findingLines,
  HEADER,
  loadReport,
  pingReport,
  probeLine,
  stepLine,
} from "./text_report.ts";

/**
 * Starts a run: listens for signals, and opens the report before anything else is
 * opened. Its signal ends it on Ctrl-C, and when its output cannot be written.
 */
async function startRun({ values, options, expectations }: ModeInput) {
  const { json, html } = values;
  const target = printable(formatEndpoint(options));
  const outputClosed = new AbortController();
  const signal = AbortSignal.any([abortOnSignal(), outputClosed.signal]);
  const writeReport = html === undefined ? undefined : await openReport(html);
  return {
    target,
    signal,
    /** Prints text, or with `--json` an event. */
    print(event: string, fields: object, text?: () => string): void {
      try {
        if (json) print(eventLine(event, fields));
        else if (text) print(text());
      } catch (error) {
        outputClosed.abort(error);
      }
    },
    /** @throws {Error} if the output failed, or there is nothing to report. */
    check(hasFigures: boolean, failure: string): void {
      outputClosed.signal.throwIfAborted();
      if (!hasFigures) throw new Interrupted(failure);
    },
    /** Prints the result and writes the report. Returns the exit status. */
    end(summary: Summary, verdict: RunVerdict, text: () => string): number {
      outputClosed.signal.throwIfAborted();
      if (json) print(eventLine("summary", summaryFields(summary, verdict)));
      else print(text());
      const conditions = expectations.map(({ text }) => text);
      writeReport?.({ summary, target, expectations: conditions });
      return verdict.passed ? EXIT.ok : EXIT.failed;
    },
  };
}

/** The summary of a run as an event. */
function summaryFields(summary: Summary, verdict: RunVerdict): object {
  const { passed, reasons, results: expectations } = verdict;
  // The histogram is for code, and the probes have events of their own.
  const { latencies: _, probes: __, ...fields } = summary as
    & typeof summary
    & { latencies?: unknown; probes?: unknown };
  const judged = { findings: findings(summary), expectations, passed, reasons };
  return { ...fields, ...judged };
}

/** Sends probes, and prints each result and a summary. */
export async function runPing(input: ModeInput): Promise<number> {
  const { ping } = await import("../ping.ts");
  const { values, options, expectations } = input;
  const { json, connect, size = DEFAULT_PING_SIZE } = values;
  // Before the heading: who has seen it may press Ctrl-C.
  const run = await startRun(input);
  const { target, signal } = run;
  const what = connect ? "connect" : `${size} bytes of data`;
  if (!json) print(`PING ${target}: ${what}`);
  const summary = await ping({
    ...runOptions(input),
    signal,
    onRun: (running) =>
      onQuitSignal(() => writeStderr(pingReport(running.summary(), target))),
    onProbe: (probe) =>
      run.print(
        "probe",
        { ...probe, error: probe.error?.message },
        () => probeLine(probe, formatEndpoint(options), connect),
      ),
  });
  const verdict = judge(summary, expectations);
  const conditions = verdict.results.map(formatExpectation);
  return run.end(
    summary,
    verdict,
    () => ["", pingReport(summary, target), ...conditions].join("\n"),
  );
}

/** Sends messages on many connections, shows the progress, and prints a report. */
export async function runLoad(input: ModeInput): Promise<number> {
  const { load } = await import("../load.ts");
  const { rate, ...options } = runOptions(input);
  const { duration, count } = options;
  const run = await startRun(input);
  const report = (summary: LoadSummary) => loadReport(summary, run.target);
  const end = count === undefined || duration !== undefined
    ? ` of ${formatDuration(duration ?? DEFAULT_DURATION_MS)}`
    : "";
  // The JSON on the same terminal shows the progress, and would mix with it.
  const isShown = !input.values.json || !Deno.stdout.isTerminal();
  const display = isShown ? progressDisplay() : undefined;
  let [started, errors] = [false, 0];
  const summary = await load({
    ...options,
    ...typeof rate === "number" && { rate },
    signal: run.signal,
    onStart(running) {
      started = true;
      onQuitSignal(() => {
        display?.("");
        writeStderr(report(running.summary()));
      });
    },
    onInterval(interval) {
      errors += interval.errors;
      run.print("interval", interval);
      const received = formatRate(interval.receivedPerSecond);
      display?.(
        `${formatDuration(interval.elapsed)}${end}: ${received} messages/s, ${
          plural(errors, "error")
        }`,
      );
    },
  });
  display?.("");
  run.check(
    started,
    `Cannot load ${run.target}: interrupted before the load began`,
  );
  const verdict = judge(summary, input.expectations);
  const conditions = verdict.results.map(formatExpectation);
  if (conditions.length > 0) conditions.unshift("");
  return run.end(
    summary,
    verdict,
    () => [report(summary), ...conditions].join("\n"),
  );
}

/** Searches for the highest rate at which the conditions hold. */
export async function runSearch(input: ModeInput): Promise<number> {
  const { findMaxRate } = await import("../max_rate.ts");
  const { rate: _, count: __, ...options } = runOptions(input);
  const run = await startRun(input);
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
  run.check(
    steps > 0,
    `Cannot search for the highest rate of ${run.target}: interrupted before the first step ended`,
  );
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
