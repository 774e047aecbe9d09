/**
 * Accepts connections from a listener until it is closed. A client that resets
 * before it is accepted is skipped. If files or memory run out, the acceptor
 * pauses and tries again. It can close the port for a while.
 *
 * @module
 */

import { Backoff } from "../net/backoff.ts";
import type { Conn, Listener } from "../net/conn.ts";
import { isShortage } from "../net/system_error.ts";

/** How to accept connections. */
export interface AcceptorOptions {
  /** Opens the listener again, after `refuse`. */
  open: () => Listener;
  /** Called for each connection. Call `release()` once it is closed. */
  onConnection: (conn: Conn) => void;
  /**
   * Connections at a time. Further ones wait in the kernel's queue.
   * @default {Infinity}
   */
  limit?: number | undefined;
  /**
   * Whether a burst of connections is accepted before the first one is served.
   * @default {true}
   */
  burst?: boolean | undefined;
  /**
   * Called when there is no connection for a reason of this system: `accept()` fails,
   * or the port cannot be taken again. At most once a minute.
   */
  onAcceptError?: ((error: Error) => void) | undefined;
  /** Returns milliseconds, in place of `performance.now()`. */
  now?: () => number;
}

/**
 * Milliseconds between attempts while the system is short of files or memory.
 * Other processes may free them, so there is no event to wait for.
 */
const RETRY_MS = { first: 10, last: 1_000 };

/**
 * Milliseconds until one that waits for files tries again. The files of a connection
 * are closed some time after the connection.
 */
const FILES_RETRY_MS = 100;

/**
 * Connections accepted in one tick of the event loop (whose budget is 128
 * operations) from which on more are waiting in the kernel's queue. These are
 * accepted before the first one is served: that queue overflows at 4096, and a
 * dropped SYN is retried only after 1 s. At most as many again are queued here,
 * which is some 100 ms of work. With half of that, one burst of 8000 connections
 * in four overflowed the kernel's queue.
 */
const BURST = 100;
const MAX_QUEUED = 4096;

/**
 * Connections that may be connecting to the upstream at first, and later as many as
 * are connected. If more were accepted, they could hold all files that dials need, and
 * none would ever be served.
 */
const FIRST_DIALS = 16;

/**
 * Milliseconds between two calls of `onAcceptError`. A shortage causes an error
 * every second while it lasts, and it may come and go with each connection.
 */
const REPORT_INTERVAL_MS = 60_000;

/** Accepts connections from when it is made. */
export class Acceptor {
  /** Resolves when no more connections are accepted, and all are passed on. */
  readonly closed: Promise<void>;
  /** Whether `closed` has resolved. */
  isClosed = false;
  /** The listener; `undefined` while the port is closed. */
  #listener: Listener | undefined;
  readonly #options: AcceptorOptions;
  readonly #backoff = new Backoff(RETRY_MS);
  // Connections that may still be accepted, as in a semaphore.
  #permits: number;
  // Connections that are accepted and not released.
  #open = 0;
  // Those among them that connect to the upstream.
  #dialing = 0;
  #lastReport = -Infinity;
  // Accepted, but not yet passed to `onConnection`.
  #queue: Conn[] = [];
  #acceptedInTick = 0;
  #refusing = false;
  // Who waits for files.
  readonly #short: (() => void)[] = [];
  #stopped = false;
  #refed = true;
  #wake: (() => void) | undefined;

  /** Takes the listener, which `close()` closes. */
  constructor(listener: Listener, options: AcceptorOptions) {
    this.#listener = listener;
    this.#options = options;
    this.#permits = options.limit ?? Infinity;
    this.closed = this.#run();
  }

  /** Returns the permit of a connection that was closed. */
  release(): void {
    this.#permits++;
    this.#open--;
    this.#short.shift()?.();
    this.#wake?.();
  }

  /**
   * Connects to the upstream of an accepted connection. A dial that fails for want of
   * files is repeated, and nothing is accepted meanwhile.
   */
  async dial(connect: () => Promise<Conn>): Promise<Conn> {
    this.#dialing++;
    try {
      for (;;) {
        try {
          return await connect();
        } catch (error) {
          if (!isShortage(error)) throw error;
          this.#report(error as Error);
          await this.#files();
        }
      }
    } finally {
      this.#dialing--;
      this.#wake?.();
    }
  }

  /** Closes the port, or takes it again. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
    if (refusing) this.#closeListener();
    this.#wake?.();
  }

  /** Closes the listener. Connections accepted so far are still passed on. */
  close(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#closeListener();
    for (const wake of this.#short.splice(0)) wake();
    this.#wake?.();
    this.#dispatch();
  }

  /** Keeps the process alive while it listens. */
  ref(): void {
    this.#refed = true;
    this.#listener?.ref();
  }

  /** Lets the process end while it listens. */
  unref(): void {
    this.#refed = false;
    this.#listener?.unref();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (this.#isFull) await this.#released();
        else if (!this.#listener) this.#reopen();
        else this.#onAccepted(await this.#listener.accept());
      } catch (error) {
        await this.#onError(error as Error);
      }
    }
    this.#dispatch();
    this.isClosed = true;
  }

  get #isFull(): boolean {
    const connected = this.#open - this.#dialing;
    return this.#refusing || this.#permits === 0 || this.#short.length > 0 ||
      this.#dialing >= Math.max(FIRST_DIALS, connected);
  }

  /** Resolves when there may be files: a connection was closed, or after a moment. */
  async #files(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#short.push(resolve);
    const timer = setTimeout(resolve, FILES_RETRY_MS);
    await promise;
    clearTimeout(timer);
    const at = this.#short.indexOf(resolve);
    if (at >= 0) this.#short.splice(at, 1);
  }

  #reopen(): void {
    this.#listener = this.#options.open();
    if (!this.#refed) this.#listener.unref();
    this.#backoff.reset();
  }

  #closeListener(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  #onAccepted(conn: Conn): void {
    this.#backoff.reset();
    if (this.#stopped) return conn.close();
    this.#permits--;
    this.#open++;
    if (this.#options.burst === false) return this.#options.onConnection(conn);
    this.#acceptedInTick++;
    if (this.#queue.push(conn) === 1) setImmediate(this.#dispatch);
  }

  async #onError(error: Error): Promise<void> {
    const expected = this.#stopped || this.#refusing;
    if (!expected && (isShortage(error) || !this.#listener)) {
      this.#report(error);
      await this.#released(this.#backoff.next());
    } else {
      // The client has disconnected. Whatever it is, the event loop turns.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Passes the queue to `onConnection`, in the next tick if there is a burst. */
  #dispatch = (): void => {
    const burst = this.#acceptedInTick >= BURST;
    this.#acceptedInTick = 0;
    if (burst && this.#queue.length < MAX_QUEUED && !this.#stopped) {
      setImmediate(this.#dispatch);
      return;
    }
    const conns = this.#queue;
    this.#queue = [];
    for (const conn of conns) this.#options.onConnection(conn);
  };

  #report(error: Error): void {
    const { onAcceptError, now = () => performance.now() } = this.#options;
    if (now() - this.#lastReport < REPORT_INTERVAL_MS) return;
    this.#lastReport = now();
    onAcceptError?.(error);
  }

  /** Resolves at the next change, or after `ms`. */
  async #released(ms?: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }
}
