/**
 * A clock that tests advance, so that a limit of minutes is tested at once and
 * to the millisecond. `@std/testing/time` does not replace `performance.now()`,
 * which this project measures with.
 *
 * @module
 */

// Node's own function is not replaced, so the event loop runs while the clock
// stands still.
import { setImmediate } from "node:timers";

/** More timers in one `advance` mean that the code under test loops. */
const MAX_TIMERS = 20_000;

interface Timer {
  due: number;
  every?: number | undefined;
  run: () => void;
}

/** Lets the event loop run what is ready. */
export async function settle(turns = 20): Promise<void> {
  while (turns-- > 0) await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Resolves once `condition` holds, without advancing the clock. */
export async function untilTurn(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/**
 * Replaces the timers and `performance.now()` until it is disposed. Only
 * `advance` moves the time.
 */
export class FakeClock implements Disposable {
  /** The time in milliseconds. It is a whole number, so that sums are exact. */
  now: number = Math.ceil(performance.now());
  readonly #timers = new Map<number, Timer>();
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
  };
  readonly #realTimeout = AbortSignal.timeout;
  // Larger than the ids of real timers, which are counted from 1.
  #lastId = 1e9;

  constructor() {
    const clear = (id?: number) => void this.#timers.delete(Number(id));
    const start = (repeat: boolean) =>
    (
      callback: (...args: unknown[]) => void,
      ms: number = 0,
      ...args: unknown[]
    ): number => {
      const delay = Math.max(ms, repeat ? 1 : 0);
      const id = ++this.#lastId;
      this.#timers.set(id, {
        due: this.now + delay,
        every: repeat ? delay : undefined,
        run: () => callback(...args),
      });
      return id;
    };
    Object.assign(globalThis, {
      setTimeout: start(false),
      clearTimeout: clear,
      setInterval: start(true),
      clearInterval: clear,
    });
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), ms);
      return controller.signal;
    };
    performance.now = () => this.now;
  }

  /** Advances the time, and runs the timers that become due, in order. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    for (let run = 0;; run++) {
      if (run > MAX_TIMERS) {
        throw new Error(`more than ${MAX_TIMERS} timers within ${ms} ms`);
      }
      await settle();
      const [id, timer] = this.#next() ?? [];
      if (!timer || timer.due > until) break;
      this.now = Math.max(this.now, timer.due);
      if (timer.every === undefined) this.#timers.delete(id!);
      else timer.due += timer.every;
      timer.run();
    }
    this.now = until;
    await settle();
  }

  #next(): [number, Timer] | undefined {
    let first: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (!first || entry[1].due < first[1].due) first = entry;
    }
    return first;
  }

  /** Restores the real timers. */
  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#real);
    AbortSignal.timeout = this.#realTimeout;
    // The assigned function hides that of the prototype.
    Reflect.deleteProperty(performance, "now");
  }
}
