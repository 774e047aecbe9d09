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
export type PipelineContext = Omit<
  StageContext,
  "pause" | "after" | "released"
>;

/** The stages of one setting of faults. */
export class Pipeline implements Sink {
  readonly #first: Sink;
  readonly #sinks: Sink[] = [];
  readonly #signal: AbortSignal;
  /** Aborted when no pause is waited for any more. */
  readonly #resumed = new AbortController();
  readonly #timers: LongTimeout[] = [];
  #released = false;

  /** Puts the stages in front of `output`. */
  constructor(context: PipelineContext, output: Sink) {
    this.#signal = context.signal;
    this.#signal.addEventListener("abort", this.release, { once: true });
    const stages = this.#extend(context);
    // What a stage has not passed on when a fault ends the connection is dropped.
    let next: Sink = {
      write: (chunk) =>
        stages.ended() ? Promise.resolve() : output.write(chunk),
    };
    for (const stage of STAGES.toReversed()) {
      const sink = stage(next, stages);
      if (sink === next) continue;
      this.#sinks.unshift(sink);
      next = this.#bypassing([...this.#sinks], output);
    }
    this.#first = next;
  }

  /** Passes a chunk through the stages. */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#first.write(chunk);
  }

  /** Resolves when every chunk so far was sent. */
  async flush(): Promise<void> {
    await flushAll(this.#sinks);
  }

  /** Ends all pauses, and lets what is held pass the rest of the stages unchanged. */
  readonly release = (): void => {
    this.#released = true;
    for (const timer of this.#timers) clearLongTimeout(timer);
    this.#signal.removeEventListener("abort", this.release);
    this.#resumed.abort();
  };

  #extend(context: PipelineContext): StageContext {
    return {
      ...context,
      end: (fault) => {
        const ending = context.end(fault);
        this.#resumed.abort();
        return ending;
      },
      // What is held when the faults are replaced is sent, however the next ones
      // end the connection.
      ended: () => !this.#released && context.ended(),
      released: () => this.#released,
      pause: (ms) => this.#pause(ms),
      after: (ms, callback) =>
        void this.#timers.push(setLongTimeout(callback, ms)),
    };
  }

  /**
   * The first of some stages, until the pipeline is released. Then chunks go to the
   * output, after those that the stages hold.
   */
  #bypassing(stages: Sink[], output: Sink): Sink {
    const [first] = stages;
    return {
      write: async (chunk) => {
        if (!this.#released) return await first!.write(chunk);
        await flushAll(stages);
        await output.write(chunk);
      },
    };
  }

  async #pause(ms: number): Promise<void> {
    try {
      await sleep(ms, this.#resumed.signal);
    } catch {
      // Released or ended, which ends the pause. Closed, which the next line throws.
    }
    this.#signal.throwIfAborted();
  }
}

async function flushAll(stages: Sink[]): Promise<void> {
  for (const stage of stages) await stage.flush?.();
}
