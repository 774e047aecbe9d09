/**
 * What the modes that measure print for people. A result of `--load` fits a
 * terminal of 24 lines and 80 columns; `--ping` is worded as in ping(8).
 *
 * @module
 */

import type { Bucket, LoadSummary } from "../load.ts";
import type { PingSummary, Probe } from "../ping.ts";
import { findings } from "../stats/findings.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFixed,
  formatPercent,
  formatRate,
  plural,
} from "../stats/format.ts";
import type {
  LatencyFigure,
  LatencySummary,
  RateStep,
  Summary,
} from "../stats/summaries.ts";
import { printable } from "./output.ts";

/** The names of figures of latencies, as ping(8) has them. */
const NAMES: Partial<Record<LatencyFigure, string>> = {
  mean: "avg",
  stddev: "mdev",
};

/** The known of these figures in a line: `rtt min/max = 1.000/≥ 4.500 ms`. */
function latencyLines(
  noun: string,
  latency: LatencySummary,
  ...figures: LatencyFigure[]
): string[] {
  const known = figures.filter((figure) => latency[figure] !== null);
  if (known.length === 0) return [];
  const names = known.map((figure) => NAMES[figure] ?? figure).join("/");
  const values = known.map((figure) =>
    atLeast(latency, figure) + formatFixed(latency[figure], 3)
  );
  return [`${noun} ${names} = ${values.join("/")} ms`];
}

/** Goes before a figure that may be higher. */
function atLeast({ atLeast }: LatencySummary, figure: LatencyFigure): string {
  return atLeast.includes(figure) ? "≥ " : "";
}

/** The findings of a run as lines that are safe to print. */
export function findingLines(summary: Summary): string[] {
  return findings(summary).map(({ message }) => printable(message));
}

/** Rows of the histogram at most: the result fits a terminal of 24 rows. */
const MAX_ROWS = 8;

/** Columns of the bars, which are 80 with the figures before them. */
const BAR_COLUMNS = 52;

/** Cells that end at these columns, and what follows them. */
function row(widths: number[], cells: readonly string[], end: string): string {
  const padded = cells.map((cell, i) => cell.padStart(widths[i]!));
  return `${padded.join("")}  ${end}`.trimEnd();
}

/**
 * A histogram: neighbours are added up, and the length of a bar is logarithmic, so
 * that a few slow messages are visible beside many fast ones.
 */
export function histogramLines(buckets: readonly Bucket[]): string[] {
  const size = Math.ceil(buckets.length / MAX_ROWS);
  const starts = buckets.filter((_, i) => i % size === 0);
  const counts = starts.map((_, i) =>
    buckets.slice(i * size, (i + 1) * size)
      .reduce((sum, { count }) => sum + count, 0)
  );
  const scale = BAR_COLUMNS / Math.log2(1 + Math.max(...counts));
  const widths = [12, 14];
  return [
    row(widths, ["latency ≥", "count"], "(log scale)"),
    ...starts.map(({ from }, i) => {
      const bar = Math.ceil(Math.log2(counts[i]! + 1) * scale);
      const cells = [`${formatFixed(from, 3)} ms`, formatCount(counts[i])];
      return row(widths, cells, "█".repeat(bar));
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

/** The result of one probe, which only connects if `connect` is true. */
export function probeLine(
  { seq, size, latency, error, reconnected }: Probe,
  endpoint: string,
  connect = false,
): string {
  const target = printable(endpoint);
  const again = reconnected ? " (reconnected)" : "";
  if (latency !== undefined) {
    const what = connect ? "connected to" : `${size} bytes from`;
    const time = formatFixed(latency, 3);
    return `${what} ${target}: seq=${seq} time=${time} ms${again}`;
  }
  const what = connect ? "no connection to" : "no echo from";
  // What was attempted is the same for all.
  const reason = error?.message.split(`${endpoint}: `).at(-1) ?? "lost";
  return `${what} ${target}: seq=${seq} (${printable(reason)})${again}`;
}

/** The result of all probes. */
export function pingReport(summary: PingSummary, target: string): string {
  const { sent, received, loss, duration, latency, jitter } = summary;
  return [
    `--- ${target} ping statistics ---`,
    `${plural(sent, "probe")} sent, ${received} received, ${
      formatPercent(loss)
    } loss, time ${Math.round(duration)} ms`,
    ...latencyLines("rtt", latency, "min", "mean", "max", "stddev"),
    ...latencyLines("rtt", latency, "p50", "p90", "p99"),
    ...jitter === null ? [] : [`jitter = ${formatFixed(jitter, 3)} ms`],
    ...findingLines(summary),
  ].join("\n");
}

/** Columns of the steps: rates to 10,000,000, latencies as `≥ 1.23 ms`. */
const STEP_COLUMNS = [10, 11, 10, 10, 10, 10];

/** The head of the table of steps. */
export const HEADER: string = row(
  STEP_COLUMNS,
  ["asked/s", "reached/s", "p50", "p99", "p99.9", "missing"],
  "verdict",
);

/** The line of a step. A rate that was not reached fails whatever was measured. */
export function stepLine(step: RateStep): string {
  const { rate, receivedPerSecond, latency, dropped, unanswered } = step;
  const latencies = (["p50", "p99", "p99.9"] as const).map((figure) =>
    atLeast(latency, figure) + formatDuration(latency[figure])
  );
  const rates = [formatRate(rate), formatRate(receivedPerSecond)];
  return row(
    STEP_COLUMNS,
    [...rates, ...latencies, formatCount(dropped + unanswered)],
    step.verdict === "not met" && !step.reached ? "not reached" : step.verdict,
  );
}
