/**
 * Latencies over time.
 *
 * ```ts
 * import { latencyChart } from "./latency_chart.ts";
 * ```
 *
 * @module
 */

import { chart, emptyChart, NO_MESSAGES } from "./chart.ts";
import { duration, elapsed } from "./format.ts";
import { mergeIntervals } from "./interval_table.ts";
import { lineKey, lines } from "./line.ts";
import type { Markup } from "./markup.ts";
import { latencyScale } from "./scale.ts";
import {
  errorLegend,
  errorMarks,
  errorText,
  hints,
  NO_INTERVALS,
  stepped,
  TIME,
  type TimeChartOptions,
} from "./time_marks.ts";
import { timeScale } from "./time_scale.ts";
import type { Interval } from "../stats/interval.ts";

/** Without messages there is no latency, where a rate of 0 is a fact. */
function latencyOf(figure: "p50" | "p99" | "max") {
  return (interval: Interval): number | undefined =>
    interval.messages > 0 ? interval[figure] : undefined;
}

const FIGURES = [
  { figure: "max", style: "third" },
  { figure: "p99", style: "second" },
  { figure: "p50", style: "first" },
] as const;

/** Whether there is one line to draw, as when pinging once a second. */
function areSingle(intervals: readonly Interval[]): boolean {
  return intervals.every(({ messages }) => messages <= 1);
}

function latencyHint(interval: Interval, failure: string): string {
  const { elapsed: at, messages, p50, p99, max } = interval;
  const text = messages === 0
    ? "no messages"
    : messages === 1
    ? duration(max)
    : `p50 ${duration(p50)}, p99 ${duration(p99)}, max ${duration(max)}`;
  return `at ${elapsed(at)}: ${text}${errorText(interval, failure)}`;
}

function describe(
  answered: readonly Interval[],
  { last, single, size }: {
    last: Interval;
    single: boolean;
    size: number;
  },
): string {
  const length = elapsed(last.elapsed);
  const worst = answered.reduce((most, { max }) => Math.max(most, max), 0);
  const step = size === 1
    ? "interval"
    : `${size} intervals, the highest of them`;
  const what = single
    ? `A line over ${length}.`
    : `Three lines over ${length}: the median, the 99th percentile and the ` +
      `maximum of each ${step}.`;
  return `${what} The longest is ${duration(worst)}.`;
}

/** Steps over time in which dashes are still told apart. */
const MAX_STEPS = 150;

/** p50, p99 and the longest of each interval, or of groups of intervals. */
export function latencyChart(
  all: readonly Interval[],
  options: TimeChartOptions & { quantity: string },
): Markup {
  const intervals = mergeIntervals(all, MAX_STEPS);
  const { id, title, failure, quantity } = options;
  const last = intervals.at(-1);
  const answered = intervals.filter(({ messages }) => messages > 0);
  if (!last) return emptyChart({ id, title, reason: NO_INTERVALS });
  if (answered.length === 0) {
    return emptyChart({ id, title, reason: NO_MESSAGES });
  }
  const values = answered.flatMap(({ p50, p99, max }) => [p50, p99, max]);
  const area = { x: timeScale(last.elapsed), y: latencyScale(values) };
  const single = areSingle(all);
  const figures = FIGURES.slice(single ? -1 : 0);
  const size = Math.ceil(all.length / intervals.length);
  return chart({
    id,
    title,
    description: describe(answered, { last, single, size }),
    x: { scale: area.x, label: TIME },
    y: {
      scale: area.y,
      label: size === 1
        ? quantity
        : `${quantity}, highest of ${size} intervals`,
    },
    legend: [
      ...(single ? [] : figures).map(({ figure, style }) => ({
        key: lineKey(style),
        label: figure,
      })),
      ...errorLegend(intervals, failure),
    ],
    marks: [
      lines(
        // The longest on top, as its dots hide the least.
        figures.toReversed().map(({ figure, style }) => ({
          style,
          points: stepped(intervals, latencyOf(figure)),
        })),
        area,
      ),
      errorMarks(intervals, area.x),
      hints(
        intervals,
        area.x,
        (interval) => latencyHint(interval, failure),
      ),
    ],
  });
}
