/**
 * The mode `--load` at a rate, or without one: prints the result in at most 24 lines
 * of 80 columns, a histogram of the latencies included.
 *
 * ```sh
 * deno task client --load -d 5s --expect 'p99<5ms'
 * ```
 *
 * @module
 */

import {
  type Bucket,
  type Interval,
  load,
  type LoadOptions,
  type LoadSummary,
} from "../load.ts";
import { DEFAULT_DURATION_MS } from "../net/defaults.ts";
import { formatExpectation } from "../stats/expectation.ts";
import { findings, judge } from "../stats/findings.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFixed,
  formatRate,
  plural,
} from "../stats/format.ts";
import { type ModeInput, runOptions } from "./client_flags.ts";
import { writeStderr } from "./output.ts";
import { progressDisplay } from "./progress.ts";
import { findingLines, latencyLines, Run } from "./run.ts";
import { Interrupted, onQuitSignal } from "./signals.ts";

/** Rows of the histogram at most: the result fits a terminal of 24 rows. */
const MAX_ROWS = 8;

/** Columns of the histogram, which are 80 with the gaps. */
const COLUMNS = { latency: 12, count: 12, bar: 52 };

/**
 * A histogram: neighbours are added up, and the length of a bar is logarithmic, so
 * that a few slow messages are visible beside many fast ones.
 */
export function histogramLines(buckets: readonly Bucket[]): string[] {
  const row = (latency: string, count: string, bar: string) =>
    `${latency.padStart(COLUMNS.latency)}  ${
      count.padStart(COLUMNS.count)
    }  ${bar}`.trimEnd();
  const size = Math.ceil(buckets.length / MAX_ROWS);
  const starts = buckets.filter((_, i) => i % size === 0);
  const counts = starts.map((_, i) =>
    buckets.slice(i * size, (i + 1) * size)
      .reduce((sum, { count }) => sum + count, 0)
  );
  const scale = COLUMNS.bar / Math.log2(1 + Math.max(...counts));
  return [
    row("latency ≥", "count", "(log scale)"),
    ...starts.map(({ from }, i) => {
      const bar = Math.ceil(Math.log2(counts[i]! + 1) * scale);
      const latency = `${formatFixed(from, 3)} ms`;
      return row(latency, formatCount(counts[i]), "█".repeat(bar));
    }),
  ];
}

/** The result of a load run. */
export function loadReport(summary: LoadSummary, target: string): string {
  const { connections, size, warmup, received, scheduled, duration } = summary;
  const { latency, connects, fairness, buckets } = summary;
  const count = received === scheduled
    ? plural(received, "message")
    : `${formatCount(received)} of ${plural(scheduled, "message")}`;
  const failed = findings(summary).some(({ severity }) => severity === "error");
  return [
    `--- ${target} load: ${
      plural(connections, "connection")
    }, ${size} bytes each${
      warmup > 0 ? `, ${formatDuration(warmup)} warm-up` : ""
    } ---`,
    `${count} verified in ${formatDuration(duration)}: ${
      formatRate(summary.receivedPerSecond)
    } messages/s, ${formatBytes(summary.bytesPerSecond)}/s each way`,
    ...failed ? [] : ["no errors"],
    ...findingLines(summary),
    ...latencyLines("latency", latency, "min", "mean", "max", "stddev"),
    ...latencyLines("latency", latency, "p50", "p90", "p99", "p99.9"),
    ...connects ? latencyLines("connect", connects, "p50", "p99", "max") : [],
    ...fairness === null ? [] : [`fairness ${formatFixed(fairness, 4)} (Jain)`],
    ...buckets.length > 0 ? ["", ...histogramLines(buckets)] : [],
  ].join("\n");
}

/** The progress of a load run after an interval, as one line. */
function progressLine(
  { elapsed, receivedPerSecond }: Interval,
  errors: number,
  { duration, count }: Pick<LoadOptions, "duration" | "count">,
): string {
  const end = count === undefined || duration !== undefined
    ? ` of ${formatDuration(duration ?? DEFAULT_DURATION_MS)}`
    : "";
  return `${formatDuration(elapsed)}${end}: ${
    formatRate(receivedPerSecond)
  } messages/s, ${plural(errors, "error")}`;
}

/** Sends messages on many connections, shows the progress, and prints a report. */
export async function runLoad(input: ModeInput): Promise<number> {
  const { values: { json }, expectations } = input;
  const { rate, ...options } = runOptions(input);
  const run = await Run.start(input);
  const report = (summary: LoadSummary) => loadReport(summary, run.target);
  // The JSON on the same terminal shows the progress, and would mix with it.
  const display = json && Deno.stdout.isTerminal()
    ? undefined
    : progressDisplay();
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
      display?.(progressLine(interval, errors, options));
    },
  });
  display?.("");
  run.check();
  if (!started) {
    throw new Interrupted(
      `Cannot load ${run.target}: interrupted before the load began`,
    );
  }
  const verdict = judge(summary, expectations);
  return run.end(summary, verdict, () => {
    const conditions = verdict.results.map(formatExpectation);
    if (conditions.length > 0) conditions.unshift("");
    return [report(summary), ...conditions].join("\n");
  });
}
