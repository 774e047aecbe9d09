/**
 * The encrypted side of a TLS session: the stream that `node:tls` needs, on a
 * plain connection. It reads only on request, and closes nothing.
 *
 * ```ts ignore
 * import { CiphertextStream } from "./ciphertext_stream.ts";
 *
 * const stream = new CiphertextStream(conn, {
 *   onChunk: (chunk) => void stream.push(chunk),
 *   onError: console.error,
 * });
 * const socket = new TLSSocket(stream, { isServer: true, secureContext });
 * stream.receive();
 * ```
 *
 * @module
 */

import { Duplex } from "node:stream";

/**
 * Bytes of the read buffer. The smallest holds a message of almost a kilobyte;
 * the largest is as fast as the buffers of plain connections.
 */
const MIN_READ = 1024;
const MAX_READ = 256 * 1024;

/** The same in the handshake, whose longest message is a certificate chain. */
const HANDSHAKE_READ = 4096;

/** What happens on the plain connection. */
export interface CiphertextEvents {
  /** A chunk was received, or `null` for the end of input. */
  onChunk(chunk: Uint8Array | null): void;
  /** A read or a write failed. */
  onError(error: unknown): void;
}

/** Ciphertext on its way from and to a plain connection. */
export class CiphertextStream extends Duplex {
  readonly #conn: Deno.Conn;
  readonly #events: CiphertextEvents;
  #buffer = new Uint8Array(HANDSHAKE_READ);
  #receiving = false;
  #sending = false;
  #flushed: (() => void)[] = [];

  /** Does not start to read. */
  constructor(conn: Deno.Conn, events: CiphertextEvents) {
    super();
    this.#conn = conn;
    this.#events = events;
  }

  /**
   * Reads one chunk, unless a read is pending. The buffer fits reads of `length`
   * bytes of plaintext; without `length`, it stays as it is.
   */
  receive(length?: number): void {
    if (this.#receiving) return;
    this.#receiving = true;
    if (length !== undefined) this.#resizeBuffer(length);
    this.#conn.read(this.#buffer).then((count) => {
      this.#receiving = false;
      // A copy: its receiver may keep it, and the buffer is reused.
      this.#events.onChunk(
        count === null ? null : this.#buffer.slice(0, count),
      );
    }, this.#events.onError);
  }

  /** Calls back when the kernel has accepted all ciphertext so far. */
  flush(callback: () => void): void {
    if (this.#sending) this.#flushed.push(callback);
    else callback();
  }

  /** Does nothing: ciphertext is received on request. */
  override _read(): void {}

  /** Sends a chunk; `done` requests the next. */
  override _write(chunk: Uint8Array, _: string, done: () => void): void {
    this.#sending = true;
    this.#send(chunk, done);
  }

  /**
   * Does nothing. A TLS socket destroys its stream when both directions have
   * ended, but the last ciphertext is still to be sent then.
   */
  override destroy(): this {
    return this;
  }

  #send(chunk: Uint8Array, done: () => void): void {
    this.#conn.write(chunk).then((count) => {
      if (count < chunk.length) return this.#send(chunk.subarray(count), done);
      this.#sending = false;
      done();
      // `done` may have started the next write.
      if (this.#sending) return;
      for (const callback of this.#flushed.splice(0)) callback();
    }, this.#events.onError);
  }

  #resizeBuffer(length: number): void {
    let size = MIN_READ;
    while (size < length && size < MAX_READ) size *= 2;
    if (size !== this.#buffer.length) this.#buffer = new Uint8Array(size);
  }
}
