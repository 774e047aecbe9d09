/**
 * One load run, from the first connection to the summary: its warm-up, its measured
 * part, which ends after `duration` or after `count` messages, and the wait for the
 * echoes in flight at the end of `duration`. That wait is not part of the duration.
 *
 * @module
 */

import { notify } from "../net/notify.ts";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "../net/timeout.ts";
import type { LoadSummary } from "../stats/summaries.ts";
import { CpuMeter } from "./cpu_meter.ts";
import { IntervalTimer } from "./interval_timer.ts";
import { LoadDispatcher } from "./load_dispatcher.ts";
import type { LoadOptions } from "./load_options.ts";
import { LoadRecorder } from "./load_recorder.ts";
import { type DialFunction, openAll } from "./load_slot.ts";
import { summarize } from "./load_summary.ts";

/**
 * Milliseconds that messages in flight have at the end of the duration, unless twice
 * the longest round trip is longer. A lost segment is retransmitted after up to 1 s
 * (RFC 6298, section 2).
 */
const DRAIN_MS = 2_000;

/** The options of a run with their defaults, and how to connect. */
export type LoadRunOptions =
  & LoadOptions
  & Record<
    "connections" | "count" | "duration" | "size" | "timeout" | "warmup",
    number
  >
  & {
    /** Connects. It adds its own context to its errors. */
    dial: DialFunction;
    /** What the messages of other errors start with. */
    action: string;
  };

/** A run. `run` may be called once. */
export class LoadRun {
  readonly #options: LoadRunOptions;
  readonly #recorder = new LoadRecorder();
  readonly #dispatcher: LoadDispatcher;
  readonly #intervals: IntervalTimer;
  readonly #cpu = new CpuMeter();
  /** Idle time of the schedule during the warm-up. */
  #idleBefore = 0;
  readonly #finished = Promise.withResolvers<void>();
  #warmupTimer: LongTimeout | undefined;
  #endTimer: LongTimeout | undefined;
  #sweepTimer: ReturnType<typeof setInterval> | undefined;
  #started = 0;
  // Milliseconds from the start, as all times called `now` in this class.
  readonly #end: number;
  #endedAt: number | undefined;
  #unanswered = 0;

  /** Does not connect yet. */
  constructor(options: LoadRunOptions) {
    const { duration, warmup, onInterval } = options;
    this.#options = options;
    this.#end = warmup + duration;
    this.#intervals = new IntervalTimer(
      duration,
      (now) => notify(onInterval, this.#recorder.interval(now)),
    );
    this.#dispatcher = new LoadDispatcher({
      ...options,
      end: this.#end,
      recorder: this.#recorder,
      onIdle: (now) => this.#finish(Math.min(now, this.#end)),
    });
  }

  /** @throws the error of `dial` if a connection cannot be made at the start. */
  async run(): Promise<LoadSummary> {
    const { signal } = this.#options;
    const abort = () => this.#finish(performance.now() - this.#started);
    try {
      await openAll(this.#dispatcher.slots).catch((error) => {
        if (!signal?.aborted) throw error;
      });
      this.#started = performance.now();
      if (!signal?.aborted) {
        signal?.addEventListener("abort", abort, { once: true });
        notify(this.#options.onStart, undefined);
        this.#start();
        await this.#finished.promise;
      }
      return this.#summary();
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#close();
    }
  }

  #start(): void {
    const { timeout, warmup } = this.#options;
    if (warmup === 0) this.#startMeasuring();
    else {
      this.#warmupTimer = setLongTimeout(() => this.#startMeasuring(), warmup);
    }
    this.#endTimer = setLongTimeout(() => this.#timeUp(), this.#end);
    this.#sweepTimer = setInterval(
      () => this.#dispatcher.expire(timeout),
      Math.min(Math.max(timeout / 4, 5), 250),
    );
    this.#dispatcher.start(this.#started);
  }

  /** The warm-up is over. */
  #startMeasuring(): void {
    this.#cpu.start();
    this.#idleBefore = this.#dispatcher.idle;
    this.#intervals.start(this.#started + this.#options.warmup);
    for (const slot of this.#dispatcher.slots) slot.reconnects = 0;
  }

  /** The duration is over. Messages in flight may still come back. */
  #timeUp(): void {
    this.#endSending(this.#end);
    const { inFlight, longestTrip } = this.#dispatcher;
    if (inFlight === 0) return this.#finished.resolve();
    const wait = Math.max(DRAIN_MS, 2 * longestTrip);
    this.#endTimer = setLongTimeout(() => {
      this.#unanswered = this.#dispatcher.inFlight;
      this.#finished.resolve();
    }, Math.min(wait, this.#options.timeout));
  }

  #finish(now: number): void {
    this.#endSending(now);
    this.#finished.resolve();
  }

  #endSending(now: number): void {
    if (this.#endedAt !== undefined) return;
    this.#endedAt = now;
    this.#stop();
    this.#cpu.stop(this.#dispatcher.idle - this.#idleBefore);
    const elapsed = Math.max(0, now - this.#options.warmup);
    const interval = this.#recorder.lastInterval(elapsed);
    if (interval) notify(this.#options.onInterval, interval);
  }

  #stop(): void {
    this.#dispatcher.stop();
    this.#intervals.stop();
    clearLongTimeout(this.#warmupTimer);
  }

  #close(): void {
    this.#stop();
    clearLongTimeout(this.#endTimer);
    clearInterval(this.#sweepTimer);
    this.#dispatcher.close();
  }

  #summary(): LoadSummary {
    const { size, count, rate, warmup } = this.#options;
    const { sent, lastActive, slots, pacer, connects } = this.#dispatcher;
    // A run with a count lasts until its last echo. The wait for an echo that never
    // came is not part of it.
    const end = sent >= count ? lastActive : this.#endedAt ?? 0;
    return summarize({
      size,
      rate,
      warmup,
      duration: end - warmup,
      cpuUtilization: this.#cpu.utilization,
      connects,
      sent,
      unanswered: this.#unanswered,
      recorder: this.#recorder,
      slots,
      pacer,
    });
  }
}
