/**
 * Messages a second over time.
 *
 * ```ts
 * import { throughputChart } from "./throughput_chart.ts";
 * ```
 *
 * @module
 */

import { chart, emptyChart, type LegendEntry } from "./chart.ts";
import { axisCount, elapsed, plural, rate } from "./format.ts";
import { type Line, lineKey, lines } from "./line.ts";
import type { Markup } from "./markup.ts";
import { linearScale } from "./scale.ts";
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

/** Messages a second over time, and the rate that was asked for. */
export function throughputChart(
  intervals: readonly Interval[],
  options: TimeChartOptions & { asked?: number | undefined },
): Markup {
  const { id, title, failure, asked } = options;
  const last = intervals.at(-1);
  if (!last) return emptyChart({ id, title, reason: NO_INTERVALS });
  const rates = intervals.map(({ messagesPerSecond }) => messagesPerSecond);
  // Not Math.max(...): a run of hours has more intervals than arguments may be.
  const most = rates.reduce((a, b) => Math.max(a, b), asked ?? 0);
  const least = rates.reduce((a, b) => Math.min(a, b), Infinity);
  const area = {
    x: timeScale(last.elapsed),
    y: linearScale(most, { format: axisCount }),
  };
  const points = stepped(intervals, (interval) => interval.messagesPerSecond);
  const all: Line[] = [{ style: "first", points, filled: true }];
  const legend: LegendEntry[] = [];
  if (asked !== undefined) {
    const ends = [0, last.elapsed].map((x) => ({ x, y: asked }));
    all.push({ style: "reference", points: ends });
    legend.push(
      { key: lineKey("first"), label: "reached" },
      { key: lineKey("reference"), label: "asked for" },
    );
  }
  return chart({
    id,
    title,
    description: `A line over ${elapsed(last.elapsed)} in ${
      plural(intervals.length, "interval")
    }: between ${rate(least)} and ${
      rate(rates.reduce((a, b) => Math.max(a, b), 0))
    } messages per second.`,
    x: { scale: area.x, label: TIME },
    y: { scale: area.y, label: "messages/s" },
    legend: [...legend, ...errorLegend(intervals, failure)],
    marks: [
      lines(all, area),
      errorMarks(intervals, area.x),
      hints(
        intervals,
        area.x,
        (interval) =>
          `at ${elapsed(interval.elapsed)}: ${
            rate(interval.messagesPerSecond)
          } messages/s${errorText(interval, failure)}`,
      ),
    ],
  });
}
