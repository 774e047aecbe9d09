/**
 * Writes that a TLS session has been given, in order. Each is done once the
 * session has taken all of it and the ciphertext has been sent.
 *
 * ```ts
 * import { PendingWrites } from "./pending_writes.ts";
 * const writes = new PendingWrites(() => stream.sending);
 * const count = await writes.add(5, (taken) => socket.write("hello", taken));
 * ```
 *
 * @module
 */

interface PendingWrite {
  count: number;
  /** Whether the session has taken all of it. */
  taken: boolean;
  resolve(count: number): void;
  reject(error: unknown): void;
}

/** The writes under way, which is one where each is waited for. */
export class PendingWrites {
  readonly #sending: () => boolean;
  #writes: PendingWrite[] = [];

  /** `sending` tells whether ciphertext is still to be sent. */
  constructor(sending: () => boolean) {
    this.#sending = sending;
  }

  /** Whether there are none. */
  get empty(): boolean {
    return this.#writes.length === 0;
  }

  /** Starts a write; resolves with its count of bytes once it is done. */
  add(count: number, start: (taken: () => void) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      const write = { count, taken: false, resolve, reject };
      this.#writes.push(write);
      start(() => {
        write.taken = true;
        if (!this.#sending()) this.settle();
      });
    });
  }

  /** All ciphertext has been sent: what the session has taken is done. */
  settle(): void {
    while (this.#writes[0]?.taken) {
      const { count, resolve } = this.#writes.shift()!;
      resolve(count);
    }
  }

  /** None of them will be done. */
  fail(error: unknown): void {
    for (const { reject } of this.#writes) reject(error);
    this.#writes = [];
  }
}
