/**
 * Pauses between attempts that grow exponentially, with jitter: clients that
 * lost their connections at the same moment do not retry at the same moment.
 *
 * @module
 */

/** The bounds of the pauses, in milliseconds. */
export interface BackoffOptions {
  /** The upper bound of the first pause. */
  first: number;
  /** The upper bound of all pauses. */
  last: number;
  /** Returns numbers from 0 to 1, in place of `Math.random`. */
  random?: () => number;
}

/** Pauses whose upper bound doubles. Each is at least half of its bound. */
export class Backoff {
  readonly #options: BackoffOptions;
  #bound: number;

  /** Starts with the first pause. */
  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#bound = options.first;
  }

  /** Returns the milliseconds to wait before the next attempt. */
  next(): number {
    const { last, random = Math.random } = this.#options;
    const bound = this.#bound;
    this.#bound = Math.min(2 * bound, last);
    return bound / 2 * (1 + random());
  }

  /** Starts over with the first pause. */
  reset(): void {
    this.#bound = this.#options.first;
  }
}
