/**
 * One connection of a load run: a loop that asks when to send, sends, receives,
 * verifies and records. It replaces its connection when it is lost.
 *
 * ```ts
 * import { Worker, type WorkerRun } from "./worker.ts";
 * declare const run: WorkerRun;
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
import { Progress } from "../client/progress.ts";
import { difference, mismatch } from "../client/verify.ts";

/** Milliseconds between attempts to replace a lost connection. */
const BACKOFF_MS = { first: 50, last: 2_000 };

/**
 * Milliseconds. Before a longer pause, a connection is watched for its end. With
 * shorter ones, the server hardly closes it between two messages, and a read more a
 * message would cost a tenth of the rate that this client reaches.
 */
const WATCH_MS = 5;

/** The run as its workers see it. Times are milliseconds from its start. */
export interface WorkerRun {
  /** What all workers share. */
  readonly options: {
    size: number;
    timeout: number;
    reconnect?: number | undefined;
    /** What the messages of errors start with. */
    action: string;
    dial: (signal?: AbortSignal) => Promise<Deno.Conn>;
  };
  /** Aborted when nothing more is sent. */
  readonly stopped: AbortSignal;
  /** Whether messages in flight are no longer waited for. */
  readonly isOver: boolean;
  /** Messages sent so far, those of the warm-up included. */
  readonly messages: number;
  /** When a worker was last woken. */
  readonly wokenAt: number;
  /** Connections that are being replaced. */
  connecting: number;

  // What workers ask.

  /** Milliseconds since the start of the run. */
  now(): number;
  /** Whether a worker has another message to send. */
  hasMore(worker: Worker): boolean;
  /** When the next message of a worker is due; without a schedule, at once. */
  dueAt(worker: Worker): number;
  /** Takes the next message, to be sent `now`. False if none is due. */
  take(worker: Worker, now: number): boolean;

  // What workers tell.

  /** The whole echo came back. Returns when. */
  reply(worker: Worker): number;
  /** The message in flight failed, or could not be sent again. */
  failed(worker: Worker, error: unknown): void;
  /** The server closed a connection between two messages. */
  closedBetween(): void;
  /** Bytes came back that belong to no message. */
  surplus(error: unknown): void;
  /** A lost connection could not be replaced. */
  failedToConnect(error: unknown): void;
  /** A lost connection was replaced, in so many milliseconds. */
  reconnected(worker: Worker, took: number): void;
}

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
  readonly #run: WorkerRun;
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
  #isWatched = false;
  /** The read that is pending, maybe since before the message was sent. */
  #reading: Promise<number | null> | undefined;
  /** What it came to, if that was before the message was sent. */
  #idleRead: number | null | undefined;
  /** The tick of the read scheduler in which the last read began. */
  #tick = 0;

  /** Does not connect yet. */
  constructor(index: number, run: WorkerRun) {
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
    this.#reading = this.#idleRead = undefined;
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
      while (this.busy || run.hasMore(this)) {
        if (!this.conn) {
          if (!await this.#reconnect()) break;
          now = run.now();
        }
        if (!this.busy) {
          const wait = run.dueAt(this) - now;
          this.#isWatched = wait > WATCH_MS;
          if (wait > 0) {
            if (this.#isWatched) this.#watch();
            await new Promise<void>(this.#setWake);
            this.wake = undefined;
            now = run.wokenAt;
          }
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
    this.conn = this.#reading = this.#idleRead = undefined;
  }

  /** Keeps a read pending, so that an end is noticed before the next message. */
  async #watch(): Promise<void> {
    if (this.#reading) return;
    const conn = this.conn!;
    let count: number | null;
    try {
      await readScheduler.turn();
      this.#read(conn);
      count = await this.#reading!;
    } catch {
      // A reset ends the connection too.
      count = null;
    }
    if (!this.busy && this.conn === conn) this.#idleRead = count;
  }

  /** Whether the connection ended while it was watched. */
  #hasEnded(): boolean {
    const count = this.#idleRead;
    if (count === undefined) return false;
    this.close();
    if (count === null) this.#run.closedBetween();
    else {
      this.downSince ??= this.#run.now();
      this.#run.surplus(mismatch(0, undefined, this.#echo[0]!));
    }
    return true;
  }

  /** Starts a read, unless one is pending since before its turn came. */
  #read(conn: Deno.Conn): void {
    // The connection may have been replaced meanwhile.
    if (this.#reading || this.conn && this.conn !== conn) return;
    const at = this.#received;
    this.#tick = readScheduler.tick;
    this.#reading = conn.read(at === 0 ? this.#echo : this.#echo.subarray(at));
  }

  /** Sends the message, and verifies its echo as it comes in. */
  async #roundTrip(conn: Deno.Conn): Promise<void> {
    const message = this.#message;
    const { length } = message;
    // Each differs from the one before it, so that a late echo is not mistaken.
    if (length >= 4) this.#stamp.setUint32(0, this.#run.messages);
    else message[0] = this.#run.messages;
    this.#received = 0;
    // Reading starts at once: a long message is echoed while it is being sent.
    const sending = this.#send(conn);
    while (this.#received < length) {
      if (!this.#reading) {
        // Thousands of reads at once would starve each other.
        const turn = readScheduler.turn();
        if (turn) await turn;
        this.#read(conn);
      }
      const from = this.#received;
      const count = await this.#reading!;
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
    this.#received = 0;
  }

  async #send(conn: Deno.Conn): Promise<void> {
    const message = this.#message;
    try {
      for (let at = 0; at < message.length;) {
        at += await conn.write(at === 0 ? message : message.subarray(at));
      }
    } catch {
      // It shows in what comes back.
    }
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
      !this.#isWatched;
    const isTimedOut = this.#isTimedOut;
    this.#isTimedOut = false;
    this.close();
    if (isBetween && !isTimedOut) {
      this.#run.closedBetween();
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

  #setWake = (resolve: () => void): void => {
    this.wake = resolve;
  };

  #progress(): Progress {
    const progress = new Progress(this.#message.length);
    progress.received = this.#received;
    return progress;
  }
}
