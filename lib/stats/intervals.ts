/**
 * The intervals of a run in bounded memory. Latencies belong to the interval in
 * which a message was due, so that a second in which the server stood still looks
 * like one; replies and errors belong to the one in which they came.
 *
 * An interval is a second. When there are too many, pairs of them are merged, and
 * from then on each covers twice as long.
 *
 * ```ts
 * import { Intervals } from "./intervals.ts";
 *
 * const intervals = new Intervals();
 * intervals.due(950);
 * intervals.reply(950, 100);
 * intervals.received(1_050);
 * intervals.list(1_100, Date.now()).map(({ max }) => max); // [100, null]
 * ```
 *
 * @module
 */

import { Histogram } from "./histogram.ts";
import type { Interval } from "./summaries.ts";

/** Milliseconds of an interval, unless they were merged. */
const SECOND_MS = 1_000;

/** An hour of seconds. */
const MAX_INTERVALS = 3_600;

/**
 * Percentiles to within 0.4 %. With the octaves that most intervals have, that is
 * some 10 kB each.
 */
const MANTISSA_BITS = 7;

/** A shorter interval at the end is left out, unless something happened in it. */
const MIN_INTERVAL_MS = 1;

/** One interval while the run goes on. */
class Entry {
  /** Of all messages due in it, missing ones with the time that they waited. */
  readonly latencies: Histogram = new Histogram(MANTISSA_BITS);
  received = 0;
  errors = 0;
  due = 0;
  /** Replies to what was due in it. */
  replied = 0;

  add(other: Entry): void {
    this.latencies.add(other.latencies);
    this.received += other.received;
    this.errors += other.errors;
    this.due += other.due;
    this.replied += other.replied;
  }
}

/** The intervals of a run. All times are milliseconds from its start. */
export class Intervals {
  /** Milliseconds of an interval. */
  length = SECOND_MS;
  readonly #dueBefore: ((time: number) => number) | undefined;
  readonly #max: number;
  #entries: Entry[] = [];

  /**
   * Keeps at most `max` of them. With a schedule, `dueBefore` knows how many messages
   * are due; otherwise `due` is called for each.
   */
  constructor(
    dueBefore?: (time: number) => number,
    max: number = MAX_INTERVALS,
  ) {
    this.#dueBefore = dueBefore;
    this.#max = max;
  }

  /** Messages were due at a time. */
  due(at: number, count = 1): void {
    this.#at(at).due += count;
  }

  /** The message that was due at a time took so long to come back. */
  reply(due: number, latency: number): void {
    const entry = this.#at(due);
    entry.latencies.record(latency);
    entry.replied++;
  }

  /** A reply came back. */
  received(now: number): void {
    this.#at(now).received++;
  }

  /** Messages did not come back, and had waited for so long. */
  missing(due: number, waited: number, count = 1): void {
    this.#at(due).latencies.record(waited, count);
  }

  /** Something failed. What failed before the start is in the first interval. */
  error(now: number): void {
    this.#at(now).errors++;
  }

  /** The interval that ends at `end`, as far as its messages have come back. */
  until(end: number, startedAt: number): Interval {
    return this.#interval(Math.ceil(end / this.length) - 1, end, startedAt);
  }

  /**
   * The intervals up to `end`. The run started at `startedAt`, in milliseconds since
   * 1970.
   */
  list(end: number, startedAt: number): Interval[] {
    const whole = Math.floor(end / this.length);
    const rest = end - whole * this.length;
    const last = this.#entries[whole];
    const hasRest = rest >= MIN_INTERVAL_MS ||
      last !== undefined && last.due + last.received + last.errors > 0;
    const count = whole + (hasRest ? 1 : 0);
    return Array.from(
      { length: count },
      (_, index) => this.#interval(index, end, startedAt),
    );
  }

  #at(time: number): Entry {
    while (time >= this.#max * this.length) this.#mergePairs();
    // A multiple of the time between two messages may be off in its last digits.
    const index = Math.floor((time + 1e-6) / this.length);
    return this.#entries[Math.max(0, index)] ??= new Entry();
  }

  #mergePairs(): void {
    const merged: Entry[] = [];
    for (const [i, entry] of this.#entries.entries()) {
      if (entry) (merged[i >> 1] ??= new Entry()).add(entry);
    }
    this.#entries = merged;
    this.length *= 2;
  }

  #interval(index: number, end: number, startedAt: number): Interval {
    const entry = this.#entries[index] ?? new Entry();
    const { latencies, received, errors, replied } = entry;
    const from = index * this.length;
    const elapsed = Math.min(end, from + this.length);
    const due = this.#dueBefore
      ? this.#dueBefore(elapsed) - this.#dueBefore(from)
      : entry.due;
    const some = latencies.count > 0;
    return {
      elapsed,
      timestamp: new Date(startedAt + elapsed).toISOString(),
      received,
      receivedPerSecond: elapsed > from
        ? received / (elapsed - from) * SECOND_MS
        : 0,
      errors,
      due,
      missing: due - replied,
      p50: latencies.percentile(50),
      p99: latencies.percentile(99),
      max: some ? latencies.max : null,
    };
  }
}

/** The higher of two figures, if any. */
function higher(a: number | null, b: number | null): number | null {
  return a === null || b === null ? a ?? b : Math.max(a, b);
}

/** Neighbours as one interval, for tables. Its percentiles are the highest. */
function mergeTwo(from: number, a: Interval, b: Interval): Interval {
  const received = a.received + b.received;
  return {
    elapsed: b.elapsed,
    timestamp: b.timestamp,
    received,
    receivedPerSecond: received / (b.elapsed - from) * SECOND_MS,
    errors: a.errors + b.errors,
    due: a.due + b.due,
    missing: a.missing + b.missing,
    p50: higher(a.p50, b.p50),
    p99: higher(a.p99, b.p99),
    max: higher(a.max, b.max),
  };
}

/** At most `rows` intervals, each of equally many neighbours. */
export function mergeIntervals(
  intervals: readonly Interval[],
  rows: number,
): Interval[] {
  const size = Math.max(1, Math.ceil(intervals.length / rows));
  const merged: Interval[] = [];
  for (let i = 0; i < intervals.length; i += size) {
    const from = intervals[i - 1]?.elapsed ?? 0;
    merged.push(
      intervals.slice(i, i + size).reduce((a, b) => mergeTwo(from, a, b)),
    );
  }
  return merged;
}
