/**
 * Accepts connections from a listener until it is closed. A client that resets
 * before it is accepted is skipped. If files or memory run out, the acceptor
 * pauses and tries again.
 *
 * ```ts
 * import { Acceptor } from "./acceptor.ts";
 *
 * const listener = Deno.listen({ port: 12345 });
 * const acceptor = new Acceptor(listener, {
 *   limit: 100,
 *   onConnection(conn) {
 *     conn.close();
 *     acceptor.release();
 *   },
 * });
 * await acceptor.closed;
 * ```
 *
 * @module
 */

import { Backoff } from "../net/backoff.ts";

/** How to accept connections. */
export interface AcceptorOptions {
  /** Called for each connection. Call `release()` once it is closed. */
  onConnection: (conn: Deno.Conn) => void;
  /**
   * Connections at a time. Further ones wait in the kernel's queue.
   * @default {Infinity}
   */
  limit?: number | undefined;
  /** Called when `accept()` fails for a reason of this system, once a minute. */
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
 * Milliseconds between two calls of `onAcceptError`. A shortage causes an error
 * every second while it lasts, and it may come and go with each connection.
 */
const REPORT_INTERVAL_MS = 60_000;

/** Whether the client disconnected before it was accepted. */
function isDisconnect(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}

/** Accepts connections from when it is made. */
export class Acceptor {
  /** Resolves when no more connections are accepted. */
  readonly closed: Promise<void>;
  readonly #listener: Pick<Deno.Listener<Deno.Conn>, "accept" | "close">;
  readonly #options: AcceptorOptions;
  readonly #backoff = new Backoff(RETRY_MS);
  // Connections that may still be accepted, as in a semaphore.
  #permits: number;
  #lastReport = -Infinity;
  // Accepted, but not yet passed to `onConnection`.
  #queue: Deno.Conn[] = [];
  #acceptedInTick = 0;
  #stopped = false;
  #wake: (() => void) | undefined;

  /** Takes the listener, which `close()` closes. */
  constructor(
    listener: Pick<Deno.Listener<Deno.Conn>, "accept" | "close">,
    options: AcceptorOptions,
  ) {
    this.#listener = listener;
    this.#options = options;
    this.#permits = options.limit ?? Infinity;
    this.closed = this.#run();
  }

  /** Returns the permit of a connection that was closed. */
  release(): void {
    this.#permits++;
    this.#wake?.();
  }

  /** Closes the listener. Connections accepted so far are still passed on. */
  close(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#listener.close();
    this.#wake?.();
    this.#dispatch();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#permits === 0) {
        await this.#released();
        continue;
      }
      try {
        this.#accepted(await this.#listener.accept());
      } catch (error) {
        if (this.#stopped || isDisconnect(error)) continue;
        this.#report(error as Error);
        await this.#released(this.#backoff.next());
      }
    }
  }

  #accepted(conn: Deno.Conn): void {
    this.#backoff.reset();
    if (this.#stopped) return conn.close();
    this.#permits--;
    this.#acceptedInTick++;
    if (this.#queue.push(conn) === 1) setImmediate(this.#dispatch);
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

  /** Resolves at the next `release()` or `close()`, or after `ms`. */
  async #released(ms?: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }
}
