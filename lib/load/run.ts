/**
 * One load run, from the first connection to the summary. It owns the workers, the
 * schedule and the end: each worker asks it when to send, and tells it what came of
 * that.
 *
 * After the warm-up come the figures, for `duration` or `count` messages. Then no
 * message is sent but what was due already, and those in flight have some time to
 * come back. What does not is in the figures as well.
 *
 * @module
 */

import process from "node:process";
import { addContext } from "../net/errors.ts";
import { notify } from "../net/notify.ts";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "../net/timeout.ts";
import { findings } from "../stats/findings.ts";
import type { LoadSummary } from "../stats/summaries.ts";
import { LoadFigures } from "./figures.ts";
import type { LoadOptions } from "./options.ts";
import { Pacer } from "./pacer.ts";
import { type Awaiting, ScheduleLoop } from "./schedule_loop.ts";
import { Worker, type WorkerRun } from "./worker.ts";

/** Connections that are being made at the same time. More overflow a backlog. */
const MAX_CONNECTING = 64;

/**
 * Milliseconds that messages in flight have at the end of the duration, unless twice
 * the longest round trip is longer. A lost segment is retransmitted after up to 1 s
 * (RFC 6298, section 2).
 */
const DRAIN_MS = 2_000;

/** The same for a run that is aborted: who aborts it does not want to wait. */
const ABORT_DRAIN_MS = 100;

/**
 * Milliseconds after the end in which messages that were due before it may still be
 * sent. A timer is up to 1.3 ms late, and this process pauses for up to 6 ms.
 */
const SLACK_MS = 20;

/**
 * Messages sent in one turn of the event loop. With more, echoes that have arrived
 * would wait to be read, and the wait would be measured as the server's.
 */
const BURST = 8;

/** Messages announced in one turn: most of them to connections that are busy. */
const MAX_ANNOUNCED = 256;

/** Milliseconds. The CPU time of a shorter run is that of its start. */
const MIN_CPU_MS = 250;

/** The longest pause between two looks at the timeouts, in milliseconds. */
const MAX_SWEEP_MS = 250;

/** Connects. With a signal, it makes one attempt, which the signal aborts. */
export type DialFunction = (signal?: AbortSignal) => Promise<Deno.Conn>;

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

/** Round trips over which their recent mean is taken. */
const RECENT_TRIPS = 32;

/** Milliseconds of a round trip that leaves time for others to fall due. */
const SLOW_TRIP_MS = 3;

/**
 * Messages a second up to which the schedule is worth a core that waits for it. With
 * more, the wait takes CPU time from them: at 5,000/s, replies after 5 ms were
 * measured as 8.7 ms, and as 7.0 with timers.
 */
const MAX_DIGEST_RATE = 2_000;

/** In milliseconds. */
const MICROSECOND = 1e-3;

/** Milliseconds of an interval. */
const SECOND_MS = 1_000;

/** A run; see above. `run` may be called once. */
export class LoadRun implements WorkerRun {
  /** The options. */
  readonly options: LoadRunOptions;
  /** What was measured. */
  readonly figures: LoadFigures;
  messages = 0;
  connecting = 0;
  wokenAt = 0;
  isOver = false;
  readonly #workers: readonly Worker[];
  readonly #pacer: Pacer | undefined;
  readonly #schedule = new ScheduleLoop(
    () => this.#announce(),
    () => this.#awaiting,
  );
  readonly #stopped = new AbortController();
  readonly #timers: Record<string, LongTimeout> = {};
  #sweep: ReturnType<typeof setInterval> | undefined;
  // When the run started, on the process's clock. All other times are milliseconds
  // from then; the figures begin after the warm-up.
  #started = NaN;
  /** The end of the warm-up, in milliseconds since 1970. */
  #startedAt = Date.now();
  /** The end of what is due. */
  #end: number;
  #isStopping = false;
  /** Whether a run with a count ends for want of a server. */
  #isGivenUp = false;
  /** When a message was last sent, or came back. */
  #lastActive = 0;
  /** When this process was last seen to run, and how long it stood still. */
  #lastSweep = 0;
  #stoodStill = 0;
  #longestTrip = 0;
  /** The mean of the last round trips. */
  #recentTrip = 0;
  /** Messages in flight. */
  #busy = 0;
  /** The last interval that was told of. */
  #toldUntil = 0;
  #cpu: { at: number; usage: NodeJS.CpuUsage; idle: number } | undefined;
  #cpuUtilization: number | null = null;

  /** Does not connect yet. */
  constructor(options: LoadRunOptions) {
    const { connections, count, duration, warmup, rate } = options;
    this.options = options;
    this.#end = warmup + duration;
    let pacer: Pacer | undefined;
    if (rate !== undefined) {
      pacer = new Pacer({ rate, connections, count, warmup });
      pacer.endAt(this.#end);
    }
    this.#pacer = pacer;
    this.figures = new LoadFigures(
      pacer && ((time) => pacer.scheduledBefore(warmup + time)),
    );
    this.#workers = Array.from(
      { length: connections },
      (_, index) => new Worker(index, this),
    );
  }

  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** @throws the error of `dial` if a connection cannot be made at the start. */
  async run(): Promise<LoadSummary> {
    const { signal, onStart } = this.options;
    const abort = () => this.#stop(this.now(), ABORT_DRAIN_MS, DRAIN_MS);
    try {
      await this.#connectAll().catch((error) => {
        if (!signal?.aborted) throw error;
      });
      // What is done for the first time takes long: code is loaded and compiled.
      findings(this.summary());
      if (signal?.aborted) return this.summary();
      signal?.addEventListener("abort", abort, { once: true });
      notify(onStart, { summary: () => this.summary() });
      this.#start();
      await Promise.all(this.#workers.map((worker) => worker.work()));
      this.#finish();
      return this.summary();
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#close();
    }
  }

  // What workers ask.

  now(): number {
    return performance.now() - this.#started;
  }

  hasMore({ index }: Worker): boolean {
    if (this.#stopped.signal.aborted) return false;
    return this.#pacer
      ? this.#pacer.nextOf(index) < Infinity
      : this.figures.sent < this.options.count;
  }

  dueAt({ index }: Worker): number {
    return this.#pacer ? this.#pacer.nextOf(index) : 0;
  }

  take(worker: Worker, now: number): boolean {
    if (!this.hasMore(worker)) return false;
    const { warmup } = this.options;
    const { index } = worker;
    const measured = this.#pacer?.isMeasured(index) ?? now >= warmup;
    const due = this.#pacer?.nextOf(index) ?? this.#inTime(now);
    const from = this.#pacer?.take(index, now) ?? now;
    if (Number.isNaN(from)) return false;
    worker.busy = true;
    worker.measured = measured;
    worker.due = due;
    worker.from = from;
    worker.sentAt = now - this.#stoodStill;
    this.#busy++;
    this.messages++;
    this.#lastActive = now;
    if (measured) {
      this.figures.sent++;
      if (!this.#pacer) this.figures.intervals.due(due - warmup);
    }
    return true;
  }

  // What workers tell.

  reply(worker: Worker): number {
    const now = this.now();
    worker.busy = false;
    const trip = now - this.#stoodStill - worker.sentAt;
    if (trip > this.#longestTrip) this.#longestTrip = trip;
    this.#recentTrip += (trip - this.#recentTrip) / RECENT_TRIPS;
    this.#busy--;
    this.#lastActive = now;
    if (worker.measured) {
      const { warmup } = this.options;
      worker.replies++;
      this.figures.reply(
        worker.due - warmup,
        now - worker.from,
        now - warmup,
        now >= this.#end,
      );
    }
    if (this.#pacer) {
      this.#pacer.replied(worker.index, now);
      this.#schedule.wake();
    }
    return now;
  }

  failed(worker: Worker, error: unknown): void {
    worker.busy = false;
    this.#busy--;
    this.#error(error);
    if (worker.measured) {
      this.figures.failed++;
      this.#miss(worker.due);
    } else this.figures.otherErrors++;
  }

  closedBetween(): void {
    this.figures.reconnects++;
  }

  surplus(error: unknown): void {
    this.#error(addContext(this.options.action, error));
    this.figures.otherErrors++;
  }

  failedToConnect(error: unknown): void {
    this.#error(error);
    // With a schedule, the messages that waited for it say more.
    const isCounted = this.#pacer && this.now() >= this.options.warmup;
    if (!isCounted) this.figures.otherErrors++;
  }

  reconnected({ index }: Worker, took: number): void {
    const now = this.now();
    this.#pacer?.reconnected(index, now);
    if (now - took >= this.options.warmup) this.figures.connects.record(took);
  }

  // The course of a run.

  async #connectAll(): Promise<void> {
    const left = this.#workers.values();
    const connect = async () => {
      for (const worker of left) await worker.connect();
    };
    const all = Array.from({ length: MAX_CONNECTING }, connect);
    for (const result of await Promise.allSettled(all)) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  #start(): void {
    const { timeout, warmup, duration } = this.options;
    this.#started = performance.now();
    this.#startedAt = Date.now() + warmup;
    this.#at("measure", warmup, () => {
      const idle = this.#schedule.idle;
      this.#cpu = { at: this.now(), usage: process.cpuUsage(), idle };
      this.figures.reconnects = 0;
      if (duration > SECOND_MS) this.#tellAt(SECOND_MS);
    });
    this.#at("stop", this.#end, () => this.#stop(this.#end, DRAIN_MS));
    const pause = Math.min(Math.max(timeout / 4, 5), MAX_SWEEP_MS);
    this.#sweep = setInterval(() => this.#expire(pause), pause);
    if (this.#pacer) this.#schedule.wake();
  }

  /** Whether a reply or a connection is awaited, and how long it may take. */
  get #awaiting(): Awaiting {
    if (this.#busy + this.connecting === 0) return "nothing";
    const isSlow = this.#recentTrip > SLOW_TRIP_MS &&
      this.options.rate! <= MAX_DIGEST_RATE;
    return isSlow ? "later" : "soon";
  }

  /** Announces what is due. Returns the milliseconds to the next message, if any. */
  #announce(): number | undefined {
    const pacer = this.#pacer!;
    let woken = 0;
    for (let i = 0; i < MAX_ANNOUNCED && woken < BURST; i++) {
      const due = pacer.nextDue;
      if (due === Infinity) return undefined;
      const now = this.wokenAt = this.now();
      const index = pacer.announce(now);
      if (index < 0) return due - now;
      const { wake } = this.#workers[index]!;
      if (wake) woken++;
      wake?.();
    }
    return 0;
  }

  /** Tells of the interval that ends at `end`, and later of the next ones. */
  #tellAt(end: number): void {
    const { warmup, duration, onInterval } = this.options;
    this.#at("tell", warmup + end, () => {
      const { intervals } = this.figures;
      this.#toldUntil = end;
      notify(onInterval, intervals.until(end, this.#startedAt));
      const next = end + intervals.length;
      if (next < duration) this.#tellAt(next);
    });
  }

  /**
   * Fails the messages that were sent more than `timeout` ms ago. When this process
   * stood still, replies may be waiting in its sockets: its pause does not count.
   */
  #expire(pause: number): void {
    const { timeout, duration } = this.options;
    const now = this.now();
    const gap = now - this.#lastSweep;
    this.#lastSweep = now;
    if (gap > 2 * pause) this.#stoodStill += gap - pause;
    for (const worker of this.#workers) {
      const waited = now - this.#stoodStill - worker.sentAt;
      if (worker.busy && worker.conn && waited >= timeout) worker.expire();
    }
    const isDown = now - this.#lastActive > timeout &&
      this.#workers.every(({ conn }) => !conn);
    // No message may ever be sent again, and only a duration would end the run.
    if (isDown && duration === Infinity) {
      this.#isGivenUp = true;
      this.#stop(this.#pacer ? now : Infinity, 0, 0);
    }
  }

  /**
   * The run ends at a time: what is due later is not sent. What was due before has
   * from `least` to `most` milliseconds to come back.
   */
  #stop(end: number, least: number, most = Infinity): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#end = end;
    const now = this.now();
    if (this.#pacer) {
      this.#pacer.endAt(end);
      this.#at("stop", end + SLACK_MS, () => this.#stopSending());
      this.#wakeAll();
    } else this.#stopSending();
    const wait = Math.min(Math.max(least, 2 * this.#longestTrip), most);
    this.#at("cut", now + Math.min(wait, this.options.timeout), () => {
      this.#stopSending();
      this.isOver = true;
      for (const worker of this.#workers) worker.close();
    });
  }

  /** Nothing more is sent: what was due until now, and is left, is missing. */
  #stopSending(): void {
    if (this.#stopped.signal.aborted) return;
    const { droppedBy, sent } = this.figures;
    // Without a schedule, a connection that is down is a message that was due.
    const down = this.#workers.filter((worker) =>
      worker.downSince !== undefined && !worker.busy && this.hasMore(worker)
    );
    this.#stopped.abort();
    this.#schedule.stop();
    this.#measureCpu();
    for (const { connection, due, count } of this.#pacer?.unsent() ?? []) {
      const { conn, busy } = this.#workers[connection]!;
      droppedBy[!conn ? "down" : busy ? "slow" : "client"] += count;
      this.#miss(due, count);
    }
    if (!this.#pacer && down.length > 0) {
      const left = this.#isGivenUp ? this.options.count - sent : down.length;
      const since = this.#inTime(
        Math.min(...down.map(({ downSince }) => downSince!)),
      );
      droppedBy.down += left;
      this.figures.intervals.due(since - this.options.warmup, left);
      this.#miss(since, left);
    }
    this.#wakeAll();
  }

  /** All workers have ended. Messages still in flight are unanswered. */
  #finish(): void {
    const { figures } = this;
    const { count, warmup, onInterval } = this.options;
    this.#stopSending();
    // The wait for an echo that never came is not part of a run with a count.
    if (figures.sent >= count) {
      this.#end = Math.min(this.#end, this.#lastActive);
    }
    if (this.#end === Infinity) this.#end = this.now();
    for (const worker of this.#workers) {
      if (!worker.busy) continue;
      if (!worker.measured) {
        // Since the warm-up, so that it is all that its connection did.
        figures.sent++;
        figures.intervals.due(worker.due - warmup);
      }
      this.#miss(worker.due);
    }
    const last = this.summary().intervals.at(-1);
    if (last && last.elapsed > this.#toldUntil) notify(onInterval, last);
  }

  #close(): void {
    this.#stopped.abort();
    this.#schedule.stop();
    clearInterval(this.#sweep);
    for (const timer of Object.values(this.#timers)) clearLongTimeout(timer);
    for (const worker of this.#workers) worker.close();
  }

  /** Calls back at a time, in place of the last call for the same purpose. */
  #at(purpose: string, time: number, callback: () => void): void {
    clearLongTimeout(this.#timers[purpose]);
    const wait = Math.max(0, time - this.now());
    this.#timers[purpose] = setLongTimeout(() => {
      // A timer may be early by less than 1 ms.
      if (this.now() < time) this.#at(purpose, time, callback);
      else callback();
    }, wait);
  }

  /** What happens after the end, as its timer is late, belongs to the last interval. */
  #inTime(time: number): number {
    return Math.min(time, this.#end - MICROSECOND);
  }

  #wakeAll(): void {
    this.wokenAt = this.now();
    for (const { wake } of this.#workers) wake?.();
  }

  #error(error: unknown): void {
    const now = this.#inTime(this.now());
    this.figures.error(error, now - this.options.warmup);
  }

  /** Messages that were due at a time have not come back. */
  #miss(due: number, count = 1): void {
    const { warmup } = this.options;
    this.figures.miss(due - warmup, this.now() - warmup, count);
  }

  #measureCpu(): void {
    const now = this.now();
    if (!this.#cpu || now - this.#cpu.at < MIN_CPU_MS) return;
    const { at, usage, idle } = this.#cpu;
    const { user, system } = process.cpuUsage(usage);
    const busy = (user + system) / 1e3 - (this.#schedule.idle - idle);
    this.#cpuUtilization = Math.max(0, busy) / (now - at);
  }

  /** The figures so far. */
  summary(): LoadSummary {
    const { connections, size, warmup, rate = null } = this.options;
    const { sent, dropped } = this.figures;
    const isStopped = this.#stopped.signal.aborted;
    const end = isStopped ? this.#end : Math.min(this.now(), this.#end);
    return this.figures.summary({
      timestamp: new Date(this.#startedAt).toISOString(),
      ...{ connections, size, warmup, rate },
      // Not a number before the start, and below 0 in the warm-up.
      duration: Math.max(0, end - warmup || 0),
      scheduled: this.#pacer && !isStopped
        ? Math.max(sent, this.#pacer.scheduledBefore(end || 0))
        : sent + dropped,
      cpuUtilization: this.#cpuUtilization,
      replies: this.#workers.map(({ replies }) => replies),
      pacer: this.#pacer,
    });
  }
}
