/**
 * The faults `latency` and `jitter`: each chunk is passed on later. Chunks stay
 * in order, and further chunks are accepted while earlier ones are delayed.
 *
 * ```sh
 * deno task server --latency 100ms --jitter 20ms
 * ```
 *
 * @module
 */

import { MAX_QUEUED, type Sink, type StageContext } from "./stage.ts";

interface DelayedChunk {
  readonly bytes: Uint8Array;
  /** The earliest time to pass it on, as in `performance.now()`. */
  readonly sendAt: number;
}

/** Delays chunks; the stage is off if neither fault is set. */
export function latency(next: Sink, context: StageContext): Sink {
  const { latency = 0, jitter = 0 } = context.faults;
  return latency > 0 || jitter > 0 ? new DelayLine(next, context) : next;
}

class DelayLine implements Sink {
  readonly #next: Sink;
  readonly #context: StageContext;
  readonly #random: () => number;
  readonly #queue: DelayedChunk[] = [];
  #queuedBytes = 0;
  /** The delivery under way, which ends when the queue is empty. */
  #delivery: Promise<void> | undefined;
  /** Resolved, and replaced, when the queue gets shorter. */
  #dequeued = Promise.withResolvers<void>();

  constructor(next: Sink, context: StageContext) {
    this.#next = next;
    this.#context = context;
    this.#random = context.random(2);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { signal } = this.#context;
    while (
      this.#queuedBytes > 0 && this.#queuedBytes + chunk.length > MAX_QUEUED
    ) {
      signal.throwIfAborted();
      await this.#dequeued.promise;
    }
    signal.throwIfAborted();
    this.#context.count("latency");
    // A chunk that could be sent earlier than the one before waits for it in the
    // queue.
    const sendAt = performance.now() + this.#delay();
    this.#queue.push({ bytes: chunk.slice(), sendAt });
    this.#queuedBytes += chunk.length;
    if (!this.#delivery) {
      this.#delivery = this.#deliver();
      // `flush` reports the failure. Without a caller it is not an error.
      this.#delivery.catch(() => {});
    }
  }

  async flush(): Promise<void> {
    await this.#delivery;
  }

  /** Milliseconds of the next delay, evenly distributed around the latency. */
  #delay(): number {
    const { latency = 0, jitter = 0 } = this.#context.faults;
    return Math.max(0, latency + (2 * this.#random() - 1) * jitter);
  }

  async #deliver(): Promise<void> {
    try {
      for (let chunk; (chunk = this.#queue[0]);) {
        const wait = chunk.sendAt - performance.now();
        if (wait > 0 && !this.#context.ended()) {
          await this.#context.pause(wait);
        }
        await this.#next.write(chunk.bytes);
        this.#queue.shift();
        this.#queuedBytes -= chunk.bytes.length;
        this.#dequeued.resolve();
        this.#dequeued = Promise.withResolvers();
      }
      // In the same turn as the look at the empty queue: a chunk that is
      // written after it starts the next delivery.
      this.#delivery = undefined;
    } catch (error) {
      // The queue will not get shorter, so writers that wait for it must fail.
      this.#context.fail(error);
      this.#dequeued.resolve();
      throw error;
    }
  }
}
