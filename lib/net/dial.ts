/**
 * One attempt to connect, whatever opens the socket: what it may become besides a
 * connection.
 *
 * @module
 */

import { Backoff } from "./backoff.ts";
import {
  type Endpoint,
  formatEndpoint,
  requiredPermissions,
} from "./endpoint.ts";
import {
  ConnectError,
  ConnectionRefusedError,
  HandshakeError,
  TimedOutError,
} from "./errors.ts";
import { describeError, systemError } from "./system_error.ts";
import { sleep } from "./timeout.ts";

/**
 * Milliseconds until an attempt that the caller has given up on is aborted: before
 * the first retransmission of a SYN, after one second (RFC 6298, section 2). Attempts
 * that have got no answer until then do not succeed just now.
 */
const LATE_MS = 500;

/** Milliseconds between attempts at a Unix socket whose backlog is full. */
const FULL_RETRY_MS = { first: 5, last: 100 };

/**
 * Opens a connection. One that has connected to itself counts as refused: the kernel
 * may choose a local port that nothing listens on, and connect it to itself (RFC 9293,
 * section 3.5).
 *
 * @throws {ConnectionRefusedError} if nothing listens there.
 * @throws {Deno.errors.NotCapable} if a permission is missing; the message names it.
 * @throws {RangeError} if the port is out of range.
 * @throws {ConnectError} for any other reason.
 */
export async function dial<T extends Deno.Conn>(
  endpoint: Endpoint,
  open: () => Promise<T>,
): Promise<T> {
  try {
    const conn = await open();
    if (!isSelf(conn)) return conn;
    conn.close();
    throw new Deno.errors.ConnectionRefused("connected to itself");
  } catch (error) {
    if (
      error instanceof Deno.errors.NotCapable || error instanceof RangeError
    ) {
      throw systemError(error, {
        action: `Cannot connect to ${formatEndpoint(endpoint)}`,
        permissions: requiredPermissions(endpoint),
      });
    }
    const Class = error instanceof Deno.errors.ConnectionRefused
      ? ConnectionRefusedError
      : ConnectError;
    throw new Class(describeError(error), { cause: error });
  }
}

/**
 * Milliseconds between attempts to connect: short enough that a server is found soon
 * after it starts, long enough to cost nothing.
 */
const RETRY_MS = { first: 20, last: 500 };

/** Repeats an attempt that fails, for as long as a later one may succeed. */
export async function retryFor<T>(
  ms: number,
  { attempt, signal }: {
    attempt: () => Promise<T>;
    signal: AbortSignal | undefined;
  },
): Promise<T> {
  const deadline = performance.now() + ms;
  for (const backoff = new Backoff(RETRY_MS);;) {
    try {
      return await attempt();
    } catch (error) {
      const left = deadline - performance.now();
      const isTransient = error instanceof TimedOutError ||
        error instanceof ConnectError && !(error instanceof HandshakeError);
      if (!isTransient || left <= 0) throw error;
      await sleep(Math.min(backoff.next(), left), signal);
    }
  }
}

function isSelf({ localAddr, remoteAddr }: Deno.Conn): boolean {
  return localAddr.transport === "tcp" && remoteAddr.transport === "tcp" &&
    localAddr.port === remoteAddr.port &&
    localAddr.hostname === remoteAddr.hostname;
}

/** Calls `open` again while the backlog of a Unix socket is full (EAGAIN). */
export async function openUnlessFull<T>(
  open: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (const backoff = new Backoff(FULL_RETRY_MS);;) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await sleep(backoff.next(), signal);
    }
  }
}

/**
 * Calls `open`, and rejects with the reason of `signal` as soon as it is aborted. The
 * signal of `open` is aborted later: `Deno.connect()` that is aborted just as it
 * succeeds rejects, and nobody can close the connection any more (Deno 2.9.6). So it
 * is left alone at first, and closed if it succeeds late.
 */
export function openUnlessAborted<T extends Disposable>(
  open: (lastResort: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const lastResort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abandon = () => {
    reject(signal.reason);
    // Half of the time, twice: if the process was busy, a due timer runs before a
    // connection that was made meanwhile is seen, and the next timer after it.
    timer = setTimeout(() => {
      timer = setTimeout(() => lastResort.abort(), LATE_MS / 2);
    }, LATE_MS / 2);
  };
  signal.addEventListener("abort", abandon, { once: true });
  open(lastResort.signal).then((conn) => {
    if (timer === undefined) resolve(conn);
    else conn[Symbol.dispose]();
  }, reject).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abandon);
  });
  return promise;
}
