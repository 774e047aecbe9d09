/**
 * Growing pauses between attempts, with jitter: workers that lose their
 * connections at the same moment do not come back at the same moment.
 *
 * ```ts
 * import { Backoff } from "./backoff.ts";
 * const backoff = new Backoff({ first: 50, last: 2000 });
 * backoff.next(); // from 25 to 50
 * backoff.next(); // from 50 to 100
 * ```
 *
 * @module
 */

/** The bounds of the pauses, in milliseconds. */
export interface BackoffOptions {
  /** The longest that the first pause may be. */
  first: number;
  /** The longest that any pause may be. */
  last: number;
  /** Numbers from 0 to 1, in place of `Math.random`. */
  random?: () => number;
}

/** Pauses that double; each is between half of its bound and all of it. */
export class Backoff {
  #bound: number;
  readonly #last: number;
  readonly #random: () => number;

  /** Begins with the first pause. */
  constructor({ first, last, random = Math.random }: BackoffOptions) {
    this.#bound = first;
    this.#last = last;
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const bound = this.#bound;
    this.#bound = Math.min(2 * bound, this.#last);
    return bound / 2 * (1 + this.#random());
  }
}
