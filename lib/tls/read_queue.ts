/**
 * Connects chunks that arrive with reads that wait for them. A chunk may be
 * larger or smaller than the buffer of a read.
 *
 * ```ts
 * import { ReadQueue } from "./read_queue.ts";
 *
 * const queue = new ReadQueue();
 * const reading = queue.read(new Uint8Array(2));
 * queue.push(Uint8Array.of(1, 2, 3));
 * await reading; // 2
 * ```
 *
 * @module
 */

interface PendingRead extends PromiseWithResolvers<number | null> {
  into: Uint8Array;
}

/** A queue of chunks. It does not limit them; its owner does. */
export class ReadQueue {
  readonly #chunks: Uint8Array[] = [];
  #pending: PendingRead | undefined;
  #ended = false;
  #error: unknown;

  /** Whether a read waits for a chunk. */
  get waiting(): boolean {
    return this.#pending !== undefined;
  }

  /** Whether `end` was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Fills `into` with the bytes that are there, or waits for the next ones.
   * Resolves with their number, or with `null` after the end.
   */
  read(into: Uint8Array): Promise<number | null> {
    if (this.#chunks.length > 0) return Promise.resolve(this.#dequeue(into));
    if (this.#ended) return Promise.resolve(null);
    if (this.#error) return Promise.reject(this.#error);
    if (this.#pending) {
      return Promise.reject(new Deno.errors.Busy("another read is pending"));
    }
    this.#pending = { into, ...Promise.withResolvers<number | null>() };
    return this.#pending.promise;
  }

  /** Adds a chunk, without a copy. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(this.#dequeue(pending.into));
  }

  /** No chunk will follow. */
  end(): void {
    this.#ended = true;
    this.#pending?.resolve(null);
    this.#pending = undefined;
  }

  /** Rejects reads, as soon as the chunks before are read. */
  fail(error: unknown): void {
    this.#error = error;
    this.#pending?.reject(error);
    this.#pending = undefined;
  }

  #dequeue(into: Uint8Array): number {
    let count = 0;
    while (count < into.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, into.length - count);
      into.set(part, count);
      count += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    return count;
  }
}
