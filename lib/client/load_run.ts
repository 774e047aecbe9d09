/**
 * One load run, from the first connection to the summary. It gives messages to
 * connections, and ends after `duration` or after `count` messages.
 *
 * Messages in flight at the end of `duration` may still come back for a limited
 * time. That time is not part of the duration. The time before the measured part is
 * the warm-up.
 *
 * @module
 */

import { CpuMeter } from "./cpu_meter.ts";
import { IntervalTimer } from "./interval_timer.ts";
import type { LoadOptions, LoadSummary } from "./load_options.ts";
import { LoadRecorder } from "./load_recorder.ts";
import { type DialFunction, LoadSlot, openAll } from "./load_slot.ts";
import { summarize } from "./load_summary.ts";
import { Histogram } from "../stats/histogram.ts";
import { notify } from "../net/notify.ts";
import { Pacer } from "./pacer.ts";
import { ScheduleLoop } from "./schedule_loop.ts";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "../net/timeout.ts";
import { readScheduler } from "../net/read_scheduler.ts";

/**
 * Messages sent in one turn of the event loop. With more, echoes that have arrived
 * would wait to be read, and the wait would be measured as the server's.
 */
const BURST = 8;

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
  readonly #pacer: Pacer | undefined;
  readonly #slots: LoadSlot[];
  readonly #intervals: IntervalTimer;
  readonly #cpu = new CpuMeter();
  /** Idle time of the schedule loop during the warm-up. */
  #idleBefore = 0;
  readonly #connects: Histogram | undefined;
  readonly #schedule = new ScheduleLoop(
    () => this.#sendDue(),
    () => this.#inFlight > 0,
  );
  readonly #finished = Promise.withResolvers<void>();
  readonly #sendingEnded = new AbortController();
  #warmupTimer: LongTimeout | undefined;
  #endTimer: LongTimeout | undefined;
  #sweepTimer: ReturnType<typeof setInterval> | undefined;
  #started = 0;
  // Milliseconds from the start, as all times called `now` in this class.
  #lastActive = 0;
  readonly #end: number;
  #endedAt: number | undefined;
  #longestTrip = 0;
  // The messages of the warm-up are not in `#sent`.
  #number = 0;
  #sent = 0;
  #inFlight = 0;
  #unanswered = 0;

  /** Does not connect yet. */
  constructor(options: LoadRunOptions) {
    const { connections, count, duration, warmup, rate, onInterval } = options;
    this.#options = options;
    this.#end = warmup + duration;
    if (options.reconnect) this.#connects = new Histogram();
    this.#intervals = new IntervalTimer(
      duration,
      (now) => notify(onInterval, this.#recorder.interval(now)),
    );
    if (rate !== undefined) {
      this.#pacer = new Pacer({ rate, connections, count, warmup });
    }
    const slotOptions = {
      ...options,
      signal: this.#sendingEnded.signal,
      handlers: {
        onReply: this.#onReply.bind(this),
        onError: this.#onError.bind(this),
        onReplaced: this.#onReplaced.bind(this),
      },
    };
    this.#slots = Array.from(
      { length: connections },
      (_, index) => new LoadSlot(index, slotOptions),
    );
  }

  /** @throws the error of `dial` if a connection cannot be made at the start. */
  async run(): Promise<LoadSummary> {
    const { signal } = this.#options;
    const abort = () => this.#finish(this.#now());
    try {
      await openAll(this.#slots).catch((error) => {
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

  #now(): number {
    return performance.now() - this.#started;
  }

  #start(): void {
    const { timeout, warmup } = this.#options;
    if (warmup === 0) this.#startMeasuring();
    else {
      this.#warmupTimer = setLongTimeout(() => this.#startMeasuring(), warmup);
    }
    this.#endTimer = setLongTimeout(() => this.#timeUp(), this.#end);
    this.#sweepTimer = setInterval(() => {
      const now = performance.now();
      for (const slot of this.#slots) slot.expire(now, timeout);
    }, Math.min(Math.max(timeout / 4, 5), 250));
    if (this.#pacer) {
      for (const slot of this.#slots) slot.watch();
      this.#schedule.wake();
    } else {
      // Through the read scheduler: thousands of writes at once would starve the
      // reads that follow them.
      for (const slot of this.#slots) {
        readScheduler.schedule(() => void this.#next(slot));
      }
    }
  }

  /** The warm-up is over. */
  #startMeasuring(): void {
    this.#cpu.start();
    this.#idleBefore = this.#schedule.idle;
    this.#intervals.start(this.#started + this.#options.warmup);
    for (const slot of this.#slots) slot.reconnects = 0;
  }

  #sending(now: number): boolean {
    return this.#endedAt === undefined && now < this.#end &&
      this.#sent < this.#options.count;
  }

  /** Sends what is due. Returns the milliseconds to the next message, if any. */
  #sendDue(): number | undefined {
    const pacer = this.#pacer!;
    for (let sent = 0; sent < BURST;) {
      const now = this.#now();
      if (!this.#sending(now)) {
        this.#finishIfIdle(now);
        return undefined;
      }
      const index = pacer.announce(now);
      if (index < 0) return pacer.nextDue - now;
      if (this.#next(this.#slots[index]!, now)) sent++;
    }
    return 0;
  }

  /** Sends the next message of a slot, if the slot is free and a message is due. */
  #next(slot: LoadSlot, now: number = this.#now()): boolean {
    if (slot.waiting) return false;
    if (!this.#sending(now)) {
      this.#finishIfIdle(now);
      return false;
    }
    if (!slot.connected) {
      void slot.replace();
      return false;
    }
    const measured = this.#pacer
      ? this.#pacer.isMeasured(slot.index)
      : now >= this.#options.warmup;
    const from = this.#pacer ? this.#pacer.take(slot.index, now) : now;
    if (Number.isNaN(from)) {
      slot.watch();
      return false;
    }
    this.#inFlight++;
    this.#lastActive = now;
    if (measured) this.#sent++;
    slot.measured = measured;
    slot.send(++this.#number, from, now + this.#started);
    return true;
  }

  #onReply(slot: LoadSlot, at: number, trip: number): void {
    const now = at - this.#started;
    if (trip > this.#longestTrip) this.#longestTrip = trip;
    this.#inFlight--;
    this.#lastActive = now;
    if (slot.measured) {
      slot.messages++;
      this.#recorder.reply(now - slot.from, now >= this.#end);
    }
    this.#pacer?.replied(slot.index, now);
    if (slot.usedUp && this.#sending(now)) slot.renew();
    else this.#next(slot, now);
    if (this.#pacer) this.#schedule.wake();
  }

  #onError(slot: LoadSlot, error: unknown, lostMessage: boolean): void {
    const now = this.#now();
    if (lostMessage) this.#inFlight--;
    this.#recorder.error(error);
    if (this.#sending(now)) void slot.replace();
    else this.#finishIfIdle(now);
  }

  #onReplaced(slot: LoadSlot): void {
    const now = this.#now();
    if (now - slot.connectTime >= this.#options.warmup) {
      this.#connects?.record(slot.connectTime);
    }
    this.#pacer?.reconnected(slot.index, now);
    this.#next(slot, now);
  }

  /** The duration is over. Messages in flight may still come back. */
  #timeUp(): void {
    this.#endSending(this.#end);
    if (this.#inFlight === 0) return this.#finished.resolve();
    const wait = Math.max(DRAIN_MS, 2 * this.#longestTrip);
    this.#endTimer = setLongTimeout(() => {
      this.#unanswered = this.#inFlight;
      this.#finished.resolve();
    }, Math.min(wait, this.#options.timeout));
  }

  #finishIfIdle(now: number): void {
    if (this.#inFlight > 0 || this.#sending(now)) return;
    this.#finish(Math.min(now, this.#end));
  }

  #finish(now: number): void {
    this.#endSending(now);
    this.#finished.resolve();
  }

  #endSending(now: number): void {
    if (this.#endedAt !== undefined) return;
    this.#endedAt = now;
    this.#stop();
    this.#cpu.stop(this.#schedule.idle - this.#idleBefore);
    const elapsed = Math.max(0, now - this.#options.warmup);
    const interval = this.#recorder.lastInterval(elapsed);
    if (interval) notify(this.#options.onInterval, interval);
  }

  #stop(): void {
    this.#schedule.stop();
    this.#intervals.stop();
    clearLongTimeout(this.#warmupTimer);
    this.#sendingEnded.abort();
  }

  #close(): void {
    this.#stop();
    clearLongTimeout(this.#endTimer);
    clearInterval(this.#sweepTimer);
    for (const slot of this.#slots) slot.close();
  }

  #summary(): LoadSummary {
    const { size, count, rate, warmup } = this.#options;
    // A run with a count lasts until its last echo. The wait for an echo that never
    // came is not part of it.
    const end = this.#sent >= count ? this.#lastActive : this.#endedAt ?? 0;
    return summarize({
      size,
      rate,
      warmup,
      duration: end - warmup,
      cpuUtilization: this.#cpu.utilization,
      connects: this.#connects,
      sent: this.#sent,
      unanswered: this.#unanswered,
      recorder: this.#recorder,
      slots: this.#slots,
      pacer: this.#pacer,
    });
  }
}
