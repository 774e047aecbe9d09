/**
 * Looks at a schedule often enough to be in time for what is due: in every turn
 * of the event loop while something is due soon, and by a timer otherwise.
 *
 * The finest timer is 1 ms, and comes up to 1.3 ms late. All that is due in
 * between would go out in one burst, and wait for each other. The price is a core
 * that never sleeps while something is due soon.
 *
 * ```ts
 * import { ScheduleLoop } from "./schedule_loop.ts";
 * const until = performance.now() + 10;
 * new ScheduleLoop(() => {
 *   const wait = until - performance.now();
 *   if (wait > 0) return wait;
 *   console.log("now");
 *   return undefined;
 * }).start();
 * ```
 *
 * @module
 */

// The globals of the same names came to Deno later than this module.
import { clearImmediate, setImmediate } from "node:timers";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "./timeout.ts";

/** Longer than a timer was seen to be late on an idle machine, in ms. */
const SOON_MS = 3;

/** Calls `look`, which returns the ms to the next event; `undefined` ends it. */
export class ScheduleLoop {
  readonly #look: () => number | undefined;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timer: LongTimeout | undefined;
  #stopped = false;

  /** Begins with `start`. */
  constructor(look: () => number | undefined) {
    this.#look = look;
  }

  /** Looks for the first time, at once. */
  start(): void {
    this.#turn();
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearLongTimeout(this.#timer);
  }

  #turn = (): void => {
    const wait = this.#look();
    if (wait === undefined || this.#stopped) return;
    if (wait <= SOON_MS) this.#immediate = setImmediate(this.#turn);
    else this.#timer = setLongTimeout(this.#turn, wait - SOON_MS);
  };
}
