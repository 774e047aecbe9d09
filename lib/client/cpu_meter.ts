/**
 * The CPU time of this process while something was measured. It shows whether the
 * client was the limit.
 *
 * ```ts
 * import { CpuMeter } from "./cpu_meter.ts";
 *
 * const cpu = new CpuMeter();
 * cpu.start();
 * cpu.stop();
 * cpu.utilization; // near 1 if one core was busy between them
 * ```
 *
 * @module
 */

import process from "node:process";

/** Measures once, from `start` to `stop`. */
export class CpuMeter {
  /** CPU time as a share of one core; 0 until it is stopped. It may exceed 1. */
  utilization = 0;
  #started:
    | { at: number; cpu: ReturnType<typeof process.cpuUsage> }
    | undefined;

  /** Starts to measure. */
  start(): void {
    this.#started = { at: performance.now(), cpu: process.cpuUsage() };
  }

  /** Ends the measurement. `idle` is CPU time in milliseconds that was no work. */
  stop(idle = 0): void {
    if (!this.#started) return;
    const { at, cpu } = this.#started;
    this.#started = undefined;
    const time = performance.now() - at;
    const { user, system } = process.cpuUsage(cpu);
    if (time <= 0) return;
    this.utilization = Math.max(0, (user + system) / 1_000 - idle) / time;
  }
}
