/**
 * Runs a schedule on time: it spins, checking the schedule in every turn of the
 * event loop, while something is due soon and no reply is awaited.
 *
 * The finest timer is 1 ms, and fires up to 1.3 ms late (measured). With timers
 * alone, all that is due in between would be sent in one burst. The price is a CPU
 * core that does not sleep while something is due soon.
 *
 * While it spins, Deno looks at the sockets only every 61 turns (Tokio's event
 * interval). So it does not spin while a reply is awaited: the reply wakes it, or a
 * timer. For the same reason all the time it spins is idle time: nothing is due,
 * and no reply can be waiting to be read.
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
 * loop.wake();
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

/** A loop over a schedule. */
export class ScheduleLoop {
  readonly #run: () => number | undefined;
  readonly #isAwaitingReply: () => boolean;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timer: LongTimeout | undefined;
  #stopped = false;
  /** When the loop began to spin, or NaN. */
  #spinning = NaN;
  /** Milliseconds of CPU time that were spent waiting for the schedule. */
  idle = 0;

  /**
   * `run` does what is due, and returns the milliseconds until something is due
   * again, or `undefined` to end the loop. While `isAwaitingReply`, the caller
   * calls `wake` for each reply.
   */
  constructor(
    run: () => number | undefined,
    isAwaitingReply: () => boolean = () => false,
  ) {
    this.#run = run;
    this.#isAwaitingReply = isAwaitingReply;
  }

  /** Runs for the first time, or after a reply. */
  wake(): void {
    if (this.#immediate === undefined && !this.#stopped) this.#turn();
  }

  /** Ends the loop. */
  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearLongTimeout(this.#timer);
  }

  #turn = (): void => {
    this.#immediate = undefined;
    const now = performance.now();
    if (now > this.#spinning) this.idle += now - this.#spinning;
    this.#spinning = NaN;
    const wait = this.#run();
    if (wait === undefined || this.#stopped) return;
    const spins = wait <= SOON_MS && !this.#isAwaitingReply();
    if (spins) this.#spinning = now;
    if (spins || wait <= 0) this.#immediate = setImmediate(this.#turn);
    // An earlier timer is early enough: the schedule only moves on.
    else {
      const sleep = Math.max(0, wait - SOON_MS);
      this.#timer ??= setLongTimeout(this.#onTimer, sleep);
    }
  };

  #onTimer = (): void => {
    this.#timer = undefined;
    this.wake();
  };
}
