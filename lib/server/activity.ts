/**
 * How long a connection has been silent, as far as those who look at it now and then
 * can tell.
 *
 * @module
 */

/** A count that is looked at now and then. */
export class Activity {
  #count = 0;
  #changedAt: number = performance.now();

  /** Milliseconds since the look that saw the last change of the count. */
  silence(count: number): number {
    const now = performance.now();
    if (count !== this.#count) {
      this.#count = count;
      this.#changedAt = now;
    }
    return now - this.#changedAt;
  }
}
