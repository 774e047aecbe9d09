/**
 * Calls a function at each full second of a run, except at its end. It follows the
 * seconds of the run, so that late timers do not add up.
 *
 * ```ts
 * import { IntervalTimer } from "./interval_timer.ts";
 *
 * const timer = new IntervalTimer(3000, (elapsed) => console.log(elapsed));
 * timer.start(); // 1000, 2000
 * ```
 *
 * @module
 */

import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "../net/timeout.ts";

/** The timer of one run. */
export class IntervalTimer {
  readonly #duration: number;
  readonly #onInterval: (elapsed: number) => void;
  #started = 0;
  #timer: LongTimeout | undefined;

  /** Calls `onInterval` with the elapsed milliseconds, up to `duration`. */
  constructor(duration: number, onInterval: (elapsed: number) => void) {
    this.#duration = duration;
    this.#onInterval = onInterval;
  }

  /** Starts the run, whose first second began at `started`. */
  start(started: number = performance.now()): void {
    this.#started = started;
    this.#schedule(1);
  }

  /** Stops the calls. */
  stop(): void {
    clearLongTimeout(this.#timer);
  }

  #schedule(second: number): void {
    const at = 1_000 * second;
    if (at >= this.#duration) return;
    this.#timer = setLongTimeout(() => {
      const elapsed = performance.now() - this.#started;
      // Seconds during which the process was stopped are skipped.
      this.#schedule(Math.max(second, Math.floor(elapsed / 1_000)) + 1);
      this.#onInterval(elapsed);
    }, Math.max(0, at - (performance.now() - this.#started)));
  }
}
