/**
 * Calls a caller's callback. What it throws is the caller's mistake: it is
 * reported as an uncaught error is, and what called it goes on.
 *
 * ```ts
 * import { notify } from "./notify.ts";
 * notify(console.log, "listening");
 * notify(undefined, "nobody listens to this");
 * ```
 *
 * @module
 */

/** Calls it with a value, if there is one. Never throws. */
export function notify<T>(
  callback: ((value: T) => void) | undefined,
  value: T,
): void {
  try {
    callback?.(value);
  } catch (error) {
    reportError(error);
  }
}
