/**
 * Work that may take only so long: it is given a signal, and the signal is
 * aborted when the time is up or when the caller's own signal is.
 *
 * ```ts
 * import { within } from "./deadline.ts";
 * await within((signal) => Deno.connect({ port: 80, signal }), {
 *   timeout: 1000,
 *   late: () => new Error("Cannot connect within 1 s"),
 * });
 * ```
 *
 * @module
 */

import { clearLongTimeout, setLongTimeout } from "./timeout.ts";

/** How long, who else may end it, and what being late is called. */
export interface Limits {
  /** Milliseconds; `Infinity` for no limit. */
  timeout: number;
  /** Ends the work early, with the signal's own reason. */
  signal?: AbortSignal | undefined;
  /** Makes the error that being late is, at the moment it happens. */
  late: () => Error;
}

/**
 * Runs `work` within the limits.
 *
 * @throws {RangeError} if the timeout is not above 0.
 * @throws what `late` made, the signal's reason, or what `work` threw.
 */
export async function within<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { timeout, signal, late }: Limits,
): Promise<T> {
  signal?.throwIfAborted();
  if (!(timeout > 0)) {
    throw new RangeError(`Cannot wait for ${timeout} ms: expected more than 0`);
  }
  const controller = new AbortController();
  const timer = setLongTimeout(() => controller.abort(late()), timeout);
  const abort = () => controller.abort(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await work(controller.signal);
  } catch (error) {
    // What the work threw because it was aborted says less than why it was.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearLongTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
