/**
 * How much the latency varies from one reply to the next, in constant memory.
 *
 * ```ts
 * import { Jitter } from "./jitter.ts";
 * const jitter = new Jitter();
 * for (const rtt of [1, 4, 2]) jitter.record(rtt);
 * jitter.mean; // (3 + 2) / 2 = 2.5 ms
 * ```
 *
 * @module
 */

/**
 * The mean absolute difference of successive round trips. The difference is that
 * of RFC 3550, section 6.4.1 (|D(i-1, i)|), with round trips for its one-way
 * times; like there, successive means in order of arrival, so a lost probe is
 * skipped. RFC 3550 smooths the differences, because its reader wants the
 * current value; a summary wants all of the run, so this is their plain mean.
 */
export class Jitter {
  #last: number | undefined;
  #sum = 0;
  #count = 0;

  /** Records the round-trip time of the next reply, in milliseconds. */
  record(ms: number): void {
    if (this.#last !== undefined) {
      this.#sum += Math.abs(ms - this.#last);
      this.#count++;
    }
    this.#last = ms;
  }

  /** The mean difference in milliseconds; 0 with fewer than two replies. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }
}
