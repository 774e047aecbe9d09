/**
 * A TLS session of `node:tls` on top of a plain connection.
 *
 * `Deno.listenTls` and `Deno.startTls` are not used: after `close()`, they finish
 * the handshake and the last writes in the background, so a peer that stalls
 * keeps the socket and its file descriptor (measured with Deno 2.9.6). Here only
 * this module reads, writes and closes the plain connection, so `close()`
 * releases it at once.
 *
 * Memory is bounded in both directions. Ciphertext is read only while a caller
 * waits for plaintext, at most 256 KiB at a time: a caller that stops reading
 * stops the peer. A write accepts at most 64 KiB, and resolves when the kernel
 * has accepted the ciphertext: a peer that stops reading stops the caller.
 *
 * Nothing here is limited in time. The server and the client limit the handshake
 * by closing the connection.
 *
 * ```ts ignore
 * import { tlsServer } from "./session.ts";
 *
 * const startTls = tlsServer({ cert, key });
 * using conn = startTls(await listener.accept());
 * await conn.handshake();
 * const count = await conn.read(buffer);
 * ```
 *
 * @module
 */

import { nextTick } from "node:process";
import type { Duplex } from "node:stream";
// Older versions of Deno have no global of this name.
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import { readableOf, writableOf } from "../net/conn_streams.ts";
import { CiphertextStream } from "./ciphertext_stream.ts";
import { describeHandshakeError } from "./handshake_error.ts";
import { ReadQueue } from "./read_queue.ts";

/**
 * Bytes that one write accepts: what the TLS library buffers (rustls'
 * `DEFAULT_BUFFER_LIMIT`). It would copy more bytes twice.
 */
const WRITE_SIZE = 64 * 1024;

/** A TLS session and the plain connection below it. */
export class TlsConn implements Deno.Conn {
  readonly #plain: Deno.TcpConn;
  readonly #ciphertext: CiphertextStream;
  readonly #socket: TLSSocket;
  readonly #plaintext = new ReadQueue();
  readonly #handshake = Promise.withResolvers<void>();
  /** The `reject` functions of the writes that are pending. */
  readonly #writes = new Set<(error: unknown) => void>();
  /** Whether `node:tls` has begun. */
  #started = false;
  #established = false;
  #writeEnded = false;
  #closed = false;
  /** Why the session failed, or that it was closed. */
  #failure: unknown;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /** Starts the handshake. `ready` is the event at its end. */
  constructor(
    plain: Deno.TcpConn,
    open: (stream: Duplex) => TLSSocket,
    ready: "secure" | "secureConnect",
  ) {
    this.#plain = plain;
    try {
      // Nagle's algorithm (RFC 896) would cost 40 ms per handshake.
      plain.setNoDelay(true);
    } catch {
      // The peer has reset the connection. The first read reports it.
    }
    // The caller need not wait for the handshake.
    this.#handshake.promise.catch(() => {});
    this.#ciphertext = new CiphertextStream(plain, {
      onChunk: (chunk) => this.#decrypt(chunk),
      onError: (error) => this.#fail(error),
    });
    const socket = this.#socket = open(this.#ciphertext);
    socket.on("data", (chunk: Uint8Array) => this.#plaintext.push(chunk));
    socket.on("end", () => this.#plaintext.end());
    socket.on("error", (error: Error) => this.#onTlsError(error));
    // A server's socket reports errors after the handshake with this event.
    socket.on("_tlsError", (error: Error) => this.#onTlsError(error));
    socket.once(ready, () => {
      this.#established = true;
      this.#handshake.resolve();
    });
    // It begins in the next tick. If the session has failed by then, it throws an
    // error that nothing can catch.
    nextTick(() => {
      this.#started = true;
      if (this.#failure) socket.destroy();
      else this.#ciphertext.receive();
    });
  }

  /** The local address. */
  get localAddr(): Deno.NetAddr {
    return this.#plain.localAddr;
  }

  /** The address of the peer. */
  get remoteAddr(): Deno.NetAddr {
    return this.#plain.remoteAddr;
  }

  /** The decrypted input as a stream. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  /** A stream that encrypts and sends. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  /** Resolves when the handshake is done, or rejects with why it failed. */
  handshake(): Promise<void> {
    return this.#handshake.promise;
  }

  /** Reads some bytes; `null` when the peer has ended the session. */
  read(into: Uint8Array): Promise<number | null> {
    const reading = this.#plaintext.read(into);
    if (this.#plaintext.waiting && this.#started) {
      this.#ciphertext.receive(this.#established ? into.length : undefined);
    }
    return reading;
  }

  /** Writes some of the bytes, and resolves with their number. */
  write(bytes: Uint8Array): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#writeEnded) {
      return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
    }
    if (bytes.length === 0) return Promise.resolve(0);
    const chunk = bytes.length > WRITE_SIZE
      ? bytes.subarray(0, WRITE_SIZE)
      : bytes;
    return this.#flushed(
      chunk.length,
      (encrypted) => this.#socket.write(chunk, encrypted),
    );
  }

  /** Ends the session (close_notify), and half-closes the connection. */
  async closeWrite(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (!this.#writeEnded) {
      this.#writeEnded = true;
      await this.#flushed(0, (encrypted) => this.#socket.end(encrypted));
    }
    await this.#plain.closeWrite();
  }

  /** Closes the connection at once, whatever the peer does. */
  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    this[Symbol.dispose]();
  }

  /** The same, but may be called again. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => {
      this.#plain[Symbol.dispose]();
      this.#fail(new Deno.errors.Interrupted("the connection was closed here"));
    };
    const idle = this.#established && !this.#failure && !this.#writeEnded &&
      this.#writes.size === 0;
    if (!idle) return close();
    // In this turn of the event loop, the kernel accepts the session's end if it
    // has space. Nothing waits for that.
    this.#writeEnded = true;
    this.#socket.end();
    queueMicrotask(close);
  }

  /** Keeps the process alive while an operation is pending. */
  ref(): void {
    this.#plain.ref();
  }

  /** Lets the process end while an operation is pending. */
  unref(): void {
    this.#plain.unref();
  }

  /**
   * Resolves with `count` when `start` has called back, and the ciphertext has
   * been sent.
   */
  #flushed(
    count: number,
    start: (encrypted: (error?: Error | null) => void) => void,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#writes.add(reject);
      start((error) => {
        if (error) return this.#onTlsError(error);
        this.#ciphertext.flush(() => {
          this.#writes.delete(reject);
          resolve(count);
        });
      });
    });
  }

  #decrypt(chunk: Uint8Array | null): void {
    if (this.#failure) return;
    // The socket may report the session's end, or an error, after this.
    if (chunk === null) return void setImmediate(() => this.#onEof());
    this.#ciphertext.push(chunk);
    const wanted = this.#plaintext.waiting || !this.#established;
    if (wanted && !this.#failure && !this.#plaintext.ended) {
      this.#ciphertext.receive();
    }
  }

  #onEof(): void {
    if (this.#plaintext.ended) return;
    this.#fail(
      new Deno.errors.UnexpectedEof(
        this.#established
          ? "the peer closed the connection without ending the TLS session"
          : "the peer closed the connection during the TLS handshake",
      ),
    );
  }

  #onTlsError(error: Error): void {
    this.#fail(
      this.#established
        ? new Deno.errors.InvalidData(error.message, { cause: error })
        : new Error(describeHandshakeError(error), { cause: error }),
    );
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#handshake.reject(error);
    this.#plaintext.fail(error);
    for (const reject of this.#writes) reject(error);
    this.#writes.clear();
    if (this.#started) this.#socket.destroy();
  }
}
