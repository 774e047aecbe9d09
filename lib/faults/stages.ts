/**
 * The stages of one setting of faults on a link, from when it is set to when it is
 * replaced. Then all pauses end, what the stages hold passes the rest of them
 * unchanged, and so does every later chunk.
 *
 * @module
 */

import { clearLongTimeout, setLongTimeout, sleep } from "../net/timeout.ts";
import type { LinkFaults } from "./control.ts";
import type { Chunk, Stage, StageContext } from "./stage.ts";

/** The stages of one setting. */
export class Stages {
  readonly #faults: readonly LinkFaults[];
  readonly #since: number;
  readonly #released = new AbortController();

  /** The times of the faults begin to count at `since`. */
  constructor(faults: readonly LinkFaults[], since: number) {
    this.#faults = faults;
    this.#since = since;
  }

  /** Whether there are none. */
  get empty(): boolean {
    return this.#faults.length === 0;
  }

  /** Whether they are replaced. */
  get released(): boolean {
    return this.#released.signal.aborted;
  }

  /** Ends all pauses: they are replaced. */
  release(): void {
    this.#released.abort();
  }

  /** The chunks behind all stages. */
  apply(
    chunks: AsyncGenerator<Chunk>,
    link: Pick<StageContext, "end" | "count">,
  ): AsyncGenerator<Chunk> {
    for (const faults of this.#faults) {
      const context = this.#context(faults, link);
      for (const stage of faults.stages) {
        chunks = applyStage(stage, chunks, context);
      }
    }
    return chunks;
  }

  #context(
    { faults, random }: LinkFaults,
    { end, count }: Pick<StageContext, "end" | "count">,
  ): StageContext {
    const { signal } = this.#released;
    return {
      faults,
      random,
      end,
      count,
      since: this.#since,
      get released() {
        return signal.aborted;
      },
      async until(time) {
        const left = time - performance.now();
        if (left <= 0 || signal.aborted) return;
        await sleep(left, signal).catch(() => {});
      },
      at(time, callback) {
        const left = time - performance.now();
        if (left <= 0) return callback();
        const timer = setLongTimeout(callback, left);
        // The connection decides whether the process lives on (`unref()`).
        Deno.unrefTimer(timer.id);
        const clear = () => clearLongTimeout(timer);
        if (signal.aborted) clear();
        else signal.addEventListener("abort", clear, { once: true });
      },
    };
  }
}

/**
 * A stage, until its faults are replaced. Then it passes on what it holds, and every
 * later chunk goes past it.
 */
async function* applyStage(
  stage: Stage,
  chunks: AsyncIterator<Chunk>,
  context: StageContext,
): AsyncGenerator<Chunk> {
  let held: Chunk | undefined;
  async function* untilReleased(): AsyncGenerator<Chunk> {
    for (;;) {
      const { done, value } = await chunks.next();
      if (done) return;
      if (context.released) return void (held = value);
      yield value;
    }
  }
  yield* stage(untilReleased(), context);
  if (held) yield held;
  yield* { [Symbol.asyncIterator]: () => chunks };
}
