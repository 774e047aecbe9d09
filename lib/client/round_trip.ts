/**
 * One message to a server and back, over an open connection. It sends and receives
 * at the same time, and verifies every byte.
 *
 * ```ts
 * import { roundTrip } from "./round_trip.ts";
 *
 * using conn = await Deno.connect({ port: 12345 });
 * await roundTrip(conn, new TextEncoder().encode("ping"), { timeout: 1000 });
 * ```
 *
 * @module
 */

import { EchoError } from "../net/errors.ts";
import { withTimeout } from "../net/timeout.ts";
import { writeAll } from "../net/conn.ts";
import { Progress } from "./progress.ts";
import { difference, mismatch } from "./verify.ts";

/** The limits of a round trip. */
export interface RoundTripOptions {
  /** Milliseconds. */
  timeout: number;
  /** Aborts the round trip, with the signal's own reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Sends `sent` and returns its echo. If it throws, the connection is closed or
 * must be closed: what comes in later belongs to no message.
 *
 * @throws {UnexpectedEofError} if the server closes the connection early.
 * @throws {ConnectionResetError} if it resets the connection.
 * @throws {MismatchError} if a byte differs, or there is one too many.
 * @throws {TimedOutError} if it takes longer than `timeout`.
 */
export async function roundTrip(
  conn: Pick<Deno.Conn, "read" | "write"> & Disposable,
  sent: Uint8Array,
  { timeout, signal }: RoundTripOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const progress = new Progress(sent.length);
  // One byte more than was sent, so that a surplus is noticed.
  const echo = new Uint8Array(sent.length + 1);

  async function receive(): Promise<void> {
    while (progress.received < sent.length) {
      const from = progress.received;
      const count = await conn.read(echo.subarray(from));
      if (count === null) throw progress.closed();
      const wrong = difference(echo, sent, from, from + count);
      if (wrong >= 0) throw mismatch(wrong, sent[wrong], echo[wrong]!);
      progress.received += count;
    }
  }

  return await withTimeout(async (signal) => {
    const close = () => conn[Symbol.dispose]();
    signal.addEventListener("abort", close, { once: true });
    // A failed write shows in what comes back, which may still be everything.
    const sending = writeAll(conn, sent).catch(() => {});
    try {
      await receive();
    } catch (error) {
      close();
      throw error instanceof EchoError ? error : progress.reset(error);
    } finally {
      await sending;
      signal.removeEventListener("abort", close);
    }
    return echo.subarray(0, sent.length);
  }, { timeout, signal, onTimeout: () => progress.timedOut(timeout) });
}
