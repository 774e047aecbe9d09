/**
 * Latencies in bounded memory, however many there are: any percentile by its exact
 * rank, and the exact mean and deviation. Histograms add up without loss.
 *
 * A value is counted by the leading bits of its floating-point form: its exponent,
 * and the first bits of its mantissa. Within each doubling the buckets are of equal
 * width, so the relative error is bounded (as in HdrHistogram, Gil Tene).
 *
 * ```ts
 * import { Histogram } from "./histogram.ts";
 *
 * const latencies = new Histogram();
 * for (const ms of [0.2, 0.3, 9]) latencies.record(ms);
 * latencies.percentile(50); // 0.3 ms
 * ```
 *
 * @module
 */

/** How many latencies were at least `from` and less than `to`, in ms. */
export interface Bucket {
  /** The shortest of them may be this long. */
  from: number;
  /** All of them are shorter. */
  to: number;
  /** How many there are. */
  count: number;
}

/** A histogram as JSON. Without values, it has no figures. */
export interface HistogramJson {
  /** Bits of the mantissa that tell its buckets apart. */
  bits: number;
  /** How many values there are. */
  count: number;
  /** The shortest, ms. */
  min?: number;
  /** The longest, ms. */
  max?: number;
  /** The mean, ms. */
  mean?: number;
  /** The standard deviation, ms. */
  deviation?: number;
  /** The buckets that are not empty, and their counts. */
  counts: [bucket: number, count: number][];
}

/**
 * Bits of the mantissa by default: 1,024 buckets a doubling. A percentile is the
 * middle of its bucket, so that it is off by at most 0.05 %.
 */
const MANTISSA_BITS = 10;

/** Of a 32-bit float (IEEE 754). */
const FLOAT_MANTISSA_BITS = 23;

/** Shorter latencies count as 2^-20 ms, about 1 ns. */
const MIN_EXPONENT = -20;

/** Longer ones than 2^24 ms, over four hours, are in the last bucket. */
const DOUBLINGS = 44;

/** Exponents are stored with this bias (IEEE 754). */
const FLOAT_BIAS = 127;

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The least number of values of which a percentile is not just the largest. */
export function neededFor(percentile: number): number {
  // 1 / (1 - p), rounded to the digits that p has: 100 - 99.9 is not quite 0.1.
  return Math.ceil(+(100 / (100 - percentile)).toPrecision(9));
}

/** Latencies; see above. */
export class Histogram {
  /** How many were recorded. */
  count = 0;
  /** The shortest, exactly; `Infinity` if there are none. */
  min: number = Infinity;
  /** The longest, exactly; 0 if there are none. */
  max = 0;
  /** The arithmetic mean, exactly; 0 if there are none. */
  mean = 0;
  /** The sum of the squared distances from the mean (Welford, 1962). */
  #squares = 0;
  readonly #bits: number;
  /** The counts of each doubling. Most runs need few of them. */
  readonly #doublings: (Float64Array | undefined)[] = new Array(DOUBLINGS);

  /** Values are told apart by `bits` of their mantissa, from 1 to 23. */
  constructor(bits: number = MANTISSA_BITS) {
    this.#bits = bits;
  }

  /** Records a latency in milliseconds, so many times. */
  record(ms: number, times = 1): void {
    const distance = ms - this.mean;
    this.count += times;
    this.mean += distance * times / this.count;
    this.#squares += distance * (ms - this.mean) * times;
    if (ms < this.min) this.min = ms;
    if (ms > this.max) this.max = ms;
    this.#add(bucketOf(ms, this.#bits), times);
  }

  /** The standard deviation, exactly; 0 if there are none. */
  get deviation(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.#squares / this.count);
  }

  /**
   * Adds all values of another histogram, as if they had been recorded here. Both
   * have the same number of bits.
   */
  add(other: Histogram): void {
    if (other.count === 0) return;
    if (other.#bits !== this.#bits) {
      throw new RangeError(
        `Cannot add a histogram of ${other.#bits} bits to one of ${this.#bits}`,
      );
    }
    // Chan, Golub and LeVeque, 1979.
    const count = this.count + other.count;
    const distance = other.mean - this.mean;
    this.#squares += other.#squares +
      distance * distance * this.count * other.count / count;
    this.mean += distance * other.count / count;
    this.count = count;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    for (const [bucket, n] of other.#counts()) this.#add(bucket, n);
  }

  /**
   * The least latency that `p` % of all do not exceed (the nearest rank), in
   * milliseconds. `p` is from 0, the shortest, to 100, the longest. `null` if there
   * are none.
   */
  percentile(p: number): number | null {
    if (this.count === 0) return null;
    // The product may be off in its last digits, which must not be the next rank.
    return this.atRank(Math.ceil(this.count * p / 100 * (1 - 1e-12)));
  }

  /** The latency of a rank from 1, the shortest, to `count`, the longest. */
  atRank(rank: number): number {
    if (rank <= 1) return this.min;
    if (rank >= this.count) return this.max;
    let left = rank;
    for (const [bucket, n] of this.#counts()) {
      left -= n;
      if (left > 0) continue;
      const middle = (edge(bucket, this.#bits) + edge(bucket + 1, this.#bits)) /
        2;
      return Math.min(Math.max(middle, this.min), this.max);
    }
    return this.max;
  }

  /**
   * The counts by size, in buckets of half a doubling: 1 to 1.5 and 1.5 to 2 times
   * a power of two. From the first that has any to the last.
   */
  buckets(): Bucket[] {
    const halves = new Float64Array(2 * DOUBLINGS);
    for (const [bucket, n] of this.#counts()) {
      halves[bucket >> (this.#bits - 1)]! += n;
    }
    const all = Array.from(halves, (count, i) => ({
      from: edge(i, 1),
      to: edge(i + 1, 1),
      count,
    }));
    const first = all.findIndex(({ count }) => count > 0);
    const last = all.findLastIndex(({ count }) => count > 0);
    return first < 0 ? [] : all.slice(first, last + 1);
  }

  /** All of it for JSON, with the buckets that are not empty and their counts. */
  toJSON(): HistogramJson {
    const { count, min, max, mean, deviation } = this;
    const figures = count === 0 ? {} : { min, max, mean, deviation };
    return { bits: this.#bits, count, ...figures, counts: [...this.#counts()] };
  }

  #add(bucket: number, n: number): void {
    const doubling = bucket >> this.#bits;
    const counts = this.#doublings[doubling] ??= new Float64Array(
      1 << this.#bits,
    );
    counts[bucket & ((1 << this.#bits) - 1)]! += n;
  }

  /** The buckets that are not empty, in ascending order. */
  *#counts(): Generator<[bucket: number, count: number]> {
    for (const [doubling, counts] of this.#doublings.entries()) {
      for (let i = 0; counts && i < counts.length; i++) {
        if (counts[i]! > 0) yield [(doubling << this.#bits) + i, counts[i]!];
      }
    }
  }
}

/** The bucket of a latency: its float without the low bits, from the shortest on. */
function bucketOf(ms: number, bits: number): number {
  float[0] = ms;
  const offset = (FLOAT_BIAS + MIN_EXPONENT) << bits;
  const bucket = (floatBits[0]! >>> (FLOAT_MANTISSA_BITS - bits)) - offset;
  return Math.min(Math.max(bucket, 0), (DOUBLINGS << bits) - 1);
}

/** The shortest latency of a bucket, in milliseconds. */
function edge(bucket: number, bits: number): number {
  const doubling = bucket >> bits;
  const part = (bucket & ((1 << bits) - 1)) / (1 << bits);
  return 2 ** (doubling + MIN_EXPONENT) * (1 + part);
}
