/**
 * Timers and time limits of any length, `Infinity` included. The runtime's own
 * timers hold their delay in 31 bits, and fire at once if it is longer.
 *
 * @module
 */

/** The longest delay of the runtime's timers in milliseconds, about 24 days. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** A timer that `clearLongTimeout` stops. */
export interface LongTimeout {
  /** The runtime's timer that is running now. */
  id: ReturnType<typeof setTimeout>;
}

/** `setTimeout` for any delay. With `Infinity`, `callback` is never called. */
export function setLongTimeout(
  callback: () => void,
  ms: number,
): LongTimeout {
  const start = (left: number) =>
    left <= MAX_DELAY_MS
      ? setTimeout(callback, left)
      : setTimeout(() => timeout.id = start(left - MAX_DELAY_MS), MAX_DELAY_MS);
  const timeout: LongTimeout = { id: start(ms) };
  return timeout;
}

/** `clearTimeout` for `setLongTimeout`. */
export function clearLongTimeout(timeout: LongTimeout | undefined): void {
  clearTimeout(timeout?.id);
}

/**
 * Resolves after `ms` milliseconds; with `Infinity`, never.
 *
 * @throws the signal's reason when the signal is aborted.
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const timeout = setLongTimeout(resolve, ms);
  try {
    await promise;
  } finally {
    clearLongTimeout(timeout);
    signal?.removeEventListener("abort", abort);
  }
}

/** A timer that is later shows that this process was suspended; milliseconds. */
const PAUSE_MS = 100;

/** What `withTimeout` takes. */
export interface TimeoutOptions {
  /** Milliseconds; `Infinity` for no limit. */
  timeout: number;
  /** Aborts the work early, with the signal's own reason. */
  signal?: AbortSignal | undefined;
  /** Makes the error that is thrown when the time is up. */
  onTimeout: () => Error;
}

/**
 * Runs `work` with a signal that is aborted when the time is up, or when the
 * caller's own signal is aborted.
 *
 * @throws {RangeError} if the timeout is not above 0.
 * @throws what `onTimeout` returns, the signal's reason, or what `work` throws.
 */
export async function withTimeout<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { timeout, signal, onTimeout }: TimeoutOptions,
): Promise<T> {
  signal?.throwIfAborted();
  if (!(timeout > 0)) {
    throw new RangeError(`Cannot wait for ${timeout} ms: expected more than 0`);
  }
  const controller = new AbortController();
  const due = performance.now() + timeout;
  const expire = () => controller.abort(onTimeout());
  const timer = setLongTimeout(() => {
    // After a pause of this process, what it waits for may be in its sockets.
    const isLate = performance.now() - due > PAUSE_MS;
    if (isLate) timer.id = setTimeout(expire, PAUSE_MS);
    else expire();
  }, timeout);
  const abort = () => controller.abort(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await work(controller.signal);
  } catch (error) {
    // The reason of the abort says more than the error that it caused.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearLongTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
