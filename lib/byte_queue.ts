/**
 * Bytes that have come in chunks and are taken in pieces of another size.
 *
 * ```ts
 * import { ByteQueue } from "./byte_queue.ts";
 * const queue = new ByteQueue();
 * queue.push(Uint8Array.of(1, 2, 3));
 * queue.takeInto(new Uint8Array(2)); // 2
 * ```
 *
 * @module
 */

/** First in, first out. It is for its user to bound what is in it. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];

  /** Whether there is nothing to take. */
  get empty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Adds a chunk, which is not copied. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  /** Fills `into` as far as there are bytes, and tells how many those were. */
  takeInto(into: Uint8Array): number {
    let at = 0;
    while (at < into.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const fits = chunk.length <= into.length - at;
      const part = fits ? chunk : chunk.subarray(0, into.length - at);
      into.set(part, at);
      at += part.length;
      if (fits) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    return at;
  }
}
