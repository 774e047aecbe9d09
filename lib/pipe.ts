/**
 * A stream through the server and back: what comes in is sent, its echo goes
 * out, byte for byte, and every byte is verified on the way.
 *
 * ```sh
 * seq 1 1000000 | deno task --quiet client - | md5sum
 * ```
 *
 * Memory stays the same whatever the length: no more is sent than `WINDOW` ahead
 * of the echo, and no more echo is read than the output takes.
 *
 * @module
 */

import { DEFAULT_TIMEOUT_MS } from "./defaults.ts";
import {
  connect,
  type ConnectOptions,
  CutShortError,
  ResetError,
  TimedOutError,
} from "./echo.ts";
import { place } from "./place.ts";
import { differs, send as sendAll } from "./roundtrip.ts";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "./timeout.ts";
import { difference } from "./verify.ts";

/** Where to pipe from and to, beside where the server is. */
export interface PipeOptions extends ConnectOptions {
  /** What to send. */
  input: ReadableStream<Uint8Array>;
  /** Where its echo goes. It is not closed. */
  output: WritableStream<Uint8Array>;
}

/** What was piped. */
export interface Piped {
  /** Bytes sent. */
  sent: number;
  /** Bytes that came back and went out. */
  received: number;
}

/**
 * Bytes sent ahead of their echo, at most. They are kept to be compared with it;
 * more than the socket buffers of both ends on one host hold (some 6 MB on
 * Linux), fewer than anybody would notice.
 */
const WINDOW = 8 * 1024 * 1024;

/** Bytes read at a time; see LENT in relay.ts. */
const PIECE = 256 * 1024;

/**
 * Pipes until the input has ended, all of it has come back, and the server has
 * closed its end too. `timeout` limits each wait for the echo of what was sent.
 * Time during which the output takes nothing does not count. A server that keeps
 * the connection open after the whole echo is no failure: its surplus, if any,
 * is waited for no longer than `timeout`.
 *
 * @throws {CutShortError} if the connection ends before that; a
 * {@linkcode ResetError} if it is reset.
 * @throws {DiffersError} at the first byte that is not the one that was sent, or
 * that comes after all of them; those before it went out.
 * @throws {TimedOutError} if nothing of what was sent comes back in time.
 * @throws what the input or the output throws, and what `connect` does.
 */
export async function pipe(options: PipeOptions): Promise<Piped> {
  const { input, output, timeout = DEFAULT_TIMEOUT_MS, signal } = options;
  const attempt = `Cannot pipe through ${place(options)}`;
  const count = { sent: 0, received: 0 };
  const ahead: Uint8Array[] = [];
  let inputEnded = false;
  let writing = false;
  let echoed = Promise.withResolvers<void>();
  let delivered = Promise.withResolvers<void>();
  let failure: unknown;
  let timer: LongTimeout | undefined;

  using conn = await connect(options);
  const reader = input.getReader();
  const writer = output.getWriter();

  function fail(error: unknown): void {
    failure ??= error;
    conn[Symbol.dispose]();
    echoed.resolve();
    delivered.resolve();
    // Nobody waits for what it comes to.
    reader.cancel(error).catch(() => {});
  }
  const abort = () => fail(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });

  /** Whether all of the input has been sent and has come back. */
  const complete = () => inputEnded && count.received === count.sent;

  /** Restarts the clock, while the server is waited for. */
  function expect(): void {
    clearLongTimeout(timer);
    const waiting = !writing && (inputEnded || count.received < count.sent);
    if (!waiting || failure) return;
    timer = setLongTimeout(() => {
      // The server need not close its end, and there was no surplus.
      if (complete()) return conn[Symbol.dispose]();
      fail(
        new TimedOutError(
          `${attempt}: nothing came back for ${timeout} ms after ${count.received} of ${count.sent} bytes`,
        ),
      );
    }, timeout);
  }

  async function send(): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (failure) return;
      if (done) break;
      for (let at = 0; at < value.length;) {
        const room = WINDOW - (count.sent - count.received);
        if (room === 0) {
          echoed = Promise.withResolvers();
          await echoed.promise;
          if (failure) return;
          continue;
        }
        const piece = value.subarray(at, at + room);
        const waiting = count.sent > count.received;
        ahead.push(piece);
        count.sent += piece.length;
        at += piece.length;
        if (!waiting) expect();
        // That it could not be sent will show in what comes back.
        await sendAll(conn, piece).catch(() => {});
      }
    }
    inputEnded = true;
    expect();
    await conn.closeWrite().catch(() => {});
  }

  /** Takes a piece of the echo off what was sent ahead. */
  function verify(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      const sent = ahead[0] ?? new Uint8Array(0);
      const part = piece.subarray(at, at + (sent.length || 1));
      const wrong = difference(part, sent);
      if (wrong >= 0) {
        count.received += wrong;
        throw differs(attempt, count.received, sent[wrong], part[wrong]!);
      }
      if (part.length === sent.length) ahead.shift();
      else ahead[0] = sent.subarray(part.length);
      at += part.length;
      count.received += part.length;
    }
  }

  /** Hands echo on. Reading pauses meanwhile, and so does the clock. */
  async function deliver(piece: Uint8Array): Promise<void> {
    if (failure) return;
    writing = true;
    clearLongTimeout(timer);
    delivered = Promise.withResolvers();
    // An output that takes nothing must not hold up a failure. No race() with a
    // promise that outlives the write: each write would add to it.
    writer.write(piece).then(delivered.resolve, delivered.reject);
    await delivered.promise;
    writing = false;
  }

  async function receive(): Promise<void> {
    const buffer = new Uint8Array(PIECE);
    const progress = () => `${count.received} of ${count.sent} bytes`;
    for (;;) {
      const n = await conn.read(buffer).catch((cause) => {
        if (complete()) return null;
        throw new ResetError(`${attempt}: reset after ${progress()}`, {
          received: count.received,
          expected: count.sent,
          cause,
        });
      });
      if (n === null) {
        if (complete()) return;
        throw new CutShortError(
          `${attempt}: closed by the server after ${progress()}`,
          { received: count.received, expected: count.sent },
        );
      }
      const before = count.received;
      try {
        verify(buffer.subarray(0, n));
      } finally {
        // What was right goes out. The output may keep what it is given, and
        // the buffer is used again.
        const right = buffer.slice(0, count.received - before);
        if (right.length > 0) await deliver(right);
      }
      echoed.resolve();
      expect();
    }
  }

  try {
    await Promise.all([send().catch(fail), receive().catch(fail)]);
    if (failure) throw failure;
    return count;
  } finally {
    clearLongTimeout(timer);
    signal?.removeEventListener("abort", abort);
    reader.releaseLock();
    writer.releaseLock();
  }
}
