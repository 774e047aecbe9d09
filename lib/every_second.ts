/**
 * A call at each whole second of a run: on the seconds of the run, so that late
 * timers do not add up, and not at its end.
 *
 * ```ts
 * import { EverySecond } from "./every_second.ts";
 * const seconds = new EverySecond(3000, (now) => console.log(now));
 * seconds.start(); // 1000, 2000
 * ```
 *
 * @module
 */

import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "./timeout.ts";

/** See the module. */
export class EverySecond {
  readonly #duration: number;
  readonly #tick: (now: number) => void;
  #started = 0;
  #timer: LongTimeout | undefined;

  /** Calls `tick` with the ms since the start, for less than `duration` ms. */
  constructor(duration: number, tick: (now: number) => void) {
    this.#duration = duration;
    this.#tick = tick;
  }

  /** The run begins. */
  start(): void {
    this.#started = performance.now();
    this.#arm(1);
  }

  /** Calls no more. */
  stop(): void {
    clearLongTimeout(this.#timer);
  }

  #arm(second: number): void {
    const at = 1_000 * second;
    if (at >= this.#duration) return;
    this.#timer = setLongTimeout(() => {
      const now = performance.now() - this.#started;
      // Seconds that passed while the process stood still are left out.
      this.#arm(Math.max(second, Math.floor(now / 1_000)) + 1);
      this.#tick(now);
    }, Math.max(0, at - (performance.now() - this.#started)));
  }
}
