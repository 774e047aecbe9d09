/**
 * The latencies of a run, those that never came to an end included. Of a message
 * that did not come back it is only known how long it had waited. It counts as a
 * latency of at least that, so that no figure is better for it.
 *
 * Percentiles are those of RFC 2681, section 4.1: a missing reply is longer than
 * every other one. What was waited gives the lower end.
 *
 * ```ts
 * import { Latencies } from "./latencies.ts";
 *
 * const latencies = new Latencies();
 * for (let i = 0; i < 98; i++) latencies.replies.record(1);
 * for (let i = 0; i < 2; i++) latencies.missing.record(500);
 * latencies.percentile(90); // { atLeast: 1, atMost: 1 }
 * latencies.percentile(99); // { atLeast: 500, atMost: Infinity }
 * ```
 *
 * @module
 */

import { Histogram, neededFor } from "./histogram.ts";

/** The names of the figures of latencies. */
export type LatencyFigure =
  | "min"
  | "mean"
  | "stddev"
  | "p50"
  | "p90"
  | "p99"
  | "p99.9"
  | "max";

/**
 * What latencies come to. `min`, `mean` and `stddev` (mdev in ping(8)) are of the
 * replies. The others are of all messages that were due: one that did not come
 * back counts with the time that it had waited. A percentile needs 1 / (1 - p)
 * messages.
 */
export type LatencySummary =
  & Record<LatencyFigure, number | null>
  & {
    /** The figures that are higher if missing replies would have come later. */
    atLeast: LatencyFigure[];
  };

/** A point of the percentile curve. */
export interface Percentile {
  /** From 0 to 100. */
  percentile: number;
  /** This percentage of the latencies is no longer. */
  latency: number;
  /** Whether it is higher if missing replies would have come later. */
  atLeast: boolean;
}

/** A figure that is not known exactly lies between these, in ms. */
export interface Bounds {
  /** It is not lower. */
  atLeast: number;
  /** It is not higher; `Infinity` if a missing reply could be as late as it likes. */
  atMost: number;
}

/** The percentiles of a summary. */
const PERCENTILES = { p50: 50, p90: 90, p99: 99, "p99.9": 99.9 } as const;

/** The points of the curve between the shortest and the longest. */
const CURVE = [
  ...[10, 25, 50, 75, 87.5, 90, 93.75, 95, 97.5, 99],
  ...[99.5, 99.9, 99.95, 99.99, 99.999],
];

/** The latencies of a run; see above. */
export class Latencies {
  /** Of the messages that came back. */
  readonly replies: Histogram;
  /** How long the others had waited. */
  readonly missing: Histogram;

  /** Both empty by default. */
  constructor(
    replies: Histogram = new Histogram(),
    missing: Histogram = new Histogram(),
  ) {
    this.replies = replies;
    this.missing = missing;
  }

  /** All messages, those that did not come back included. */
  get count(): number {
    return this.replies.count + this.missing.count;
  }

  /**
   * Whether there are enough messages for a percentile: with fewer than 1 / (1 - p)
   * it would be the longest, whatever p.
   */
  supports(p: number): boolean {
    return this.count > 0 && (p === 100 || this.count >= neededFor(p));
  }

  /** A percentile, or `null` if there are too few messages for it. */
  percentile(p: number): Bounds | null {
    return this.supports(p) ? this.#bounds(p, this.#all()) : null;
  }

  /** The mean, or `null` without messages. */
  mean(): Bounds | null {
    if (this.count === 0) return null;
    const { mean } = this.replies;
    const atLeast = this.#all().mean;
    if (this.missing.count === 0) return { atLeast, atMost: atLeast };
    return {
      atLeast: this.replies.count > 0 ? Math.min(mean, atLeast) : atLeast,
      atMost: Infinity,
    };
  }

  /**
   * The figures of a summary. The mean and the deviation are those of the replies:
   * a mean of unknown latencies would say how long the client waits.
   */
  summary(): LatencySummary {
    const { replies } = this;
    const some = replies.count > 0;
    const summary: LatencySummary = {
      min: some ? replies.min : null,
      mean: some ? replies.mean : null,
      stddev: some ? replies.deviation : null,
      ...{ p50: null, p90: null, p99: null, "p99.9": null, max: null },
      atLeast: [],
    };
    const all = this.#all();
    const set = (name: LatencyFigure, p: number) => {
      if (!this.supports(p)) return;
      const { atLeast, atMost } = this.#bounds(p, all);
      summary[name] = atLeast;
      if (atMost > atLeast) summary.atLeast.push(name);
    };
    if (some && this.missing.count > 0) summary.atLeast.push("mean");
    for (
      const name of Object.keys(PERCENTILES) as (keyof typeof PERCENTILES)[]
    ) {
      set(name, PERCENTILES[name]);
    }
    set("max", 100);
    return summary;
  }

  /**
   * The percentile curve, from the shortest at 0 to the longest at 100, as far as
   * there are enough messages. Empty if there are none.
   */
  curve(): Percentile[] {
    const all = this.#all();
    return [0, ...CURVE, 100].filter((p) => this.supports(p)).map((p) => {
      const { atLeast, atMost } = this.#bounds(p, all);
      return { percentile: p, latency: atLeast, atLeast: atMost > atLeast };
    });
  }

  #all(): Histogram {
    if (this.missing.count === 0) return this.replies;
    const all = new Histogram();
    all.add(this.replies);
    all.add(this.missing);
    return all;
  }

  #bounds(p: number, all: Histogram): Bounds {
    const atLeast = all.percentile(p)!;
    if (this.missing.count === 0) return { atLeast, atMost: atLeast };
    const rank = Math.max(1, Math.ceil(all.count * p / 100 * (1 - 1e-12)));
    const { replies } = this;
    const atMost = rank > replies.count ? Infinity : replies.atRank(rank);
    return { atLeast, atMost: Math.max(atLeast, atMost) };
  }
}
