/**
 * A clock that tests move by hand, so that limits of minutes are tested in no
 * time, and to the millisecond. `@std/testing/time` leaves `performance.now()`
 * as it is, which is what this project measures with.
 *
 * @module
 */

// The event loop goes on while the clock stands still: node's own function is
// not replaced.
import { setImmediate } from "node:timers";

/** Timers in one `advance` from which on the code under test must be looping. */
const MOST_TIMERS = 20_000;

interface Timer {
  due: number;
  every?: number | undefined;
  run: () => void;
}

/** Gives what is ready in the event loop the time to happen. */
export async function settle(turns = 20): Promise<void> {
  while (turns-- > 0) await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Resolves once `condition` holds, without the clock's help. */
export async function untilTurn(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/**
 * Replaces the timers and `performance.now()` until it is disposed of. Only
 * `advance` moves the time.
 */
export class FakeClock implements Disposable {
  /** Milliseconds on the process's clock; whole ones, so that sums are exact. */
  now: number = Math.ceil(performance.now());
  readonly #timers = new Map<number, Timer>();
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
  };
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
    performance.now = () => this.now;
  }

  /** Moves the time on, and runs what is due on the way, in order. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    for (let run = 0;; run++) {
      if (run > MOST_TIMERS) {
        throw new Error(`more than ${MOST_TIMERS} timers within ${ms} ms`);
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

  /** Brings the real time back. */
  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#real);
    // What was assigned hides the one of the prototype.
    Reflect.deleteProperty(performance, "now");
  }
}
