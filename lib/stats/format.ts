/**
 * Figures as text: durations, counts, rates and bytes with three significant
 * digits and a unit that suits their size. What is no finite number is a dash.
 *
 * It does without `toLocaleString`: its first call initialises ICU, which takes 16
 * ms (measured), and a client that stands still measures itself.
 *
 * ```ts
 * import { formatCount, formatDuration, plural } from "./format.ts";
 *
 * formatDuration(0.0423); // "42.3 µs"
 * formatCount(48213.4); // "48,213"
 * plural(2, "connection"); // "2 connections"
 * ```
 *
 * @module
 */

/** A figure, or nothing that could be said. */
type Figure = number | null | undefined;

/** Stands where there is no figure. */
export const NONE = "–";

/** No latency is resolved finer in a histogram. */
const DIGITS = 3;

function isFigure(value: Figure): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** A number with so many decimals, thousands separated: `1,234.50`. */
export function formatFixed(value: Figure, decimals: number): string {
  if (!isFigure(value)) return NONE;
  const [whole, fraction] = value.toFixed(decimals).split(".");
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A whole number: `1,234`. */
export function formatCount(value: Figure): string {
  return formatFixed(value, 0);
}

/** Three significant digits, without zeros at the end. */
function significant(value: number): string {
  const rounded = +value.toPrecision(DIGITS);
  return Math.abs(rounded) >= 1_000 ? formatCount(rounded) : `${rounded}`;
}

/** A number a second: whole from 100 on, with three significant digits below. */
export function formatRate(value: Figure): string {
  if (!isFigure(value)) return NONE;
  return value >= 100 ? formatCount(value) : significant(value);
}

/** Milliseconds: `42.3 µs`, `1.5 ms`, `2 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatDuration(ms: Figure): string {
  if (!isFigure(ms)) return NONE;
  // Rounded first: 0.9996 ms is 1 ms, and not 1,000 µs.
  const rounded = +ms.toPrecision(DIGITS);
  if (rounded < 1 && rounded !== 0) return `${significant(ms * 1e3)} µs`;
  if (rounded < 1e3) return `${significant(ms)} ms`;
  const seconds = Math.round(ms / 1e3);
  if (seconds < 120) return `${significant(ms / 1e3)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min ${seconds % 60} s`;
  return `${formatCount(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** A share from 0 to 1: `1.47%`. */
export function formatPercent(share: Figure): string {
  if (!isFigure(share)) return NONE;
  return `${+(share * 100).toPrecision(DIGITS)}%`;
}

/** Bytes in decimal units, as networks have them: `63.5 MB`. */
export function formatBytes(bytes: Figure): string {
  if (!isFigure(bytes)) return NONE;
  const rounded = +bytes.toPrecision(DIGITS);
  for (
    const [unit, size] of [
      ["TB", 1e12],
      ["GB", 1e9],
      ["MB", 1e6],
      ["kB", 1e3],
    ] as const
  ) {
    if (rounded >= size) return `${significant(bytes / size)} ${unit}`;
  }
  return `${significant(bytes)} B`;
}

/** `1 connection`, `2 connections`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
