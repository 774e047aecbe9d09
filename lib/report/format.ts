/**
 * Figures as text, with units that suit their size. What is not a finite
 * number is a dash.
 *
 * ```ts
 * import { count, duration } from "./format.ts";
 * duration(0.0423); // "42.3 µs"
 * count(48213); // "48,213"
 * ```
 *
 * @module
 */

/** Between a number and its unit, so that no line breaks there. */
export const NBSP = "\u00a0";

/** Stands where there is no figure. */
export const NONE = "–";

/** The histogram resolves latencies to three significant digits. */
const DIGITS = 3;

function significant(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: DIGITS });
}

/** The unit for a time of this many milliseconds, and its length in ms. */
export function unitOf(ms: number): { unit: string; length: number } {
  // Rounded first: 0.9996 ms is 1 ms, and not 1,000 µs.
  const rounded = Number(Math.abs(ms).toPrecision(DIGITS));
  if (rounded >= 1_000) return { unit: "s", length: 1_000 };
  return rounded >= 1 || rounded === 0
    ? { unit: "ms", length: 1 }
    : { unit: "µs", length: 1e-3 };
}

/** Milliseconds in the unit that suits them: `42.3 µs`, `1.5 ms`, `2 s`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return NONE;
  const { unit, length } = unitOf(ms);
  return `${significant(ms / length)}${NBSP}${unit}`;
}

/** How long something took, for people: `10.0 s`, `2 min 5 s`, `1 h 3 min`. */
export function elapsed(ms: number): string {
  if (!Number.isFinite(ms)) return NONE;
  if (ms < 1_000) return duration(ms);
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${(ms / 1_000).toFixed(1)}${NBSP}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}${NBSP}min ${seconds % 60}${NBSP}s`;
  const hours = Math.floor(minutes / 60);
  return `${count(hours)}${NBSP}h ${minutes % 60}${NBSP}min`;
}

/** Milliseconds without the unit, three decimals, for the cell of a table. */
export function milliseconds(ms: number): string {
  return fixed(ms, 3);
}

/** A number with so many decimals, thousands separated. */
export function fixed(value: number, decimals: number): string {
  return Number.isFinite(value)
    ? value.toLocaleString("en-US", {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    })
    : NONE;
}

/** A whole number, thousands separated. */
export function count(value: number): string {
  return fixed(value, 0);
}

/** A rate: whole from 100 on, with three significant digits below. */
export function rate(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  return value >= 100 ? count(value) : significant(value);
}

/** A share from 0 to 1 as a percentage. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return NONE;
  return `${
    (share * 100).toLocaleString("en-US", { maximumFractionDigits: 3 })
  }${NBSP}%`;
}

/** Bytes a second, in decimal units as networks have them. */
export function bandwidth(bytesPerSecond: number): string {
  if (!Number.isFinite(bytesPerSecond)) return NONE;
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] as const) {
    if (bytesPerSecond >= size) {
      return `${significant(bytesPerSecond / size)}${NBSP}${unit}/s`;
    }
  }
  return `${significant(bytesPerSecond)}${NBSP}B/s`;
}

/**
 * A count for an axis, with space for about nine characters: from ten
 * millions on, or from `from`, with a prefix of the SI.
 */
export function axisCount(value: number, from = 1e7): string {
  if (!Number.isFinite(value)) return NONE;
  if (value >= 1e15) return value.toExponential(0).replace("e+", "e");
  for (const [prefix, size] of [["T", 1e12], ["G", 1e9], ["M", 1e6]] as const) {
    if (value >= Math.max(size, from)) {
      return `${significant(value / size)}${NBSP}${prefix}`;
    }
  }
  return value.toLocaleString("en-US", { maximumSignificantDigits: 6 });
}

/** A count where it is large print: from a million on with three digits. */
export function shortCount(value: number): string {
  return value < 1e6 ? rate(value) : axisCount(value, 1e6);
}

/** `1 message`, `2 messages`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}
