/**
 * The charts of a load or ping run: over time, and how latencies are
 * distributed.
 *
 * @module
 */

import {
  type ExpectationResult,
  parseExpectation,
} from "../stats/expectation.ts";
import { formatCount, formatDuration, formatRate } from "../stats/format.ts";
import { mergeIntervals } from "../stats/intervals.ts";
import type { Interval, LoadSummary, PingSummary } from "../stats/summaries.ts";
import { counts, durations, elapsed, logCounts, percentiles } from "./axes.ts";
import { chart, type Mark, type Rule } from "./chart.ts";
import { type Markup, markup } from "./markup.ts";
import { bound, type Figure, table } from "./page.ts";

/** A run whose messages have latencies. */
export type Run = LoadSummary | PingSummary;

/** Steps over time in which dashes are still told apart, and rows of a table. */
const MAX_INTERVALS = 150;

/** Points of a curve; a screen does not show more. */
const CURVE_POINTS = 200;

/** The metrics that have their limits in charts of latencies. */
export const LATENCIES = /^(p[\d.]+|min|mean|max)$/;

/** The lines of the latencies over time. */
const STYLES = [["p50", "first"], ["p99", "second"], ["max", "third"]] as const;

/** The limits of the conditions on some metrics, as lines across the y axis. */
export function limits(
  results: readonly ExpectationResult[],
  metrics: RegExp,
): Rule[] {
  return results.flatMap(({ expectation: text, met }) => {
    const { metric, limit: at } = parseExpectation(text);
    const style = met ? "good" : "error";
    return metrics.test(metric) ? [{ axis: "y", at, text, style }] : [];
  });
}

/** An interval, from `x` to `to`. */
type Span = Interval & { x: number; to: number };

function spansOf({ intervals }: Run): Span[] {
  const merged = mergeIntervals(intervals, MAX_INTERVALS);
  return merged.map((interval, i) => ({
    ...interval,
    x: merged[i - 1]?.elapsed ?? 0,
    to: interval.elapsed,
  }));
}

function figures(span: Span): Figure[] {
  return [
    ["until", formatDuration(span.elapsed)],
    ["received", formatCount(span.received)],
    ["received/s", formatRate(span.receivedPerSecond)],
    ["errors", formatCount(span.errors)],
    ["due", formatCount(span.due)],
    ["lost", formatCount(span.missing)],
    ["p50", formatDuration(span.p50)],
    ["p99", formatDuration(span.p99)],
    ["max", formatDuration(span.max)],
    ["ended at", span.timestamp],
  ];
}

/** What the charts over time are drawn from. */
export function intervalTable(run: Run): Markup | undefined {
  if (run.intervals.length === 0) return undefined;
  const title = "Figures over time";
  return markup`<details><summary>${title}</summary>
${table(title, spansOf(run).map(figures))}</details>
`;
}

/** Lines over time, on what was lost. */
function overTime(spans: readonly Span[], lines: readonly Mark[]): Mark[] {
  const failing = spans.filter(({ missing, errors }) => missing + errors > 0);
  const isDown = ({ due, missing }: Span) => missing >= due / 2;
  const some = failing.filter((span) => !isDown(span));
  const most = failing.filter(isDown);
  const hints = spans.map((span) => ({
    ...span,
    hint: figures(span).map((figure) => figure.join(" ")).join(", "),
  }));
  return [
    { kind: "bars", style: "some-lost", legend: "some lost", points: some },
    { kind: "bars", style: "most-lost", legend: "most lost", points: most },
    ...lines,
    { kind: "bars", style: "hints", points: hints },
  ];
}

/** Messages a second that came back, and the rate that was asked for. */
export function throughputChart(
  load: LoadSummary,
  results: readonly ExpectationResult[],
): Markup | undefined {
  const { rate, duration, receivedPerSecond } = load;
  const spans = spansOf(load);
  const points = spans.map((span) => ({ ...span, y: span.receivedPerSecond }));
  const rules = limits(results, /^rate$/);
  if (rate !== null) {
    const text = `asked for ${formatRate(rate)}`;
    rules.push({ axis: "y", at: rate, text, style: "guide" });
  }
  return chart({
    title: "Throughput over time",
    text: `Replies per second, over ${formatDuration(duration)}. On average ${
      formatRate(receivedPerSecond)
    }.`,
    x: elapsed,
    y: counts("messages/s"),
    marks: overTime(spans, [
      { kind: "bars", style: "faint", points },
      { kind: "line", style: "first", points },
    ]),
    rules,
  });
}

/** A dot for each probe that was answered, and a line where one was not. */
function dots({ probes }: PingSummary): Mark[] {
  const points = probes.map(({ elapsed, latency }) => ({
    x: elapsed,
    y: latency,
  }));
  const lost = points.filter(({ y }) => y === null);
  return [
    { kind: "bars", style: "lost", legend: "lost", points: lost },
    { kind: "dots", style: "probe", legend: "answered", points },
  ];
}

/**
 * Latencies by the time at which messages were due: of each probe, or p50, p99
 * and the longest of each interval.
 */
export function latencyChart(
  run: Run,
  results: readonly ExpectationResult[],
): Markup | undefined {
  const spans = spansOf(run);
  const lines = STYLES.map(([name, style]): Mark => {
    const points = spans.map((span) => ({ ...span, y: span[name] }));
    return { kind: "line", style, legend: name, points };
  });
  const hasDots = run.mode === "ping" && run.probes.length > 0;
  return chart({
    title: "Latency over time",
    text: `Over ${formatDuration(run.duration)}, by when a message was due.`,
    x: elapsed,
    y: durations("latency, by when it was due"),
    marks: hasDots ? dots(run) : overTime(spans, lines),
    rules: limits(results, LATENCIES),
  });
}

/** Latency over 1/(1−p), labelled in percentiles. */
export function percentileChart(
  { latencies, percentiles: listed }: Run,
  results: readonly ExpectationResult[],
): Markup | undefined {
  const points = Array.from({ length: CURVE_POINTS }, (_, i) => {
    const x = 100 - 100 * latencies.count ** (-i / CURVE_POINTS);
    const { atLeast, atMost } = latencies.percentile(x) ?? {};
    return { x, y: atLeast === atMost ? atLeast : undefined };
  });
  const known = 100 * latencies.replies.count / latencies.count;
  const lost = known < 100 ? [{ x: known, to: 100 }] : [];
  return chart({
    title: "Latency by percentile",
    text: listed.map(({ percentile, latency, atLeast }) =>
      `${percentile}%: ${bound(latency, atLeast)}`
    ).join(", "),
    x: percentiles,
    y: durations("latency"),
    marks: [
      { kind: "line", style: "first", points },
      { kind: "bars", style: "some-lost", legend: "lost", points: lost },
    ],
    rules: limits(results, LATENCIES),
  });
}

/** Replies by latency, and the percentiles that are known exactly. */
export function histogramChart({ buckets, latency }: Run): Markup | undefined {
  const points = buckets.map(({ from: x, to, count: y }) => {
    const range = `${formatDuration(x)} to ${formatDuration(to)}`;
    return { x, to, y, hint: `${range}: ${formatCount(y)}` };
  });
  return chart({
    title: "Histogram of latencies",
    text: points.map(({ hint }) => hint).join(", "),
    x: durations("latency", "log"),
    y: logCounts("replies"),
    marks: [{ kind: "bars", style: "first", points }],
    rules: (["p50", "p99", "p99.9"] as const)
      .filter((name) => !latency.atLeast.includes(name))
      .flatMap((text): Rule[] => {
        const at = latency[text];
        return at === null ? [] : [{ axis: "x", at, text, style: "guide" }];
      }),
  });
}
