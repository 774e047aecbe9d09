/**
 * Bytes that the faults of a server hold for all its connections, and their limit.
 *
 * @module
 */

/** A sum with a limit. */
export class HeldBytes {
  readonly #limit: number;
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  /** Holds nothing yet. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#held;
  }

  /** Whether no more may be held. */
  get full(): boolean {
    return this.#held >= this.#limit;
  }

  /** Adds to what is held, or with a negative number takes from it. */
  add(bytes: number): void {
    this.#held += bytes;
    this.wake();
  }

  /** Resolves when there may be room. Call `wake` after using it, or not using it. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Wakes who waits longest, if there is room. */
  wake(): void {
    if (!this.full) this.#waiting.shift()?.();
  }
}
