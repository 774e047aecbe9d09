/**
 * Figures that more than one kind of run has.
 *
 * ```ts
 * import { latencyFigures } from "./figures.ts";
 * ```
 *
 * @module
 */

import { duration, NONE } from "./format.ts";
import type { Figure } from "./table.ts";
import type { LatencySummary } from "../stats/histogram.ts";

/** A time in ms, or a dash where nothing was measured. */
export function timeFigure(
  label: string,
  ms: number,
  measured = true,
): Figure {
  return measured
    ? { label, text: duration(ms), exact: ms }
    : { label, text: NONE };
}

/** All figures of a summary of times, or dashes where nothing was measured. */
export function latencyFigures(
  latency: LatencySummary,
  measured: boolean,
): Figure[] {
  const { min, mean, stddev, p50, p90, p99, p999, max } = latency;
  const rows: [string, number][] = [
    ["minimum", min],
    ["mean", mean],
    ["standard deviation", stddev],
    ["p50 (median)", p50],
    ["p90", p90],
    ["p99", p99],
    ["p99.9", p999],
    ["maximum", max],
  ];
  return rows.map(([label, ms]) => timeFigure(label, ms, measured));
}
