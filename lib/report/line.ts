/**
 * Lines through points, with gaps where a value has no place on the axis, and
 * never more points than a screen can show.
 *
 * ```ts
 * import { decimate } from "./line.ts";
 * decimate([{ x: 0, y: 1 }, { x: 1, y: 9 }], 1_000); // both
 * ```
 *
 * @module
 */

import { across, along, curves, down, HEIGHT } from "./chart.ts";
import { Markup, markup } from "./markup.ts";
import type { Scale } from "./scale.ts";

/** A point of a line; without `y`, the line has a gap there. */
export interface Point {
  /** On the x axis. */
  x: number;
  /** On the y axis. */
  y?: number | undefined;
}

/** How a line looks: colour and dashes, so that not the colour alone differs. */
export type LineStyle = "first" | "second" | "third" | "reference";

/** A line of a chart. */
export interface Line {
  /** Colour and dashes. */
  style: LineStyle;
  /** From left to right. */
  points: readonly Point[];
  /** Fills the area below it. */
  filled?: boolean | undefined;
}

/** Where lines are drawn. */
export interface Area {
  /** The scale of the x axis. */
  x: Scale;
  /** The scale of the y axis. */
  y: Scale;
}

/** More points than this are not told apart on any screen. */
const MAX_POINTS = 1_000;

/**
 * At most about `max` of the points. Of each group of neighbours the least, the
 * greatest and one gap stay, so that no peak and no hole is lost.
 */
export function decimate(points: readonly Point[], max: number): Point[] {
  if (points.length <= max) return [...points];
  const size = Math.ceil(3 * points.length / max);
  const kept: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    let least = -1, greatest = -1, gap = -1;
    const end = Math.min(start + size, points.length);
    for (let i = start; i < end; i++) {
      const y = points[i]!.y;
      if (y === undefined) {
        gap = i;
        continue;
      }
      if (least < 0 || y < points[least]!.y!) least = i;
      if (greatest < 0 || y > points[greatest]!.y!) greatest = i;
    }
    const indices = new Set([least, greatest, gap].filter((i) => i >= 0));
    for (const i of [...indices].sort((a, b) => a - b)) kept.push(points[i]!);
  }
  return kept;
}

/** The points that follow each other without a gap, on a scale from 0 to 1. */
function runs(points: readonly Point[], { x, y }: Area): Placed[][] {
  const all: Placed[][] = [];
  let run: Placed[] = [];
  for (const point of decimate(points, MAX_POINTS)) {
    const left = x.at(point.x);
    const bottom = point.y === undefined ? undefined : y.at(point.y);
    if (left === undefined || bottom === undefined) {
      if (run.length > 0) all.push(run);
      run = [];
    } else run.push({ left, bottom });
  }
  if (run.length > 0) all.push(run);
  return all;
}

interface Placed {
  left: number;
  bottom: number;
}

/** Numbers and letters alone, so that there is nothing to escape. */
function path(run: readonly Placed[]): string {
  return run
    .map(({ left, bottom }, i) =>
      `${i === 0 ? "M" : "L"}${along(left)} ${down(bottom)}`
    )
    .join("");
}

function closed(run: readonly Placed[]): string {
  const first = along(run[0]!.left), last = along(run.at(-1)!.left);
  return `${path(run)}L${last} ${HEIGHT}L${first} ${HEIGHT}Z`;
}

/** Lines, the first at the bottom. A point without neighbours is a dot. */
export function lines(all: readonly Line[], area: Area): Markup {
  const paths: Markup[] = [];
  const dots: Markup[] = [];
  for (const { style, points, filled } of all) {
    const pieces = runs(points, area);
    const long = pieces.filter((run) => run.length > 1);
    for (const run of pieces) {
      if (run.length > 1) continue;
      const { left, bottom } = run[0]!;
      dots.push(
        markup`<circle class="dot ${style}" cx="${across(left)}" cy="${
          down(bottom)
        }" r="3"/>`,
      );
    }
    if (long.length === 0) continue;
    if (filled) {
      paths.push(
        markup`<path class="fill ${style}" d="${new Markup(
          long.map(closed).join(""),
        )}"/>`,
      );
    }
    paths.push(
      markup`<path class="line ${style}" d="${new Markup(
        long.map(path).join(""),
      )}"/>`,
    );
  }
  return markup`${curves(paths)}${dots}`;
}

/** A line as it looks, for the legend. */
export function lineKey(style: LineStyle): Markup {
  return markup`<line class="line ${style}" x1="0" x2="24" y1="5" y2="5"/>`;
}
