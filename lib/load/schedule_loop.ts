/**
 * Runs a schedule on time. The finest timer is 1 ms, and fires up to 1.3 ms late
 * (measured). With timers alone, all that is due in between would be sent in one
 * burst. So while something is due soon, the loop waits in one of three ways:
 *
 * - No reply is awaited: it checks the schedule in every turn of the event loop,
 *   about every 2 µs. Deno looks at the sockets only every 61 such turns (Tokio's
 *   event interval), where no reply can be waiting to be read.
 * - A reply is awaited that will take a while: each turn is a digest, which another
 *   thread computes. Its end wakes the loop as a socket does, and a turn takes 9 µs.
 *   At 1,000 messages/s with replies after 5 ms, 8 % leave within a fifth of the mean
 *   gap of the one before, and 50 % with timers.
 * - A reply is awaited that will be here at once: it wakes the loop, or a timer. With
 *   digests, replies after 50 µs were measured as 120, as the two threads get into
 *   each other's way, and more so on one core.
 *
 * The price is a CPU core that does not sleep while something is due soon.
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

import process from "node:process";
// The global functions came to Deno later than this module.
import { clearImmediate, setImmediate } from "node:timers";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "../net/timeout.ts";

/** When the reply that is awaited will come, if one is. */
export type Awaiting = "nothing" | "soon" | "later";

/** Milliseconds; longer than timers were measured to be late. */
const SOON_MS = 3;

/** Milliseconds. The CPU time of a shorter wait is not worth to be looked up. */
const SHORT_MS = 1;

/** What a digest is made of; it only has to come from another thread. */
const ONE_BYTE = new Uint8Array(1);

/** CPU time of this process in milliseconds. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** A loop over a schedule. */
export class ScheduleLoop {
  /** Milliseconds of CPU time that were spent waiting for the schedule. */
  idle = 0;
  readonly #run: () => number | undefined;
  readonly #awaiting: () => Awaiting;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timer: LongTimeout | undefined;
  #isDigesting = false;
  #stopped = false;
  /** Since when the loop waits without sleeping, or NaN; its CPU time then. */
  #spinning = NaN;
  #cpuBefore = NaN;
  /** Whether the last turn found nothing due, and did not sleep. */
  #isWaiting = false;
  /** When something is due. */
  #dueAt = Infinity;

  /**
   * `run` does what is due, and returns the milliseconds until something is due
   * again, or `undefined` to end the loop. While a reply is awaited, the caller calls
   * `wake` for each reply.
   */
  constructor(
    run: () => number | undefined,
    awaiting: () => Awaiting = () => "nothing",
  ) {
    this.#run = run;
    this.#awaiting = awaiting;
  }

  /** Runs for the first time, or after a reply. */
  wake(): void {
    if (this.#immediate !== undefined || this.#stopped) return;
    if (!Number.isNaN(this.#spinning)) this.#endSpin(performance.now());
    this.#turn();
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
    if (now >= this.#dueAt) this.#endSpin(now);
    const wait = this.#run();
    if (wait === undefined || this.#stopped) return this.#endSpin(now);
    const awaiting = wait <= SOON_MS ? this.#awaiting() : "soon";
    const spins = awaiting !== "soon" && wait > 0;
    this.#dueAt = now + wait;
    if (!spins) this.#endSpin(now);
    // What a turn finds due is sent after it, so that the next one starts to wait.
    else if (this.#isWaiting) this.#startSpin(now, wait);
    this.#isWaiting = spins;
    if (wait <= 0 || awaiting === "nothing") {
      this.#immediate = setImmediate(this.#turn);
    } else if (awaiting === "later") this.#digest();
    // An earlier timer is early enough: the schedule only moves on.
    else {
      const sleep = Math.max(0, wait - SOON_MS);
      this.#timer ??= setLongTimeout(this.#onTimer, sleep);
    }
  };

  #startSpin(now: number, wait: number): void {
    if (!Number.isNaN(this.#spinning)) return;
    this.#spinning = now;
    this.#cpuBefore = wait > SHORT_MS ? cpuTime() : NaN;
  }

  /** The CPU time since the start of the wait was no work. */
  #endSpin(now: number): void {
    if (Number.isNaN(this.#spinning)) return;
    this.idle += Number.isNaN(this.#cpuBefore)
      ? now - this.#spinning
      : cpuTime() - this.#cpuBefore;
    this.#spinning = NaN;
    this.#isWaiting = false;
  }

  #digest(): void {
    if (this.#isDigesting) return;
    this.#isDigesting = true;
    crypto.subtle.digest("SHA-1", ONE_BYTE).then(this.#onDigest);
  }

  #onDigest = (): void => {
    this.#isDigesting = false;
    if (this.#immediate === undefined && !this.#stopped) this.#turn();
  };

  #onTimer = (): void => {
    this.#timer = undefined;
    this.wake();
  };
}
