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

import { type Bucket, type Interval, load, type LoadSummary } from "../load.ts";
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
import { progressDisplay, terminalColumns } from "./progress.ts";
import { findingLines, latencyLines, Run } from "./run.ts";
import { Interrupted, onQuitSignal } from "./signals.ts";

/** Rows of the histogram at most: the result fits a terminal of 24 rows. */
const MAX_ROWS = 8;

/** Columns of a line with a bar at most. Longer bars are not easier to read. */
const MAX_COLUMNS = 100;

/** Neighbours added up, so that there are at most `MAX_ROWS` buckets. */
function merged(buckets: readonly Bucket[]): Bucket[] {
  const size = Math.ceil(buckets.length / MAX_ROWS);
  return Array.from(
    { length: Math.ceil(buckets.length / size) || 0 },
    (_, i) => {
      const part = buckets.slice(i * size, (i + 1) * size);
      return {
        from: part[0]!.from,
        to: part.at(-1)!.to,
        count: part.reduce((sum, { count }) => sum + count, 0),
      };
    },
  );
}

/**
 * A histogram: a line per bucket, with a bar. The length of a bar is logarithmic,
 * so that a few slow messages are visible beside many fast ones.
 */
export function histogramLines(
  buckets: readonly Bucket[],
  columns: number,
): string[] {
  const rows = merged(buckets);
  const cells = [
    ["latency ≥", "count"],
    ...rows.map(({ from, count }) => [
      `${formatFixed(from, 3)} ms`,
      formatCount(count),
    ]),
  ];
  const [left = 0, middle = 0] = [0, 1].map((i) =>
    Math.max(...cells.map((row) => row[i]!.length))
  );
  const longest = Math.max(
    1,
    Math.min(columns, MAX_COLUMNS) - left - middle - 4,
  );
  const scale = longest /
    Math.log2(1 + Math.max(...rows.map(({ count }) => count)));
  const bars = rows.map(({ count }) =>
    "█".repeat(Math.ceil(Math.log2(count + 1) * scale))
  );
  return ["(log scale)", ...bars].map((bar, i) =>
    `${cells[i]![0]!.padStart(left)}  ${cells[i]![1]!.padStart(middle)}  ${bar}`
      .trimEnd()
  );
}

/** The result of a load run, for a terminal of this many columns. */
export function loadReport(
  summary: LoadSummary,
  target: string,
  columns: number,
): string {
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
    ...buckets.length > 0 ? ["", ...histogramLines(buckets, columns)] : [],
  ].join("\n");
}

/** The progress of a load run after an interval, as one line. */
function progressLine(
  { elapsed, receivedPerSecond }: Interval,
  { received, errors }: { received: number; errors: number },
  { count, duration = DEFAULT_DURATION_MS }: {
    count?: number | undefined;
    duration?: number | undefined;
  },
): string {
  const done = count === undefined
    ? `${formatDuration(elapsed)} of ${formatDuration(duration)}`
    : `${formatDuration(elapsed)}, ${formatCount(received)} of ${
      formatCount(count)
    } messages`;
  return `${done}: ${formatRate(receivedPerSecond)} messages/s, ${
    plural(errors, "error")
  }`;
}

/** Sends messages on many connections, shows the progress, and prints a report. */
export async function runLoad(input: ModeInput): Promise<number> {
  const { values: { json }, expectations } = input;
  const { rate, ...options } = runOptions(input);
  const run = await Run.start(input);
  const columns = Deno.stdout.isTerminal() ? terminalColumns() : 80;
  const report = (summary: LoadSummary) =>
    loadReport(summary, run.target, columns);
  // The JSON on the same terminal shows the progress, and would mix with it.
  const display = json && Deno.stdout.isTerminal()
    ? undefined
    : progressDisplay();
  const total = { received: 0, errors: 0 };
  let started = false;
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
      total.received += interval.received;
      total.errors += interval.errors;
      run.print("interval", interval);
      display?.(progressLine(interval, total, options));
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
