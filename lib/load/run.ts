/**
 * One load run, from the first connection to the summary. It owns the workers, and
 * the end.
 *
 * After the warm-up come the figures, for `duration` or `count` messages. Then no
 * message is sent but what was due already, and those in flight have some time to
 * come back. What does not is in the figures as well.
 *
 * @module
 */

import { notify } from "../net/notify.ts";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "../net/timeout.ts";
import { findings } from "../stats/findings.ts";
import type { LoadSummary } from "../stats/summaries.ts";
import type { LoadRunOptions } from "./options.ts";
import { LoadState } from "./state.ts";
import { Worker } from "./worker.ts";

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

/** Milliseconds. The CPU time of a shorter run is that of its start. */
const MIN_CPU_MS = 250;

/** The longest pause between two looks at the timeouts, in milliseconds. */
const MAX_SWEEP_MS = 250;

/** A run; see above. `run` may be called once. */
export class LoadRun {
  readonly #state: LoadState;
  readonly #workers: readonly Worker[];
  readonly #timers: Record<string, LongTimeout> = {};
  #isStopping = false;
  /** When this process was last seen to run. */
  #lastSweep = 0;
  /** The last interval that was told of. */
  #toldUntil = 0;
  /** When the figures began, and the CPU time then. */
  #cpu: { at: number; work: number } | undefined;

  /** Does not connect yet. */
  constructor(options: LoadRunOptions) {
    this.#state = new LoadState(options);
    this.#workers = Array.from(
      { length: options.connections },
      (_, index) => new Worker(index, this.#state),
    );
  }

  /** @throws the error of `dial` if a connection cannot be made at the start. */
  async run(): Promise<LoadSummary> {
    const state = this.#state;
    const { signal, onStart } = state.options;
    const abort = () => this.#stop(state.now(), ABORT_DRAIN_MS, DRAIN_MS);
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

  /** The figures so far. */
  summary(): LoadSummary {
    return this.#state.summary(this.#workers.map(({ replies }) => replies));
  }

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
    const state = this.#state;
    const { timeout, duration } = state.options;
    state.start();
    this.#lastSweep = state.now();
    this.#at("measure", 0, () => {
      this.#cpu = { at: state.now(), work: state.schedule.work };
      state.figures.reconnects = 0;
      this.#tellAt(state.figures.intervals.length);
    });
    this.#at("stop", duration, () => this.#stop(duration, DRAIN_MS));
    const pause = Math.min(Math.max(timeout / 4, 5), MAX_SWEEP_MS);
    this.#expire(pause);
  }

  /** Tells of the interval that ends at `end`, and later of the next ones. */
  #tellAt(end: number): void {
    const { figures: { intervals }, options, startedAt } = this.#state;
    if (end >= options.duration) return;
    this.#at("tell", end, () => {
      this.#toldUntil = end;
      notify(options.onInterval, intervals.until(end, startedAt));
      this.#tellAt(end + intervals.length);
    });
  }

  /**
   * Fails the messages that were sent more than `timeout` ms ago. When this process
   * stood still, replies may be waiting in its sockets: its pause does not count.
   */
  #expire(pause: number): void {
    const state = this.#state;
    const { timeout, duration } = state.options;
    const now = state.now();
    const gap = now - this.#lastSweep;
    this.#lastSweep = now;
    this.#at("sweep", now + pause, () => this.#expire(pause));
    if (gap > 2 * pause) state.stoodStill += gap - pause;
    for (const worker of this.#workers) {
      const waited = now - state.stoodStill - worker.sentAt;
      if (worker.busy && worker.conn && waited >= timeout) worker.expire();
    }
    const isDown = now - state.lastActive > timeout &&
      this.#workers.every(({ conn }) => !conn);
    // No message may ever be sent again, and only a duration would end the run.
    if (isDown && duration === Infinity) {
      this.#stop(state.pacer ? now : Infinity, 0, 0);
    }
  }

  /**
   * The run ends at a time: what is due later is not sent. What was due before has
   * from `least` to `most` milliseconds to come back.
   */
  #stop(end: number, least: number, most = Infinity): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const state = this.#state;
    state.end = end;
    if (state.pacer) {
      state.pacer.endAt(end);
      this.#at("stop", end + SLACK_MS, () => this.#stopSending());
      state.wakeAll();
    } else this.#stopSending();
    const wait = Math.min(Math.max(least, 2 * state.longestTrip), most);
    this.#at("cut", state.now() + Math.min(wait, state.options.timeout), () => {
      this.#stopSending();
      state.isOver = true;
      for (const worker of this.#workers) worker.close();
    });
  }

  /** Nothing more is sent: what was due until now, and is left, is missing. */
  #stopSending(): void {
    const { figures, pacer, schedule, stopping, options } = this.#state;
    if (stopping.signal.aborted) return;
    // Without a schedule, a connection that is down is a message that was due.
    const down = pacer
      ? []
      : this.#workers.filter((worker) =>
        worker.downSince !== undefined && !worker.busy &&
        this.#state.hasMore(worker.index)
      );
    stopping.abort();
    schedule.stop();
    const elapsed = this.#state.now() - (this.#cpu?.at ?? NaN);
    if (elapsed >= MIN_CPU_MS) {
      const busy = schedule.work - this.#cpu!.work;
      figures.cpuUtilization = Math.max(0, busy) / elapsed;
    }
    for (const { connection, due, count } of pacer?.unsent() ?? []) {
      const { conn, busy } = this.#workers[connection]!;
      figures.droppedBy[!conn ? "down" : busy ? "slow" : "client"] += count;
      this.#state.miss(due, count);
    }
    if (down.length > 0) {
      // A run with a count that is given up for want of a server has no end.
      const left = this.#state.end === Infinity
        ? options.count - figures.sent
        : down.length;
      const since = this.#state.inTime(
        Math.min(...down.map(({ downSince }) => downSince!)),
      );
      figures.droppedBy.down += left;
      figures.intervals.due(since, left);
      this.#state.miss(since, left);
    }
    this.#state.wakeAll();
  }

  /** All workers have ended. Messages still in flight are unanswered. */
  #finish(): void {
    const state = this.#state;
    const { figures, options } = state;
    this.#stopSending();
    // The wait for an echo that never came is not part of a run with a count.
    if (figures.sent >= options.count) {
      state.end = Math.min(state.end, state.lastActive);
    }
    if (state.end === Infinity) state.end = state.now();
    for (const { busy, due } of this.#workers) {
      if (!busy) continue;
      if (due < 0) {
        // Since the warm-up, so that it is all that its connection did.
        figures.sent++;
        figures.intervals.due(due);
      }
      state.miss(due);
    }
    const last = this.summary().intervals.at(-1);
    if (last && last.elapsed > this.#toldUntil) {
      notify(options.onInterval, last);
    }
  }

  #close(): void {
    this.#state.stopping.abort();
    this.#state.schedule.stop();
    for (const timer of Object.values(this.#timers)) clearLongTimeout(timer);
    for (const worker of this.#workers) worker.close();
  }

  /** Calls back at a time, in place of the last call for the same purpose. */
  #at(purpose: string, time: number, callback: () => void): void {
    clearLongTimeout(this.#timers[purpose]);
    const wait = Math.max(0, time - this.#state.now());
    this.#timers[purpose] = setLongTimeout(() => {
      // A timer may be early by less than 1 ms.
      if (this.#state.now() < time) this.#at(purpose, time, callback);
      else callback();
    }, wait);
  }
}
