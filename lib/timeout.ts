/**
 * Timers for any length of time, `Infinity` included. The runtime's own hold
 * their delay in 32 bits, and a longer one fires at once.
 *
 * ```ts
 * import { clearLongTimeout, setLongTimeout } from "./timeout.ts";
 * const timeout = setLongTimeout(() => console.log("a month"), 30 * 86_400_000);
 * clearLongTimeout(timeout);
 * ```
 *
 * @module
 */

import { delay as shortDelay } from "@std/async/delay";
import { MAX_DELAY_MS } from "./values.ts";

/** A timer that `clearLongTimeout` stops. */
export interface LongTimeout {
  /** The runtime's timer that runs at the moment. */
  id: ReturnType<typeof setTimeout>;
}

/** `setTimeout` for any `ms`; after `Infinity`, `callback` is never called. */
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

/** `clearTimeout` for it. */
export function clearLongTimeout(timeout: LongTimeout | undefined): void {
  clearTimeout(timeout?.id);
}

/**
 * Resolves after `ms`; after `Infinity`, never. The process is kept alive.
 *
 * @throws the signal's reason, when it is aborted.
 */
export async function delay(
  ms: number,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  let left = ms;
  for (; left > MAX_DELAY_MS; left -= MAX_DELAY_MS) {
    await shortDelay(MAX_DELAY_MS, options);
  }
  await shortDelay(left, options);
}
