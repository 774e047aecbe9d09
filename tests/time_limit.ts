/**
 * A time limit for a test body, so that code that hangs makes its test fail.
 *
 * It cannot interrupt code that never returns to the event loop.
 *
 * @module
 */

// Bound here, because a test may replace the clock.
const { setTimeout, clearTimeout } = globalThis;
const { unrefTimer } = Deno;

/**
 * Milliseconds that a test may take. The longest need 6 s; a machine ten times
 * slower, with other work to do, needs up to 120 s.
 */
export const TIME_LIMIT_MS = 120_000;

/**
 * Runs a body to its end, or rejects once it has taken `limit` milliseconds.
 * The body cannot be stopped: what it has open, the sanitizers then report.
 */
export async function withTimeLimit(
  body: () => void | Promise<void>,
  limit: number = TIME_LIMIT_MS,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`took longer than ${limit / 1_000} s`)),
    limit,
  );
  // Where nothing else is pending, Deno ends the test at once and says so.
  unrefTimer(timer);
  try {
    await Promise.race([body(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
