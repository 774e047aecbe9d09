/**
 * Durations and counts as text, for logs, reports and errors.
 *
 * @module
 */

/** Milliseconds as `12 ms`, or as `3.4 s` from one second on. */
export function formatDuration(ms: number): string {
  const rounded = Math.round(ms);
  return rounded < 1_000
    ? `${rounded} ms`
    : `${Number((ms / 1_000).toFixed(1))} s`;
}

/** A number with a comma between groups of three digits: `1,234`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `1 connection`, `2 connections`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
