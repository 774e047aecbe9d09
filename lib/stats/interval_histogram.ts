/**
 * The latencies of an interval: percentiles to within 0.4 %. Recording costs a few
 * nanoseconds, which is why `Histogram` is not used a second time for each message.
 *
 * ```ts
 * import { IntervalHistogram } from "./interval_histogram.ts";
 *
 * const latencies = new IntervalHistogram();
 * latencies.record(0.25);
 * latencies.percentile(99); // 0.25 ms
 * latencies.clear();
 * ```
 *
 * @module
 */

/**
 * The leading bits of the mantissa that choose a bucket. There are 2^7 buckets for
 * each doubling, so half of the width of a bucket is at most 0.4 % of its values.
 */
const MANTISSA_BITS = 7;

/** The bits of a 32-bit float that are dropped. */
const SHIFT = 23 - MANTISSA_BITS;

/** The shortest latency is 2^-20 ms, about 1 ns. */
const MIN_EXPONENT = -20;

/** The longest is 2^24 ms, over four hours. */
const DOUBLINGS = 44;

/** The bucket of a float is its bits without the low ones, less this. */
const OFFSET = (127 + MIN_EXPONENT) << MANTISSA_BITS;

const BUCKETS = DOUBLINGS << MANTISSA_BITS;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The latencies of an interval. */
export class IntervalHistogram {
  #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #min = Infinity;
  #max = 0;

  /** The longest; 0 if there are none. */
  get max(): number {
    return this.#max;
  }

  /** Records a latency in milliseconds. */
  record(ms: number): void {
    this.#count++;
    if (ms < this.#min) this.#min = ms;
    if (ms > this.#max) this.#max = ms;
    float[0] = ms;
    const bucket = (bits[0]! >>> SHIFT) - OFFSET;
    this.#buckets[Math.min(Math.max(bucket, 0), BUCKETS - 1)]!++;
  }

  /** `p` % of the latencies are no longer, in milliseconds; 0 if there are none. */
  percentile(p: number): number {
    if (this.#count === 0) return 0;
    let left = Math.max(1, Math.ceil(this.#count * p / 100));
    let bucket = 0;
    while ((left -= this.#buckets[bucket]!) > 0) bucket++;
    const middle = (edge(bucket) + edge(bucket + 1)) / 2;
    return Math.min(Math.max(middle, this.#min), this.#max);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
    this.#min = Infinity;
    this.#max = 0;
  }
}

/** The shortest latency of a bucket, in milliseconds. */
function edge(bucket: number): number {
  bits[0] = (bucket + OFFSET) << SHIFT;
  return float[0]!;
}
