/**
 * Pipes a stream through the server and back. Every byte of the echo is verified
 * before it is passed on.
 *
 * ```sh
 * seq 1 1000000 | deno task --quiet client - | md5sum
 * ```
 *
 * Memory is bounded, whatever the length: at most `WINDOW` bytes are sent ahead of
 * their echo, and no more echo is read than the output accepts.
 *
 * @module
 */

import { Progress } from "./client/progress.ts";
import { difference, mismatch } from "./client/verify.ts";
import { connect, type ConnectOptions, TimedOutError } from "./echo.ts";
import { DEFAULT_TIMEOUT_MS } from "./net/defaults.ts";
import { formatEndpoint } from "./net/endpoint.ts";
import { withContext } from "./net/errors.ts";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "./net/timeout.ts";
import { writeAll } from "./net/conn.ts";

/** The streams, beside the options of the connection. */
export interface PipeOptions extends ConnectOptions {
  /** The bytes to send. */
  input: ReadableStream<Uint8Array>;
  /** Receives the echo. It is not closed. */
  output: WritableStream<Uint8Array>;
}

/** The result of a pipe. */
export interface PipeSummary {
  /** Bytes sent. */
  sent: number;
  /** Bytes that came back and were written to the output. */
  received: number;
}

/**
 * Bytes that may be sent ahead of their echo. They are kept for the comparison. It
 * is more than the socket buffers of both ends hold on one host, about 6 MB on Linux
 * (measured), so that it does not limit the throughput.
 */
const WINDOW = 8 * 1024 * 1024;

/** Bytes of one read; larger reads were not faster. */
const READ_SIZE = 256 * 1024;

/**
 * Pipes until the input ends, all of it has come back, and the server has closed its
 * side. `timeout` limits each wait for an echo; time during which the output accepts
 * nothing does not count. After the last byte it
 * half-closes the connection, and waits up to `timeout` for the server to close. If
 * the server does not, `pipe()` still succeeds. A byte that arrives in that time is a
 * `MismatchError`.
 *
 * @throws {UnexpectedEofError} if the connection ends early.
 * @throws {ConnectionResetError} if it is reset.
 * @throws {MismatchError} at the first byte that differs, or at a surplus byte. The
 * bytes before it are written to the output.
 * @throws {TimedOutError} if no echo arrives in time.
 * @throws the errors of the input, of the output, and of `connect`.
 */
export async function pipe(options: PipeOptions): Promise<PipeSummary> {
  using conn = await connect(options);
  return await withContext(
    `Cannot pipe through ${formatEndpoint(options)}`,
    () => new Pipe(conn, options).run(),
  );
}

class Pipe {
  readonly #conn: Deno.Conn;
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** `expected` is what was sent so far. */
  readonly #progress = new Progress(0);
  /** Chunks that were sent and have not come back. */
  readonly #ahead: Uint8Array[] = [];
  #inputEnded = false;
  #outputBlocked = false;
  /** Resolved when more echo has come back, so that the window may be open again. */
  #received = Promise.withResolvers<void>();
  /** Resolved when the output has accepted a chunk. */
  #written = Promise.withResolvers<void>();
  #failure: unknown;
  #timer: LongTimeout | undefined;

  constructor(conn: Deno.Conn, options: PipeOptions) {
    this.#conn = conn;
    this.#timeout = options.timeout ?? DEFAULT_TIMEOUT_MS;
    this.#signal = options.signal;
    this.#reader = options.input.getReader();
    this.#writer = options.output.getWriter();
  }

  async run(): Promise<PipeSummary> {
    const fail = (error: unknown) => this.#fail(error);
    const abort = () => fail(this.#signal!.reason);
    this.#signal?.addEventListener("abort", abort, { once: true });
    try {
      await Promise.all([
        this.#send().catch(fail),
        this.#receive().catch(fail),
      ]);
      if (this.#failure) throw this.#failure;
      const { expected: sent, received } = this.#progress;
      return { sent, received };
    } finally {
      clearLongTimeout(this.#timer);
      this.#signal?.removeEventListener("abort", abort);
      this.#reader.releaseLock();
      this.#writer.releaseLock();
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#conn[Symbol.dispose]();
    this.#received.resolve();
    this.#written.resolve();
    // The result does not matter: the pipe has failed already.
    this.#reader.cancel(error).catch(() => {});
  }

  get #inFlight(): number {
    return this.#progress.expected - this.#progress.received;
  }

  /** Whether the whole input has been sent and has come back. */
  get #complete(): boolean {
    return this.#inputEnded && this.#inFlight === 0;
  }

  /** Restarts the timeout, if something is expected from the server. */
  #restartTimeout(): void {
    clearLongTimeout(this.#timer);
    const waiting = this.#inputEnded || this.#inFlight > 0;
    if (!waiting || this.#outputBlocked || this.#failure) return;
    this.#timer = setLongTimeout(() => {
      // No surplus has arrived, and the server need not close its side.
      if (this.#complete) return this.#conn[Symbol.dispose]();
      this.#fail(
        new TimedOutError(
          `nothing came back for ${this.#timeout} ms after ${this.#progress}`,
        ),
      );
    }, this.#timeout);
  }

  async #send(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (this.#failure) return;
      if (done) break;
      for (let at = 0; at < value.length;) {
        const available = WINDOW - this.#inFlight;
        if (available === 0) {
          this.#received = Promise.withResolvers();
          await this.#received.promise;
          if (this.#failure) return;
          continue;
        }
        const chunk = value.subarray(at, at + available);
        const idle = this.#inFlight === 0;
        this.#ahead.push(chunk);
        this.#progress.expected += chunk.length;
        at += chunk.length;
        if (idle) this.#restartTimeout();
        // A failed write shows in what comes back.
        await writeAll(this.#conn, chunk).catch(() => {});
      }
    }
    this.#inputEnded = true;
    this.#restartTimeout();
    await this.#conn.closeWrite().catch(() => {});
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(READ_SIZE);
    for (;;) {
      const count = await this.#conn.read(buffer).catch((cause) => {
        if (this.#complete) return null;
        throw this.#progress.reset(cause);
      });
      if (count === null) {
        if (this.#complete) return;
        throw this.#progress.closed();
      }
      const before = this.#progress.received;
      try {
        this.#verify(buffer.subarray(0, count));
      } finally {
        // The output may keep the chunk, and the buffer is used again.
        const verified = buffer.slice(0, this.#progress.received - before);
        if (verified.length > 0) await this.#output(verified);
      }
      this.#received.resolve();
      this.#restartTimeout();
    }
  }

  /** Compares a chunk of the echo with what was sent ahead. */
  #verify(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const sent = this.#ahead[0] ?? new Uint8Array(0);
      const part = chunk.subarray(at, at + (sent.length || 1));
      const wrong = difference(part, sent);
      if (wrong >= 0) {
        this.#progress.received += wrong;
        const { received } = this.#progress;
        throw mismatch(received, sent[wrong], part[wrong]!);
      }
      if (part.length === sent.length) this.#ahead.shift();
      else this.#ahead[0] = sent.subarray(part.length);
      at += part.length;
      this.#progress.received += part.length;
    }
  }

  /** Writes to the output. Reading and the timeout pause meanwhile. */
  async #output(chunk: Uint8Array): Promise<void> {
    if (this.#failure) return;
    this.#outputBlocked = true;
    clearLongTimeout(this.#timer);
    this.#written = Promise.withResolvers();
    const { promise, resolve, reject } = this.#written;
    // A blocked output must not delay a failure. Promise.race() with a promise
    // that outlives the write would leak memory with each write.
    this.#writer.write(chunk).then(resolve, reject);
    await promise;
    this.#outputBlocked = false;
  }
}
