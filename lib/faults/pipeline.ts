/**
 * The stages of one setting of faults, in order, in front of a connection. When the
 * faults are replaced, the pipeline is released: what its stages hold is sent at
 * once, in order, and no stage applies to it any more.
 *
 * ```ts
 * import { Pipeline } from "./pipeline.ts";
 *
 * const conn = await Deno.connect({ port: 12345 });
 * const pipeline = new Pipeline({
 *   faults: { slicer: 10 },
 *   acceptedAt: performance.now(),
 *   signal: new AbortController().signal,
 *   random: () => Math.random,
 *   count: console.log,
 *   end: () => Promise.resolve(),
 *   ended: () => false,
 *   fail: console.error,
 * }, { write: async (chunk) => void await conn.write(chunk) });
 * await pipeline.write(new Uint8Array(100));
 * pipeline.release();
 * ```
 *
 * @module
 */

import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
  sleep,
} from "../net/timeout.ts";
import { bandwidth } from "./bandwidth.ts";
import { corrupt } from "./corrupt.ts";
import { cutOff } from "./cut_off.ts";
import { latency } from "./latency.ts";
import { slicer } from "./slicer.ts";
import type { Sink, Stage, StageContext } from "./stage.ts";

/** The stages, in the order in which a chunk passes them. */
const STAGES: readonly Stage[] = [latency, corrupt, cutOff, slicer, bandwidth];

/** What a pipeline needs of its connection. */
export type PipelineContext = Omit<StageContext, "pause" | "after">;

/** The stages of one setting of faults. */
export class Pipeline implements Sink {
  readonly #output: Sink;
  readonly #sinks: Sink[] = [];
  readonly #signal: AbortSignal;
  readonly #released = new AbortController();
  readonly #timers: LongTimeout[] = [];

  /** Puts the stages in front of `output`. */
  constructor(context: PipelineContext, output: Sink) {
    this.#output = output;
    this.#signal = context.signal;
    this.#signal.addEventListener("abort", this.release, { once: true });
    const stages = {
      ...context,
      pause: (ms: number) => this.#pause(ms),
      after: (ms: number, callback: () => void) =>
        void this.#timers.push(setLongTimeout(callback, ms)),
    };
    let next = output;
    for (const stage of STAGES.toReversed()) {
      const sink = stage(next, stages);
      if (sink === next) continue;
      this.#sinks.unshift(sink);
      next = this.#bypassing(sink);
    }
  }

  /** Passes a chunk through the stages. */
  async write(chunk: Uint8Array): Promise<void> {
    const [first = this.#output] = this.#sinks;
    await (this.#isReleased ? this.#output : first).write(chunk);
  }

  /** Resolves when every chunk so far was sent. */
  async flush(): Promise<void> {
    for (const sink of this.#sinks) await sink.flush?.();
  }

  /** Ends all pauses, and lets what is held pass the rest of the stages unchanged. */
  readonly release = (): void => {
    for (const timer of this.#timers) clearLongTimeout(timer);
    this.#signal.removeEventListener("abort", this.release);
    this.#released.abort();
  };

  get #isReleased(): boolean {
    return this.#released.signal.aborted;
  }

  /** A stage that chunks pass by once the pipeline is released. */
  #bypassing(stage: Sink): Sink {
    return {
      write: (chunk) => (this.#isReleased ? this.#output : stage).write(chunk),
    };
  }

  async #pause(ms: number): Promise<void> {
    try {
      if (!this.#isReleased) await sleep(ms, this.#released.signal);
    } catch {
      // Released, which ends the pause. Closed, which the next line throws.
    }
    this.#signal.throwIfAborted();
  }
}
