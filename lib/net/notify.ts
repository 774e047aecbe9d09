/**
 * Calls a callback of the library's user. An error that it throws is the user's:
 * it is reported like an uncaught error, and the caller goes on.
 *
 * @module
 */

/** Calls the callback, if there is one. Never throws. */
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
