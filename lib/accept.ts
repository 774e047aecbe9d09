/**
 * Takes clients from a listener and goes on doing so whatever happens: a client
 * that is gone before it was taken is passed over, and where files, memory or
 * places are short, taking pauses instead of failing or spinning.
 *
 * ```ts
 * import { accept } from "./accept.ts";
 * const door = accept(listener, {
 *   take: (conn) => talk(conn).finally(() => door.release()),
 *   limit: 100,
 * });
 * ```
 *
 * @module
 */

// The global of the same name came to Deno later than this module.
import { setImmediate } from "node:timers";

/** How to take clients. */
export interface AcceptOptions<C extends Deno.Conn> {
  /** Called for each client. Call `release` once it is closed. */
  take: (conn: C) => void;
  /** Clients at a time; the next ones wait in the kernel's queue. */
  limit?: number | undefined;
  /** Told when the system runs short: at most once a minute. */
  onShortage?: ((error: Error) => void) | undefined;
  /** Milliseconds on a clock that never goes back, for tests. */
  now?: () => number;
}

/** Taking under way. */
export interface Door {
  /** A client was closed: its place, and its file, are free. */
  release(): void;
  /** Closes the listener. */
  close(): void;
  /** Resolves when no further client can come. */
  readonly closed: Promise<void>;
}

/**
 * Milliseconds between attempts while the system is short of something, doubled
 * from the first to the last: files may come free elsewhere than here.
 */
const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 1_000;

/**
 * Clients in one round of the event loop (whose allowance is 128 operations)
 * from which on more are waiting in the kernel's queue. They are taken before
 * the ones already here are served, since that queue overflows at 4096, and who
 * is dropped from it comes back only after a second. The bound is on how many
 * wait here meanwhile: as many again, some 100 ms of work. With half of that, one
 * storm of 8000 in four lost some to the overflow.
 */
const RUSH = 100;
const MOST_FRESH = 4096;

/**
 * Milliseconds from one report of a shortage to the next: an attempt fails every
 * second while it lasts, and it may come and go as clients do.
 */
const REPORT_EVERY_MS = 60_000;

/** The client went away before it was taken, which is nobody else's concern. */
function isClients(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}

/** Starts taking clients. */
export function accept<C extends Deno.Conn>(
  listener: { accept(): Promise<C>; close(): void },
  options: AcceptOptions<C>,
): Door {
  const { take, limit = Infinity, onShortage } = options;
  const { now = () => performance.now() } = options;
  let open = 0;
  let stopped = false;
  let wake: (() => void) | undefined;
  // Taken from the kernel's queue, but not yet handed on.
  let fresh: C[] = [];
  let rush = 0;

  function handOn(): void {
    if (rush >= RUSH && fresh.length < MOST_FRESH && !stopped) {
      rush = 0;
      setImmediate(handOn);
      return;
    }
    rush = 0;
    const conns = fresh;
    fresh = [];
    for (const conn of conns) take(conn);
  }

  /** Until a place is free, or that many milliseconds. */
  async function released(ms?: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }

  async function run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    let lastReport = -Infinity;
    while (!stopped) {
      if (open >= limit) {
        await released();
        continue;
      }
      let conn: C;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (stopped || isClients(error)) continue;
        if (now() - lastReport >= REPORT_EVERY_MS) {
          lastReport = now();
          onShortage?.(error as Error);
        }
        await released(pause);
        pause = Math.min(2 * pause, LAST_PAUSE_MS);
        continue;
      }
      pause = FIRST_PAUSE_MS;
      if (stopped) {
        conn.close();
        return;
      }
      open++;
      rush++;
      if (fresh.push(conn) === 1) setImmediate(handOn);
    }
  }

  return {
    release() {
      open--;
      wake?.();
    },
    close() {
      if (stopped) return;
      stopped = true;
      listener.close();
      wake?.();
      handOn();
    },
    closed: run(),
  };
}
