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
 * Milliseconds that a test may take. The longest test takes 6 s. A machine that
 * is ten times slower and busy needs up to 120 s.
 */
export const TIME_LIMIT_MS = 120_000;

/**
 * Runs a body, or rejects after `limit` milliseconds. The body cannot be stopped.
 * The sanitizers then report the resources that it has open.
 */
export async function withTimeLimit(
  body: () => void | Promise<void>,
  limit: number = TIME_LIMIT_MS,
): Promise<void> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timeout.reject(new Error(`took longer than ${limit / 1_000} s`)),
    limit,
  );
  // If nothing else is pending, Deno fails the test at once.
  unrefTimer(timer);
  try {
    await Promise.race([body(), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
