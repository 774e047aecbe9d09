/**
 * Scales: where a value lies on an axis, from 0 to 1, and the ticks of the
 * axis. Each takes any numbers and never yields one that is not finite.
 *
 * ```ts
 * import { count } from "./format.ts";
 * import { linearScale } from "./scale.ts";
 * linearScale(43, { format: count }).ticks; // 0, 10, 20, 30, 40, 50
 * ```
 *
 * @module
 */

import { duration, NBSP, unitOf } from "./format.ts";

/** A place on an axis with its label. */
export interface Tick {
  /** Where. */
  value: number;
  /** What stands there. */
  label: string;
  /** Its label gives way where the axis is narrow. */
  minor?: boolean | undefined;
}

/** An axis. */
export interface Scale {
  /** From the least to the greatest. */
  readonly ticks: readonly Tick[];
  /** Whether equal distances are equal ratios. */
  readonly log: boolean;
  /** From 0 to 1; `undefined` for what has no place, as 0 has on a log axis. */
  at(value: number): number | undefined;
}

/** How a scale writes its ticks. */
export interface ScaleOptions {
  /** The label of a tick. */
  format: (value: number) => string;
  /**
   * About how many steps the ticks make.
   * @default {5}
   */
  steps?: number | undefined;
}

/** From this ratio of the greatest to the least on, small values need a log. */
const LOG_FROM = 25;

/**
 * What an axis can show. Within these bounds no power of ten and no multiple of
 * a step leaves the range of a double.
 */
const LEAST = 1e-12, GREATEST = 1e300;

/** `value` within 0 to 1. */
export function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** `value` within what an axis can show, `otherwise` if it is not positive. */
export function showable(value: number, otherwise: number): number {
  return value > 0 ? Math.min(GREATEST, Math.max(LEAST, value)) : otherwise;
}

/** The next of 1, 2 and 5 times a power of ten. */
export function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const nice = [1, 2, 5, 10].find((n) => raw <= n * power * (1 + 1e-9)) ?? 10;
  return nice * power;
}

/** Without the error of binary fractions, as in 3 × 0.1. */
export function clean(value: number): number {
  return Number(value.toPrecision(12));
}

/** From 0 to `max`, rounded up to a whole step. */
export function linearScale(max: number, options: ScaleOptions): Scale {
  const { format, steps = 5 } = options;
  const step = niceStep(showable(max, 1) / steps);
  const last = Math.max(1, Math.ceil(clean(showable(max, 1) / step)));
  const top = clean(last * step);
  const ticks = Array.from({ length: last + 1 }, (_, i) => {
    const value = clean(i * step);
    return { value, label: format(value) };
  });
  return {
    ticks,
    log: false,
    at: (value) => Number.isFinite(value) ? clamp(value / top) : undefined,
  };
}

/** From `min` to `max`, each rounded away to 1, 2 or 5 times a power of ten. */
export function logScale(
  min: number,
  max: number,
  { format }: Pick<ScaleOptions, "format">,
): Scale {
  const low = roundDown(showable(min, 1));
  // A single value at a tick would leave an axis of no length.
  const high = niceStep(Math.max(showable(max, low), 2 * low));
  // Not the logarithm of the ratio, which may be too large for a double.
  const start = Math.log10(low);
  const decades = Math.log10(high) - start;
  return {
    ticks: logTicks(low, high, format),
    log: true,
    at: (value) =>
      value > 0 && Number.isFinite(value)
        ? clamp((Math.log10(value) - start) / decades)
        : undefined,
  };
}

/** The greatest of 1, 2 and 5 times a power of ten that is no more. */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const nice = [5, 2, 1].find((n) => n * power <= value * (1 + 1e-9)) ?? 1;
  return nice * power;
}

/** Powers of ten; over a few decades, 2 and 5 times them as well. */
function logTicks(
  low: number,
  high: number,
  format: (value: number) => string,
): Tick[] {
  const first = Math.floor(Math.log10(low * (1 + 1e-9)));
  const last = Math.ceil(Math.log10(high * (1 - 1e-9)));
  const decades = last - first;
  const mantissas = decades <= 3 ? [1, 2, 5] : [1];
  // About six labels are readable side by side.
  const every = Math.max(1, Math.ceil(decades / 6));
  const ticks: Tick[] = [];
  for (let exponent = first; exponent <= last; exponent += every) {
    for (const mantissa of mantissas) {
      const value = clean(mantissa * 10 ** exponent);
      if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
      ticks.push({
        value,
        label: format(value),
        minor: mantissa !== 1 && decades > 1,
      });
    }
  }
  return ticks;
}

/** The least and greatest of the values that are above 0. */
export function positiveRange(
  values: Iterable<number | undefined>,
): { min: number; max: number } | undefined {
  let min = Infinity, max = 0;
  for (const value of values) {
    if (value === undefined || !(value > 0) || value === Infinity) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return max > 0 ? { min, max } : undefined;
}

/** Linear from 0, or logarithmic if the values differ by much. */
export function suitableScale(
  values: readonly (number | undefined)[],
  options: ScaleOptions,
): Scale {
  const range = positiveRange(values);
  return range && range.max / range.min >= LOG_FROM
    ? logScale(range.min, range.max, options)
    : linearScale(range?.max ?? 0, options);
}

/** The same for times in ms; all ticks of a linear axis are in one unit. */
export function latencyScale(values: readonly (number | undefined)[]): Scale {
  const scale = suitableScale(values, { format: duration });
  if (scale.log) return scale;
  const { unit, length } = unitOf(scale.ticks.at(-1)?.value ?? 0);
  return {
    ...scale,
    ticks: scale.ticks.map(({ value }) => ({
      value,
      label: value === 0 ? "0" : `${clean(value / length)}${NBSP}${unit}`,
    })),
  };
}
