/**
 * A message to a peer and back, over a connection that is there already: both
 * directions at the same time, and every byte verified.
 *
 * ```ts
 * import { roundTrip } from "./roundtrip.ts";
 * using conn = await Deno.connect({ port: 12345 });
 * await roundTrip(conn, new TextEncoder().encode("ping"), {
 *   attempt: "Cannot reach the server",
 *   timeout: 1000,
 * });
 * ```
 *
 * @module
 */

import { within } from "./deadline.ts";
import {
  CutShortError,
  DiffersError,
  EchoError,
  ResetError,
  TimedOutError,
} from "./errors.ts";
import { difference } from "./verify.ts";

/** What bounds a round trip, and how its failure is told. */
export interface RoundTripOptions {
  /** What an error's message begins with. */
  attempt: string;
  /** Milliseconds. */
  timeout: number;
  /** Ends it early, with the signal's own reason. */
  signal?: AbortSignal | undefined;
}

/** Writes all of `bytes`. */
export async function send(
  conn: Pick<Deno.Conn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** A byte as it stands in an error: `0x41`. */
function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** The error that says at which byte of a message the echo went wrong. */
export function differs(
  attempt: string,
  offset: number,
  sent: number | undefined,
  received: number,
): DiffersError {
  const wanted = sent === undefined ? "nothing" : hex(sent);
  return new DiffersError(
    `${attempt}: differs at byte ${offset}: sent ${wanted}, received ${
      hex(received)
    }`,
    { offset, sent, received },
  );
}

/**
 * Sends `sent` and resolves with the echo. Whatever happens, the connection is
 * of no use afterwards unless it resolved.
 *
 * @throws {CutShortError} or {ResetError}, {DiffersError}, {TimedOutError}, or
 * the signal's reason.
 */
export async function roundTrip(
  conn: Pick<Deno.Conn, "read" | "write"> & Disposable,
  sent: Uint8Array,
  { attempt, timeout, signal }: RoundTripOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const progress = { received: 0, expected: sent.length };
  const count = () => `${progress.received} of ${progress.expected} bytes`;
  // One byte more than were sent, so that a surplus shows.
  const echo = new Uint8Array(sent.length + 1);

  async function receive(): Promise<void> {
    while (progress.received < sent.length) {
      const at = progress.received;
      const n = await conn.read(echo.subarray(at));
      if (n === null) {
        throw new CutShortError(
          `${attempt}: closed by the server after ${count()}`,
          progress,
        );
      }
      const wrong = difference(echo, sent, at, at + n);
      if (wrong >= 0) throw differs(attempt, wrong, sent[wrong], echo[wrong]!);
      progress.received += n;
    }
  }

  return await within(async (signal) => {
    const close = () => conn[Symbol.dispose]();
    signal.addEventListener("abort", close, { once: true });
    // Whether sending failed shows in what comes back, which may still be all.
    const sending = send(conn, sent).catch(() => {});
    try {
      await receive();
    } catch (error) {
      close();
      if (error instanceof EchoError) throw error;
      throw new ResetError(`${attempt}: reset after ${count()}`, {
        ...progress,
        cause: error,
      });
    } finally {
      await sending;
      signal.removeEventListener("abort", close);
    }
    return echo.subarray(0, sent.length);
  }, {
    timeout,
    signal,
    late: () =>
      new TimedOutError(`${attempt}: ${count()} within ${timeout} ms`),
  });
}
