/**
 * One connection of a load run: a loop that asks when to send, sends, receives,
 * verifies and records. It replaces its connection when it is lost.
 *
 * ```ts
 * import type { LoadRun } from "./run.ts";
 * import { Worker } from "./worker.ts";
 * declare const run: LoadRun;
 *
 * const worker = new Worker(0, run);
 * await worker.connect();
 * await worker.work(); // until the run is over
 * ```
 *
 * @module
 */

import { Backoff } from "../net/backoff.ts";
import { addContext, EchoError, UnexpectedEofError } from "../net/errors.ts";
import { readScheduler } from "../net/read_scheduler.ts";
import { sleep } from "../net/timeout.ts";
import { writeAll } from "../net/write_all.ts";
import { Progress } from "../client/progress.ts";
import { difference, mismatch } from "../client/verify.ts";
import type { LoadRun } from "./run.ts";

/** Milliseconds between attempts to replace a lost connection. */
const BACKOFF_MS = { first: 50, last: 2_000 };

/** A connection of a run, and the message that is on its way. */
export class Worker {
  /** The number of the connection, from 0. */
  readonly index: number;
  /** Messages that came back and count. */
  replies = 0;
  /** The connection, unless it was lost. */
  conn: Deno.Conn | undefined;
  /** Whether a message is in flight. */
  busy = false;
  /** Whether the message counts: in the warm-up, none does. */
  measured = false;
  /** When it was due, from the start of the run. */
  due = 0;
  /** From when its latency counts: later, if this client was late with it. */
  from = 0;
  /** When it was sent, on the clock of the run that stands still in its pauses. */
  sentAt = 0;
  /** When something failed that no message has come back since. */
  downSince: number | undefined;
  /** Continues the loop that waits for a message to be due. */
  wake: (() => void) | undefined;
  readonly #run: LoadRun;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #stamp: DataView;
  readonly #echo: Uint8Array<ArrayBuffer>;
  readonly #backoff = new Backoff(BACKOFF_MS);
  /** Messages that the connection has carried. */
  #carried = 0;
  /** Bytes of the echo that have come back. */
  #received = 0;
  #isTimedOut = false;
  /** Whether the connection was watched before the message was sent. */
  #hasPaused = false;
  /** A read that began before the message was sent. */
  #reading: Promise<number | null> | undefined;
  /** The tick of the read scheduler in which the last read began. */
  #tick = 0;

  /** Does not connect yet. */
  constructor(index: number, run: LoadRun) {
    const { size } = run.options;
    this.index = index;
    this.#run = run;
    this.#message = new Uint8Array(size);
    for (let i = 0; i < size; i++) this.#message[i] = Math.random() * 256;
    this.#stamp = new DataView(this.#message.buffer);
    // One byte more than is sent, so that a surplus is noticed.
    this.#echo = new Uint8Array(size + 1);
  }

  /** Connects. @throws what `dial` throws. */
  async connect(signal?: AbortSignal): Promise<void> {
    this.conn = await this.#run.options.dial(signal);
    this.#carried = 0;
  }

  /** Sends messages until the run is over. */
  async work(): Promise<void> {
    const run = this.#run;
    readScheduler.join();
    try {
      // Thousands of writes at once would starve the reads that follow them.
      await readScheduler.turn();
      while (this.busy || run.hasMore(this)) {
        if (!this.conn && !await this.#reconnect()) break;
        if (!this.busy) {
          this.#hasPaused = false;
          const due = run.whenDue(this);
          if (due && !await this.#watch(due)) continue;
          if (!run.take(this)) continue;
        }
        try {
          await this.#roundTrip(this.conn!);
        } catch (error) {
          if (run.isOver) break;
          this.#lose(error);
          continue;
        }
        this.downSince = undefined;
        run.reply(this);
        if (++this.#carried === run.options.reconnect) this.close();
      }
    } finally {
      readScheduler.leave();
      this.close();
    }
  }

  /** Fails the message in flight: its time is up. */
  expire(): void {
    this.#isTimedOut = true;
    this.close();
  }

  /** Closes the connection. */
  close(): void {
    this.conn?.[Symbol.dispose]();
    this.conn = this.#reading = undefined;
  }

  /**
   * Waits until a message is due. A read is pending meanwhile, so that the end of the
   * connection is noticed before the message is sent. False if it ended.
   */
  async #watch(due: Promise<void>): Promise<boolean> {
    this.#hasPaused = true;
    if (!this.#reading) {
      const turn = readScheduler.turn();
      if (turn) await turn;
      this.#tick = readScheduler.tick;
      this.#reading = this.conn!.read(this.#echo);
    }
    let isIdle = true;
    let end: { count: number | null } | undefined;
    const settle = (count: number | null) => {
      if (isIdle) end = { count };
    };
    // A reset ends the connection too.
    this.#reading.then(settle, () => settle(null));
    await due;
    isIdle = false;
    this.wake = undefined;
    if (!end) return true;
    this.close();
    if (end.count === null) this.#run.figures.reconnects++;
    else {
      this.downSince ??= this.#run.now();
      this.#run.surplus(mismatch(0, undefined, this.#echo[0]!));
    }
    return false;
  }

  /** Sends the message, and verifies its echo as it comes in. */
  async #roundTrip(conn: Deno.Conn): Promise<void> {
    const message = this.#message;
    const { length } = message;
    // Each differs from the one before it, so that a late echo is not mistaken.
    if (length >= 4) this.#stamp.setUint32(0, this.#run.messages);
    else message[0] = this.#run.messages;
    this.#received = 0;
    // Reading starts at once: a long message is echoed while it is being sent. A
    // failed write shows in what comes back.
    const sending = writeAll(conn, message).catch(() => {});
    while (this.#received < length) {
      const from = this.#received;
      const count = await (this.#reading ?? this.#read(conn, from));
      this.#reading = undefined;
      readScheduler.onData(this.#tick);
      if (count === null) throw this.#progress().closed();
      const wrong = difference(this.#echo, message, from, from + count);
      if (wrong >= 0) {
        throw mismatch(wrong, message[wrong], this.#echo[wrong]!);
      }
      this.#received = from + count;
    }
    await sending;
  }

  async #read(conn: Deno.Conn, from: number): Promise<number | null> {
    const turn = readScheduler.turn();
    if (turn) await turn;
    this.#tick = readScheduler.tick;
    return conn.read(from === 0 ? this.#echo : this.#echo.subarray(from));
  }

  /**
   * The connection was lost. Without a pause between two messages, a server that
   * closes it after some of them does so as the next one is sent: that one is sent
   * again on a new connection (like a request of HTTP/1.1, RFC 9112, section 9.3.1).
   * Otherwise the message failed.
   */
  #lose(error: unknown): void {
    // A reset that follows the end of input turns a read into EPIPE.
    const isOrderly = error instanceof UnexpectedEofError ||
      error instanceof Deno.errors.BrokenPipe;
    const isBetween = isOrderly && this.#received === 0 && this.#carried > 0 &&
      !this.#hasPaused;
    const isTimedOut = this.#isTimedOut;
    this.#isTimedOut = false;
    this.close();
    if (isBetween && !isTimedOut) {
      this.#run.figures.reconnects++;
      return;
    }
    this.downSince ??= this.#run.now();
    const progress = this.#progress();
    const failure = isTimedOut
      ? progress.timedOut(this.#run.options.timeout)
      : error instanceof EchoError
      ? error
      : progress.reset(error);
    this.#run.failed(this, addContext(this.#run.options.action, failure));
  }

  /** Connects again, after a pause if something failed. False if the run is over. */
  async #reconnect(): Promise<boolean> {
    const run = this.#run;
    const { stopped } = run;
    run.connecting++;
    if (this.downSince === undefined) this.#backoff.reset();
    while (!this.conn) {
      try {
        if (this.downSince !== undefined) {
          await sleep(this.#backoff.next(), stopped);
        }
        const started = run.now();
        await this.connect(stopped);
        run.reconnected(this, run.now() - started);
      } catch (error) {
        if (stopped.aborted) break;
        this.downSince ??= run.now();
        // A message that was to be sent again is lost.
        if (this.busy) run.failed(this, error);
        else run.failedToConnect(error);
      }
    }
    run.connecting--;
    // The run may have ended while the connection was being made.
    if (stopped.aborted) this.close();
    return !stopped.aborted;
  }

  #progress(): Progress {
    const progress = new Progress(this.#message.length);
    progress.received = this.#received;
    return progress;
  }
}
