/**
 * The axes of a chart, on the scales of d3: where a value lies, and ticks with
 * their units.
 *
 * @module
 */

// @ts-types="@types/d3-scale"
import { scaleLinear, scaleLog, scaleUtc } from "d3-scale";
import { formatCount, formatDuration } from "../stats/format.ts";

/** An axis. */
export interface Axis {
  /** What it shows. */
  label: string;
  /** From the least to the greatest. */
  ticks: { value: number; label: string }[];
  /** Where a value lies, from 0 to 1; `undefined` for what is not a number. */
  at(value: number): number | undefined;
}

/** Makes an axis that is long enough for some values. */
export type Scale = (values: readonly number[]) => Axis;

/** From this ratio of the greatest to the least on, small values need a log. */
const LOG_FROM = 25;

/** Between the values and the ends of a log axis. */
const LOG_MARGIN = 1.25;

/** About as many ticks has an axis. */
const TICKS = 6;

type Format = (value: number) => string;
type Range = [least: number, most: number];

function ticksAt(values: number[], format: Format): Axis["ticks"] {
  return values.map((value) => ({ value, label: format(value) }));
}

/** What an axis has to hold: above 0, as a log axis ends there, and not endless. */
function rangeOf(values: readonly number[]): Range {
  const shown = values.filter((value) => value > 0 && value < Infinity);
  if (shown.length === 0) return [1, 1];
  // Not Math.max(...): a long run has more values than arguments may be.
  return [
    shown.reduce((a, b) => Math.min(a, b)),
    shown.reduce((a, b) => Math.max(a, b)),
  ];
}

function linear(label: string, most: number, format: Format): Axis {
  const at = scaleLinear().domain([0, most]).nice(TICKS).clamp(true);
  return { label, at, ticks: ticksAt(at.ticks(TICKS), format) };
}

function log(label: string, [least, most]: Range, format: Format): Axis {
  const domain = [least / LOG_MARGIN, most * LOG_MARGIN];
  const at = scaleLog().domain(domain).clamp(true);
  const all = at.ticks(TICKS);
  // Ten a decade: as many as have space for their labels.
  const labelled = all.length <= 10 ? /./ : all.length <= 28 ? /^[125]/ : /^1/;
  const ticks = all.filter((value) => labelled.test(value.toExponential()));
  return { label: `${label}, log scale`, at, ticks: ticksAt(ticks, format) };
}

/** Without rounding errors, as in 3 × 0.1. */
function tidy(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** With a prefix of the SI from a million on, as there is little space. */
function countText(value: number): string {
  if (value >= 1e9) return `${tidy(value / 1e9)}G`;
  if (value >= 1e6) return `${tidy(value / 1e6)}M`;
  return Number.isInteger(value) ? formatCount(value) : tidy(value);
}

/** Counts or rates from 0 on. */
export function counts(label: string): Scale {
  return (values) => linear(label, rangeOf(values)[1], countText);
}

/**
 * Counts, few beside many. It begins below one, so that a count of one has a bar,
 * and has space for labels above the greatest.
 */
export function logCounts(label: string): Scale {
  return (values) => log(label, [0.7, 8 * rangeOf(values)[1]], countText);
}

/** Units of time and their lengths in ms. */
const UNITS = [["h", 3_600e3], ["min", 60e3], ["s", 1e3], ["ms", 1]] as const;

/** All ticks in the greatest unit that fits into `ms`. */
function inUnitOf(ms: number): [unit: string, format: Format] {
  const [unit, length] = UNITS.find(([, length]) => ms >= length) ??
    ["µs", 1e-3];
  return [unit, (value) => tidy(value / length)];
}

/** Times in ms; on a log axis if asked for, or if they differ by much. */
export function durations(label: string, scale?: "log"): Scale {
  return (values) => {
    const [least, most] = rangeOf(values);
    if (scale === "log" || most >= LOG_FROM * least) {
      return log(label, [least, most], formatDuration);
    }
    const [unit, format] = inUnitOf(2 * most);
    return linear(`${label}, ${unit}`, most, format);
  };
}

/** Milliseconds since the start of a run, in the steps of a clock. */
export const elapsed: Scale = (values) => {
  const [, end] = rangeOf(values);
  const at = scaleUtc().domain([0, end]).range([0, 1]).clamp(true);
  const [unit, format] = inUnitOf(end / 2);
  const ticks = ticksAt(at.ticks(TICKS).map(Number), format);
  return { label: `time since the start, ${unit}`, at, ticks };
};

/** Up to one of a million: labels with more nines would overlap. */
const NINES = [10, 100, 1e3, 1e4, 1e5, 1e6];

/** Percentiles, on which each further nine takes the same length. */
export const percentiles: Scale = (values) => {
  // 1 at 0 %, 10 at 90 %, 100 at 99 %.
  const oneIn = (percentile: number) => 100 / (100 - Math.min(100, percentile));
  const end = Math.min(1e6, Math.max(10, rangeOf(values.map(oneIn))[1]));
  const scale = scaleLog().domain([1, end]).clamp(true);
  const first = end < 1e5 ? [1, 2] : [2];
  const ticks = [...first, ...NINES.filter((n) => n <= end)]
    .map((n) => Number((100 - 100 / n).toFixed(4)));
  return {
    label: "percentile",
    at: (percentile) => scale(oneIn(percentile)),
    ticks: ticksAt(ticks, (percentile) => `${percentile}%`),
  };
};
