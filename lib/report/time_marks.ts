/**
 * What the charts over time have in common: steps, marks of errors, and areas
 * to point at.
 *
 * ```ts
 * import { stepped } from "./time_marks.ts";
 * ```
 *
 * @module
 */

import { across, along, curves, HEIGHT, type LegendEntry } from "./chart.ts";
import { plural } from "./format.ts";
import type { Point } from "./line.ts";
import { Markup, markup } from "./markup.ts";
import type { Scale } from "./scale.ts";
import type { Interval } from "../stats/interval.ts";

/** What the charts of a run say besides its intervals. */
export interface TimeChartOptions {
  /** Unique in the page. */
  id: string;
  /** The heading. */
  title: string;
  /** What `errors` of an interval counts: `error` or `lost probe`. */
  failure: string;
}

/** Intervals that can be pointed at one by one; more are too narrow for it. */
const MAX_HINTS = 300;

/** The label of the x axis. */
export const TIME = "time since the start";

/** Why a chart over time may be empty. */
export const NO_INTERVALS =
  "The run ended before the first interval was complete, so there is nothing to draw.";

function startOf(intervals: readonly Interval[], i: number): number {
  return intervals[i - 1]?.elapsed ?? 0;
}

/** A value holds for its whole interval: two points for each. */
export function stepped(
  intervals: readonly Interval[],
  pick: (interval: Interval) => number | undefined,
): Point[] {
  return intervals.flatMap((interval, i) => {
    const y = pick(interval);
    return [{ x: startOf(intervals, i), y }, { x: interval.elapsed, y }];
  });
}

/** Short lines on the x axis where there were errors. */
export function errorMarks(
  intervals: readonly Interval[],
  x: Scale,
): Markup {
  const places = new Set<number>();
  for (const [i, { elapsed, errors }] of intervals.entries()) {
    if (errors === 0) continue;
    const at = x.at((startOf(intervals, i) + elapsed) / 2);
    // By whole units, so that there are never more than the chart is wide.
    if (at !== undefined) places.add(Math.round(along(at)));
  }
  if (places.size === 0) return markup``;
  const path = [...places].map((at) => `M${at} ${HEIGHT}v-10`).join("");
  return curves([markup`<path class="line failure" d="${new Markup(path)}"/>`]);
}

/** Areas over the intervals that show their figures when pointed at. */
export function hints(
  intervals: readonly Interval[],
  x: Scale,
  text: (interval: Interval) => string,
): Markup | undefined {
  if (intervals.length > MAX_HINTS) return undefined;
  return markup`<g class="hints">${
    intervals.map((interval, i) => {
      const left = x.at(startOf(intervals, i)) ?? 0;
      const right = x.at(interval.elapsed) ?? left;
      return markup`<rect x="${across(left)}" width="${
        across(Math.max(0, right - left))
      }" height="${HEIGHT}"><title>${text(interval)}</title></rect>`;
    })
  }</g>`;
}

/** The errors of an interval, for its hint. */
export function errorText({ errors }: Interval, failure: string): string {
  return errors > 0 ? `, ${plural(errors, failure)}` : "";
}

/** The entry of the marks, if there are any. */
export function errorLegend(
  intervals: readonly Interval[],
  failure: string,
): LegendEntry[] {
  return intervals.some(({ errors }) => errors > 0)
    ? [{
      key:
        markup`<path class="line failure" d="M6 10v-10M12 10v-10M18 10v-10"/>`,
      label: `interval with ${failure}s`,
    }]
    : [];
}
