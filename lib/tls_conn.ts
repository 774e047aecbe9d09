/**
 * TLS on a plain connection that stays ours to close.
 *
 * Deno's own TLS connections finish handshake and flush in the background after
 * `close()`, so that a peer that stalls keeps its socket and its file for as long
 * as it likes. Here `node:tls` runs the session, and nothing but this module
 * reads, writes and closes the connection below it: `close()` is at once.
 *
 * Reads are pulled: ciphertext is read only while the caller waits for plaintext,
 * so a caller that stops reading stops the peer. A write resolves when its
 * ciphertext is in the kernel's buffer, so a peer that stops reading stops the
 * caller.
 *
 * ```ts
 * import { tlsServer } from "./secure.ts";
 * const startTls = tlsServer({ cert, key });
 * const conn = startTls(await listener.accept());
 * await conn.handshake();
 * const count = await conn.read(buffer);
 * ```
 *
 * @module
 */

import type { Duplex } from "node:stream";
// The global of the same name came to Deno later than this module.
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import { ByteQueue } from "./byte_queue.ts";
import { Ciphertext } from "./ciphertext.ts";
import { readableOf, writableOf } from "./conn_streams.ts";
import { PendingWrites } from "./pending_writes.ts";
import { handshakeReason } from "./tls_reason.ts";

/**
 * Bytes written in one go: as many as the TLS library buffers (rustls'
 * `DEFAULT_BUFFER_LIMIT`); more would be copied once more.
 */
const WRITE_SIZE = 64 * 1024;

/**
 * Bytes of ciphertext read in one go, at least and at most: a message of one
 * kilobyte with its record header; and what a plain stream is read in.
 */
const LEAST_READ = 1024;
const MOST_READ = 256 * 1024;

/** The same during the handshake, whose longest message is a certificate chain. */
const HANDSHAKE_READ = 4096;

interface PendingRead {
  into: Uint8Array;
  resolve(count: number | null): void;
  reject(error: unknown): void;
}

/** A TLS session and the plain connection below it, as one connection. */
export class TlsConn implements Deno.Conn {
  readonly #plain: Deno.TcpConn;
  readonly #ciphertext: Ciphertext;
  readonly #socket: TLSSocket;
  readonly #shaken = Promise.withResolvers<void>();
  #buffer = new Uint8Array(HANDSHAKE_READ);
  readonly #received = new ByteQueue();
  #reading: PendingRead | undefined;
  readonly #writes: PendingWrites;
  #pulling = false;
  #established = false;
  #ended = false;
  #finishing = false;
  #closed = false;
  #failure: unknown;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /** Starts the handshake. `ready` is the event that ends it. */
  constructor(
    plain: Deno.TcpConn,
    open: (stream: Duplex) => TLSSocket,
    ready: "secure" | "secureConnect",
  ) {
    this.#plain = plain;
    try {
      // A record held back for more (Nagle, RFC 896) costs 40 ms a handshake.
      plain.setNoDelay(true);
    } catch {
      // The peer has reset it already; the first read tells.
    }
    // Nobody may be waiting for it.
    this.#shaken.promise.catch(() => {});
    this.#ciphertext = new Ciphertext(plain, {
      idle: () => this.#writes.settle(),
      failed: (error) => this.#fail(error),
    });
    this.#writes = new PendingWrites(() => this.#ciphertext.sending);
    const socket = this.#socket = open(this.#ciphertext);
    socket.on("data", (bytes: Uint8Array) => this.#deliver(bytes));
    socket.on("end", () => this.#end());
    socket.on("error", (error: Error) => this.#refuse(error));
    // What goes wrong after the handshake of a server's socket comes as this.
    socket.on("_tlsError", (error: Error) => this.#refuse(error));
    socket.once(ready, () => {
      this.#established = true;
      this.#shaken.resolve();
    });
    this.#pull();
  }

  /** This end's address. */
  get localAddr(): Deno.NetAddr {
    return this.#plain.localAddr;
  }

  /** The peer's address. */
  get remoteAddr(): Deno.NetAddr {
    return this.#plain.remoteAddr;
  }

  /** What is read, as a stream. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  /** What is written, as a stream. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  /** Resolves when the session has come about, rejects with why it has not. */
  handshake(): Promise<void> {
    return this.#shaken.promise;
  }

  /** Reads some bytes; `null` once the peer has ended the session. */
  read(into: Uint8Array): Promise<number | null> {
    if (!this.#received.empty) {
      return Promise.resolve(this.#received.takeInto(into));
    }
    if (this.#ended) return Promise.resolve(null);
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#reading) {
      return Promise.reject(new Deno.errors.Busy("another read is under way"));
    }
    return new Promise((resolve, reject) => {
      this.#reading = { into, resolve, reject };
      if (this.#pulling) return;
      if (this.#established) this.#fit(into.length);
      this.#pull();
    });
  }

  /** Writes some of the bytes, and resolves with how many. */
  write(bytes: Uint8Array): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#finishing) {
      return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
    }
    if (bytes.length === 0) return Promise.resolve(0);
    const chunk = bytes.length > WRITE_SIZE
      ? bytes.subarray(0, WRITE_SIZE)
      : bytes;
    return this.#writes.add(chunk.length, (taken) => {
      this.#socket.write(chunk, taken);
    });
  }

  /** Ends the session (close_notify) and the connection in this direction. */
  async closeWrite(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (!this.#finishing) {
      this.#finishing = true;
      await this.#writes.add(0, (taken) => this.#socket.end(taken));
    }
    await this.#plain.closeWrite();
  }

  /** Closes both, whatever the peer does. */
  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    this[Symbol.dispose]();
  }

  /** The same, any number of times. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => {
      this.#plain[Symbol.dispose]();
      this.#fail(new Deno.errors.Interrupted("the connection was closed here"));
    };
    const idle = this.#established && !this.#failure && !this.#finishing &&
      this.#writes.empty;
    if (!idle) return close();
    // The session's end is handed to the kernel within this turn of the event
    // loop, if it has room; it is not waited for.
    this.#finishing = true;
    this.#socket.end();
    queueMicrotask(close);
  }

  /** Keeps the process alive while something is under way. */
  ref(): void {
    this.#plain.ref();
  }

  /** Lets the process end although something is under way. */
  unref(): void {
    this.#plain.unref();
  }

  #fit(length: number): void {
    let size = LEAST_READ;
    while (size < length && size < MOST_READ) size *= 2;
    if (size !== this.#buffer.length) this.#buffer = new Uint8Array(size);
  }

  #pull(): void {
    if (this.#pulling) return;
    this.#pulling = true;
    this.#plain.read(this.#buffer).then(this.#decrypt, (error) => {
      this.#fail(error);
    });
  }

  #decrypt = (count: number | null): void => {
    this.#pulling = false;
    if (this.#failure) return;
    if (count === null) {
      // The session's own end may be about to be told.
      setImmediate(() => {
        if (this.#ended) return;
        this.#fail(
          new Deno.errors.UnexpectedEof(
            this.#established
              ? "the peer closed the connection without ending the TLS session"
              : "the peer closed the connection during the TLS handshake",
          ),
        );
      });
      return;
    }
    // A copy: the stream may keep it, and the buffer is used again.
    this.#ciphertext.push(this.#buffer.slice(0, count));
    const wanted = this.#reading !== undefined || !this.#established;
    if (wanted && !this.#failure && !this.#ended) this.#pull();
  };

  #deliver(bytes: Uint8Array): void {
    this.#received.push(bytes);
    const reading = this.#reading;
    if (!reading) return;
    this.#reading = undefined;
    reading.resolve(this.#received.takeInto(reading.into));
  }

  #end(): void {
    this.#ended = true;
    this.#reading?.resolve(null);
    this.#reading = undefined;
  }

  #refuse(error: Error): void {
    this.#fail(
      this.#established
        ? new Deno.errors.InvalidData(error.message, { cause: error })
        : new Error(handshakeReason(error), { cause: error }),
    );
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#shaken.reject(error);
    this.#reading?.reject(error);
    this.#reading = undefined;
    this.#writes.fail(error);
    this.#socket.destroy();
  }
}
