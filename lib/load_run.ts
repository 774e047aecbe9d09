/**
 * One load run, from its first connection to its summary: gives connections their
 * messages, and ends when it is time.
 *
 * Sending ends after `duration` or with message `count`. What is in flight when
 * the duration is over gets a wait of its own, which counts neither into the
 * duration nor into the messages per second.
 *
 * @module
 */

import type { LoadOptions, LoadSummary } from "./load_options.ts";
import { EverySecond } from "./every_second.ts";
import { LoadRecorder } from "./load_recorder.ts";
import { LoadSlot, openAll } from "./load_slot.ts";
import { summarize } from "./load_summary.ts";
import { notify } from "./notify.ts";
import { Pacer } from "./pacer.ts";
import { ScheduleLoop } from "./schedule_loop.ts";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "./timeout.ts";
import { shared } from "./turnstile.ts";

/**
 * Messages sent in one look at the schedule. More would keep echoes that have
 * come waiting unread, and their wait would be measured as the server's.
 */
const BURST = 8;

/**
 * Milliseconds that messages in flight get when the time to send is over, or twice
 * the longest round trip of the run where that is more: enough for a lost segment
 * to be sent again, which takes up to 1 s (RFC 6298, section 2).
 */
const DRAIN_MS = 2_000;

/** The options of a run, with their defaults. */
export type LoadRunOptions =
  & LoadOptions
  & Record<"connections" | "count" | "duration" | "size" | "timeout", number>;

/** A run; `run` may be called once. */
export class LoadRun {
  readonly #options: LoadRunOptions;
  readonly #recorder = new LoadRecorder();
  readonly #pacer: Pacer | undefined;
  readonly #slots: LoadSlot[];
  readonly #seconds: EverySecond;
  readonly #schedule = new ScheduleLoop(() => this.#look());
  readonly #finished = Promise.withResolvers<void>();
  readonly #sendingOver = new AbortController();
  #endTimer: LongTimeout | undefined;
  #sweepTimer: ReturnType<typeof setInterval> | undefined;
  #started = 0;
  // In milliseconds from the start, as all times that are called `now` here.
  #lastActive = 0;
  #endedAt: number | undefined;
  #longestTrip = 0;
  #sent = 0;
  #inFlight = 0;
  #unanswered = 0;

  /** Opens nothing yet. */
  constructor(options: LoadRunOptions) {
    const { connections, count, duration, rate, size, onSecond } = options;
    this.#options = options;
    this.#seconds = new EverySecond(
      duration,
      (now) => notify(onSecond, this.#recorder.second(now)),
    );
    if (rate !== undefined) {
      this.#pacer = new Pacer({ rate, connections, count });
    }
    const slotOptions = {
      to: options,
      size,
      signal: this.#sendingOver.signal,
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

  /** @throws what `connect` throws if a connection cannot be made at the start. */
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
    const { duration, timeout } = this.#options;
    this.#seconds.start();
    this.#endTimer = setLongTimeout(() => this.#timeUp(), duration);
    this.#sweepTimer = setInterval(() => {
      const now = performance.now();
      for (const slot of this.#slots) slot.expire(now, timeout);
    }, Math.min(Math.max(timeout / 4, 5), 250));
    if (this.#pacer) {
      for (const slot of this.#slots) slot.watch();
      this.#schedule.start();
    } else {
      // Through the turnstile, as thousands of writes at once would overtake the
      // reads that follow them.
      for (const slot of this.#slots) shared.pass(() => void this.#next(slot));
    }
  }

  #sending(now: number): boolean {
    const { count, duration } = this.#options;
    return this.#endedAt === undefined && this.#sent < count && now < duration;
  }

  /** Sends what is due; returns the ms to the next message, if there is one. */
  #look(): number | undefined {
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

  /** Sends the next message of a slot, if it is free and one is due. */
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
    const from = this.#pacer ? this.#pacer.take(slot.index, now) : now;
    if (Number.isNaN(from)) {
      slot.watch();
      return false;
    }
    this.#inFlight++;
    this.#lastActive = now;
    slot.send(++this.#sent, from, now + this.#started);
    return true;
  }

  #onReply(slot: LoadSlot, at: number, trip: number): void {
    const now = at - this.#started;
    if (trip > this.#longestTrip) this.#longestTrip = trip;
    this.#inFlight--;
    this.#lastActive = now;
    this.#recorder.reply(now - slot.from, now >= this.#options.duration);
    this.#pacer?.replied(slot.index, now);
    this.#next(slot, now);
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
    this.#pacer?.reconnected(slot.index, now);
    this.#next(slot, now);
  }

  /** The time to send is over; what is in flight may still come back. */
  #timeUp(): void {
    const { duration, timeout } = this.#options;
    this.#endSending(duration);
    if (this.#inFlight === 0) return this.#finished.resolve();
    const wait = Math.max(DRAIN_MS, 2 * this.#longestTrip);
    this.#endTimer = setLongTimeout(() => {
      this.#unanswered = this.#inFlight;
      this.#finished.resolve();
    }, Math.min(wait, timeout));
  }

  #finishIfIdle(now: number): void {
    if (this.#inFlight > 0 || this.#sending(now)) return;
    this.#finish(Math.min(now, this.#options.duration));
  }

  #finish(now: number): void {
    this.#endSending(now);
    this.#finished.resolve();
  }

  #endSending(now: number): void {
    if (this.#endedAt !== undefined) return;
    this.#endedAt = now;
    this.#schedule.stop();
    this.#seconds.stop();
    this.#sendingOver.abort();
    const second = this.#recorder.lastSecond(now);
    if (second) notify(this.#options.onSecond, second);
  }

  #close(): void {
    this.#sendingOver.abort();
    this.#schedule.stop();
    this.#seconds.stop();
    clearLongTimeout(this.#endTimer);
    clearInterval(this.#sweepTimer);
    for (const slot of this.#slots) slot.close();
  }

  #summary(): LoadSummary {
    const { size, count } = this.#options;
    return summarize({
      size,
      // A run that ends with its count takes as long as it sends and receives. It
      // may have waited for an echo that never came.
      duration: this.#sent >= count ? this.#lastActive : this.#endedAt ?? 0,
      sent: this.#sent,
      unanswered: this.#unanswered,
      recorder: this.#recorder,
      slots: this.#slots,
      pacer: this.#pacer,
    });
  }
}
