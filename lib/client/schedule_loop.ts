/**
 * Runs a schedule on time: it checks the schedule in every turn of the event loop
 * while something is due soon, and sleeps otherwise.
 *
 * The finest timer is 1 ms, and fires up to 1.3 ms late (measured). With timers
 * alone, all that is due in between would be sent in one burst. The price is a CPU
 * core that does not sleep while something is due soon.
 *
 * ```ts
 * import { ScheduleLoop } from "./schedule_loop.ts";
 *
 * const due = performance.now() + 10;
 * const loop = new ScheduleLoop(() => {
 *   const wait = due - performance.now();
 *   if (wait <= 0) loop.stop();
 *   return wait;
 * });
 * loop.start();
 * ```
 *
 * @module
 */

// The global functions came to Deno later than this module.
import { clearImmediate, setImmediate } from "node:timers";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "../net/timeout.ts";

/** Milliseconds; longer than timers were measured to be late. */
const SOON_MS = 3;

/**
 * Milliseconds; a turn of the event loop below this did nothing but check the
 * schedule. Such a turn was measured at 1 µs, and one that sends at 5 µs and more.
 */
const IDLE_TURN_MS = 0.004;

/** A loop over a schedule. */
export class ScheduleLoop {
  readonly #run: () => number | undefined;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timer: LongTimeout | undefined;
  #stopped = false;
  #lastTurn = -Infinity;
  /** Milliseconds of CPU time that were spent waiting for the schedule. */
  idle = 0;

  /**
   * `run` does what is due, and returns the milliseconds until something is due
   * again, or `undefined` to end the loop.
   */
  constructor(run: () => number | undefined) {
    this.#run = run;
  }

  /** Runs for the first time. */
  start(): void {
    this.#turn();
  }

  /** Ends the loop. */
  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearLongTimeout(this.#timer);
  }

  #turn = (): void => {
    const now = performance.now();
    const took = now - this.#lastTurn;
    if (took < IDLE_TURN_MS) this.idle += took;
    this.#lastTurn = now;
    const wait = this.#run();
    if (wait === undefined || this.#stopped) return;
    if (wait <= SOON_MS) this.#immediate = setImmediate(this.#turn);
    else this.#timer = setLongTimeout(this.#turn, wait - SOON_MS);
  };
}
