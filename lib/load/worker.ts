/**
 * One connection of a load run: a loop that asks when to send, sends, receives,
 * verifies and records. It replaces its connection when it is lost.
 *
 * @module
 */

import { Progress } from "../client/progress.ts";
import { difference, mismatch } from "../client/verify.ts";
import { WatchedConn } from "../client/watched_conn.ts";
import { Backoff } from "../net/backoff.ts";
import { addContext, EchoError, UnexpectedEofError } from "../net/errors.ts";
import { readScheduler } from "../net/read_scheduler.ts";
import { sleep } from "../net/timeout.ts";
import { writeAll } from "../net/conn.ts";
import type { LoadState, Message } from "./state.ts";

/** Milliseconds between attempts to replace a lost connection. */
const BACKOFF_MS = { first: 50, last: 2_000 };

/**
 * Milliseconds. Before a longer pause, a connection is watched for its end. With
 * shorter ones, the server hardly closes it between two messages, and a read more a
 * message would cost a tenth of the rate that this client reaches.
 */
const WATCH_MS = 5;

/** A connection of a run, and the message that is on its way. */
export class Worker implements Message {
  readonly index: number;
  replies = 0;
  busy = false;
  due = 0;
  from = 0;
  sentAt = 0;
  /** The connection, unless it was lost. */
  conn: WatchedConn | undefined;
  /** When something failed that no message has come back since. */
  downSince: number | undefined;
  readonly #run: LoadState;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #echo: Uint8Array<ArrayBuffer>;
  readonly #backoff = new Backoff(BACKOFF_MS);
  /** Messages that the connection has carried. */
  #carried = 0;
  /** Bytes of the echo that have come back. */
  #received = 0;
  #isTimedOut = false;
  /** Whether the connection was watched before the message was sent. */
  #wasWatched = false;
  /** The tick of the read scheduler in which the last read began. */
  #tick = 0;

  /** Does not connect yet. */
  constructor(index: number, run: LoadState) {
    const { size } = run.options;
    this.index = index;
    this.#run = run;
    this.#message = new Uint8Array(size);
    for (let i = 0; i < size; i++) this.#message[i] = Math.random() * 256;
    // One byte more than is sent, so that a surplus is noticed.
    this.#echo = new Uint8Array(size + 1);
  }

  /** Connects. @throws what `dial` throws. */
  async connect(signal?: AbortSignal): Promise<void> {
    const conn = await this.#run.options.dial(signal);
    this.conn = new WatchedConn(conn, this.#echo.length);
    this.#carried = this.#received = 0;
  }

  /** Sends messages until the run is over. */
  async work(): Promise<void> {
    const run = this.#run;
    readScheduler.join();
    try {
      // Thousands of writes at once would starve the reads that follow them.
      await readScheduler.turn();
      // Reading the clock costs as much as recording a latency.
      let now = run.now();
      while (this.busy || run.hasMore(this.index)) {
        if (!this.conn) {
          if (!await this.#reconnect()) break;
          now = run.now();
        }
        if (!this.busy) {
          const wait = (run.pacer?.nextOf(this.index) ?? now) - now;
          if (wait > 0) now = await this.#untilDue(wait);
          if (this.#hasEnded() || !run.take(this, now)) continue;
        }
        try {
          await this.#roundTrip(this.conn!);
        } catch (error) {
          if (run.isOver) break;
          this.#lose(error);
          continue;
        }
        this.downSince = undefined;
        now = run.reply(this);
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
    this.conn = undefined;
  }

  /** Waits until a message is due, or the run ends. Returns when. */
  async #untilDue(wait: number): Promise<number> {
    const run = this.#run;
    const conn = this.conn!;
    if (wait > WATCH_MS && !conn.isWatched) {
      await readScheduler.turn();
      if (!this.conn) return run.now();
      this.#tick = readScheduler.tick;
      conn.watch();
    }
    return await run.woken(this.index);
  }

  /** Whether the connection ended while it was watched. */
  #hasEnded(): boolean {
    const { ended, unexpected } = this.conn ?? {};
    if (!ended && unexpected === undefined) return false;
    this.close();
    if (ended) this.#run.figures.reconnects++;
    else {
      this.downSince ??= this.#run.now();
      const { action } = this.#run.options;
      const error = mismatch(0, undefined, unexpected!);
      this.#run.error(addContext(action, error));
    }
    return true;
  }

  /** Sends the message, and verifies its echo as it comes in. */
  async #roundTrip(conn: WatchedConn): Promise<void> {
    const message = this.#message;
    const { length } = message;
    // Each differs from the one before it, so that a late echo is not mistaken.
    for (let i = 0; i < 4 && i < length; i++) {
      message[i] = this.#run.messages >>> (8 * i);
    }
    this.#received = 0;
    this.#wasWatched = conn.isWatched;
    // Reading starts at once: a long message is echoed while it is being sent.
    // What comes back shows whether it was sent.
    writeAll(conn, message).catch(() => {});
    while (this.#received < length) {
      if (!conn.isWatched) {
        // Thousands of reads at once would starve each other.
        const turn = readScheduler.turn();
        if (turn) await turn;
        this.#tick = readScheduler.tick;
      }
      const from = this.#received;
      const rest = from === 0 ? this.#echo : this.#echo.subarray(from);
      const count = await conn.read(rest);
      readScheduler.onData(this.#tick);
      if (count === null) throw this.#progress().closed();
      const wrong = difference(this.#echo, message, from, from + count);
      if (wrong >= 0) {
        throw mismatch(wrong, message[wrong], this.#echo[wrong]!);
      }
      this.#received = from + count;
    }
    this.#received = 0;
  }

  /**
   * The connection was lost. Without a pause between two messages, a server that
   * closes it after some of them does so as the next one is sent: that one is sent
   * again on a new connection (like a request of HTTP/1.1, RFC 9112, section 9.3.1).
   * Otherwise the message failed.
   */
  #lose(error: unknown): void {
    const isTimedOut = this.#isTimedOut;
    this.#isTimedOut = false;
    this.close();
    // A reset that follows the end of input turns a read into EPIPE.
    const isOrderly = error instanceof UnexpectedEofError ||
      error instanceof Deno.errors.BrokenPipe;
    const isBetween = this.#received === 0 && this.#carried > 0 &&
      !this.#wasWatched;
    if (isOrderly && isBetween && !isTimedOut) {
      this.#run.figures.reconnects++;
      return;
    }
    this.downSince ??= this.#run.now();
    const { action, timeout } = this.#run.options;
    const progress = this.#progress();
    const failure = isTimedOut
      ? progress.timedOut(timeout)
      : error instanceof EchoError
      ? error
      : progress.reset(error);
    this.#run.failed(this, addContext(action, failure));
  }

  /** Connects again, after a pause if something failed. False if the run is over. */
  async #reconnect(): Promise<boolean> {
    const run = this.#run;
    const { signal } = run.stopping;
    run.connecting++;
    if (this.downSince === undefined) this.#backoff.reset();
    while (!this.conn) {
      try {
        if (this.downSince !== undefined) {
          await sleep(this.#backoff.next(), signal);
        }
        const started = run.now();
        await this.connect(signal);
        const now = run.now();
        run.pacer?.reconnected(this.index, now);
        if (started >= 0) run.figures.connects.record(now - started);
      } catch (error) {
        if (signal.aborted) break;
        this.downSince ??= run.now();
        // A message that was to be sent again is lost. With a schedule, those that
        // wait for the connection say more.
        if (this.busy) run.failed(this, error);
        else run.error(error, !run.pacer || run.now() < 0);
      }
    }
    run.connecting--;
    // The run may have ended while the connection was being made.
    if (signal.aborted) this.close();
    return !signal.aborted;
  }

  #progress(): Progress {
    const progress = new Progress(this.#message.length);
    progress.received = this.#received;
    return progress;
  }
}
