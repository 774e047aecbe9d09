/**
 * Opens a connection that the caller may give up on, without leaking it.
 *
 * `Deno.connect()` that is aborted just as it succeeds rejects, and nobody can close
 * the connection any more (Deno 2.9.6). So it is left alone at first, and closed if it
 * succeeds late.
 *
 * ```ts
 * import { openUnlessAborted } from "./abandon.ts";
 *
 * using conn = await openUnlessAborted(
 *   (signal) => Deno.connect({ port: 12345, signal }),
 *   AbortSignal.timeout(1000),
 * );
 * ```
 *
 * @module
 */

/**
 * Milliseconds until an attempt that the caller has given up on is aborted: before
 * the first retransmission of a SYN, after one second (RFC 6298, section 2). Attempts
 * that have got no answer until then do not succeed just now.
 */
const LATE_MS = 500;

/**
 * Calls `open`, and rejects with the reason of `signal` as soon as it is aborted. The
 * signal of `open` is aborted later.
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
