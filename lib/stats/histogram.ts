/**
 * Latencies in constant memory, however many there are: percentiles with three
 * significant figures, and counts by size for a picture.
 *
 * ```ts
 * import { Histogram } from "./histogram.ts";
 * const latencies = new Histogram();
 * latencies.record(0.25);
 * latencies.summary().p99; // 0.25 ms
 * ```
 *
 * @module
 */

// As a whole: Denos before 2.8 lack the name, and are to get so far that they
// can be refused.
import perfHooks from "node:perf_hooks";

/** What latencies come to, all in milliseconds; 0 where there are none. */
export interface LatencySummary {
  /** The shortest. */
  min: number;
  /** The arithmetic mean. */
  mean: number;
  /** The standard deviation, which ping(8) calls mdev. */
  stddev: number;
  /** Half of them take no longer. */
  p50: number;
  /** 90 % take no longer. */
  p90: number;
  /** 99 % take no longer. */
  p99: number;
  /** 99.9 % take no longer. */
  p999: number;
  /** The longest. */
  max: number;
}

/** How many latencies were at least `from` and less than `to`, in ms. */
export interface Bucket {
  /** The least of them may be this long. */
  from: number;
  /** All of them are shorter. */
  to: number;
  /** How many there are. */
  count: number;
}

/** A point of the percentile curve. */
export interface Percentile {
  /** From 0 to 100. */
  percentile: number;
  /** This percentage of the latencies is no longer, in milliseconds. */
  latency: number;
}

/** The points of the curve between the shortest and the longest. */
const CURVE = [
  10,
  25,
  50,
  75,
  87.5,
  90,
  93.75,
  95,
  97.5,
  99,
  99.5,
  99.9,
  99.95,
  99.99,
  99.999,
];

/** Of the nanosecond, which the histogram counts in, to the millisecond. */
const NS_PER_MS = 1e6;

/** Two buckets for each doubling, from 1 µs to 2^32 µs, which is over an hour. */
const BUCKETS = 64;

/** The latencies of a run. */
export class Histogram {
  #histogram = perfHooks.createHistogram();
  #buckets = new Float64Array(BUCKETS);
  // Exact, where the histogram has them to three digits.
  #min = Infinity;
  #max = 0;
  #squares = 0;
  #sum = 0;
  #count = 0;

  /** How many were recorded. */
  get count(): number {
    return this.#count;
  }

  /** One more, in milliseconds. */
  record(ms: number): void {
    this.#count++;
    this.#sum += ms;
    this.#squares += ms * ms;
    if (ms < this.#min) this.#min = ms;
    if (ms > this.#max) this.#max = ms;
    // It takes whole numbers from 1 on.
    this.#histogram.record(Math.max(1, Math.round(ms * NS_PER_MS)));
    this.#buckets[bucketOf(ms)]!++;
  }

  /** What they come to. */
  summary(): LatencySummary {
    if (this.#count === 0) {
      return {
        min: 0,
        mean: 0,
        stddev: 0,
        p50: 0,
        p90: 0,
        p99: 0,
        p999: 0,
        max: 0,
      };
    }
    const mean = this.#sum / this.#count;
    return {
      min: this.#min,
      mean,
      stddev: Math.sqrt(Math.max(0, this.#squares / this.#count - mean * mean)),
      p50: this.#percentile(50),
      p90: this.#percentile(90),
      p99: this.#percentile(99),
      p999: this.#percentile(99.9),
      max: this.#max,
    };
  }

  /**
   * The percentile curve, from the shortest at 0 to the longest at 100. A point is
   * left out if fewer than one latency is longer. Empty if there are none.
   */
  percentiles(): Percentile[] {
    if (this.#count === 0) return [];
    // Not 100, because 100 - 99.99 is not exactly 0.01.
    const supported = (p: number) => this.#count * (100 - p) > 99.999;
    return [
      { percentile: 0, latency: this.#min },
      ...CURVE.filter(supported).map((percentile) => ({
        percentile,
        latency: this.#percentile(percentile),
      })),
      { percentile: 100, latency: this.#max },
    ];
  }

  #percentile(p: number): number {
    const latency = this.#histogram.percentile(p) / NS_PER_MS;
    return Math.min(Math.max(latency, this.#min), this.#max);
  }

  /** The counts by size, from the first bucket that has any to the last. */
  buckets(): Bucket[] {
    const all = Array.from(this.#buckets, (count, i) => ({
      from: edge(i),
      to: edge(i + 1),
      count,
    }));
    const first = all.findIndex(({ count }) => count > 0);
    const last = all.findLastIndex(({ count }) => count > 0);
    return first < 0 ? [] : all.slice(first, last + 1);
  }
}

/** By the two leading binary digits of the whole microseconds. */
function bucketOf(ms: number): number {
  const us = Math.min(Math.max(1, Math.floor(ms * 1e3)), 0xffff_ffff);
  const exponent = 31 - Math.clz32(us);
  const half = exponent === 0 ? 0 : (us >>> (exponent - 1)) & 1;
  return 2 * exponent + half;
}

/** The least latency, in ms, that belongs into a bucket. */
function edge(bucket: number): number {
  const us = 2 ** (bucket >> 1) * (bucket & 1 ? 1.5 : 1);
  return us / 1e3;
}
