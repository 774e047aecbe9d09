/**
 * The intervals of a run as a table: what the charts over time are drawn from.
 *
 * ```ts
 * import { intervalTable } from "./interval_table.ts";
 * ```
 *
 * @module
 */

import { count, fixed, milliseconds, rate } from "./format.ts";
import type { Markup } from "./markup.ts";
import { dataTable } from "./table.ts";
import type { Interval } from "../stats/interval.ts";

/** Rows that a reader may look through; a day has 86,400 seconds. */
const MAX_ROWS = 300;

/**
 * Neighbours as one interval. Percentiles cannot be added up, so that theirs are
 * the highest.
 */
function merge(group: readonly Interval[], from: number): Interval {
  const last = group.at(-1)!;
  const sum = (pick: (interval: Interval) => number) =>
    group.reduce((total, interval) => total + pick(interval), 0);
  const most = (pick: (interval: Interval) => number) =>
    group.reduce((max, interval) => Math.max(max, pick(interval)), 0);
  const messages = sum((interval) => interval.messages);
  const length = last.elapsed - from;
  return {
    elapsed: last.elapsed,
    timestamp: last.timestamp,
    messages,
    messagesPerSecond: group.length === 1
      ? last.messagesPerSecond
      : length > 0
      ? messages / length * 1_000
      : 0,
    errors: sum((interval) => interval.errors),
    p50: most((interval) => interval.p50),
    p99: most((interval) => interval.p99),
    max: most((interval) => interval.max),
  };
}

/** At most `rows` intervals, each of equally many of the given ones. */
export function mergeIntervals(
  intervals: readonly Interval[],
  rows: number,
): Interval[] {
  const size = Math.max(1, Math.ceil(intervals.length / rows));
  const merged: Interval[] = [];
  for (let i = 0; i < intervals.length; i += size) {
    const from = intervals[i - 1]?.elapsed ?? 0;
    merged.push(merge(intervals.slice(i, i + size), from));
  }
  return merged;
}

/** All intervals, or groups of them if there are too many to read. */
export function intervalTable(
  intervals: readonly Interval[],
  failures: string,
): Markup | undefined {
  if (intervals.length === 0) return undefined;
  const rows = mergeIntervals(intervals, MAX_ROWS);
  const size = Math.ceil(intervals.length / rows.length);
  return dataTable({
    caption: size === 1
      ? "Figures over time: data"
      : `Figures over time: data (each row is ${size} intervals; p50 and p99 are the highest of them)`,
    columns: [
      "time (s)",
      "messages",
      "messages/s",
      failures,
      "p50 (ms)",
      "p99 (ms)",
      "max (ms)",
      "ended at",
    ],
    rows: rows.map((row) => [
      fixed(row.elapsed / 1_000, 1),
      count(row.messages),
      rate(row.messagesPerSecond),
      count(row.errors),
      ...[row.p50, row.p99, row.max].map((ms) =>
        milliseconds(row.messages > 0 ? ms : NaN)
      ),
      row.timestamp,
    ]),
  });
}
