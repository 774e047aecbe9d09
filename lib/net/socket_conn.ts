/**
 * A connection on a socket of `node:net` or `node:tls`. Unlike one of Deno, it can be
 * reset: Deno's own connections send a FIN whenever they are closed.
 *
 * The socket's own streams are not used. This class takes the place of their upper
 * half: it calls `_write()`, and receives what the socket would `push()`. That costs
 * about as much as a connection of Deno, where the streams would cost half as much
 * again, and a failed write does not destroy what was received.
 *
 * Memory is bounded: what was received and not read is at most one chunk of the
 * kernel (64 KiB); then nothing more is received. One write accepts at most 64 KiB,
 * and resolves when the kernel has accepted them.
 *
 * @module
 */

import type { Socket } from "node:net";
import { readableOf, writableOf } from "./conn_streams.ts";
import { socketError } from "./socket_error.ts";
import { addressOf, handleOf, type TcpHandle } from "./tcp_handle.ts";

/**
 * Bytes that one write accepts. A peer that reads slowly makes progress that its
 * owner can see, and TLS copies no more.
 */
const WRITE_SIZE = 64 * 1024;

interface Reader extends PromiseWithResolvers<number | null> {
  into: Uint8Array;
}

/** The half of a stream that whoever implements one supplies. */
interface Internals {
  push: (chunk: Uint8Array | null) => boolean;
  _write(
    chunk: Uint8Array,
    encoding: "buffer",
    done: (error?: Error | null) => void,
  ): void;
}

/** The error of reading from a connection that the peer has reset. */
export function resetError(): Error {
  return new Deno.errors.ConnectionReset("Connection reset by peer");
}

/** A connection that can be reset. */
export class SocketConn implements Deno.Conn<Deno.NetAddr> {
  /** The local address. */
  readonly localAddr: Deno.NetAddr;
  /** The address of the peer. */
  readonly remoteAddr: Deno.NetAddr;
  readonly #socket: Socket;
  readonly #handle: TcpHandle;
  /** What was received and not read. */
  readonly #chunks: Uint8Array[] = [];
  #receiving = false;
  #reader: Reader | undefined;
  /** Rejects the pending write. */
  #rejectWrite: ((error: unknown) => void) | undefined;
  /** The last write that was not done at once, and those that wait for it. */
  #lastWrite: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #ended = false;
  #writeEnded = false;
  #closed = false;
  /** Why the connection failed, or that it was closed. */
  #error: unknown;
  /** The same for writes alone. */
  #writeError: unknown;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /**
   * Takes a connected socket, which has not begun to read, and its TCP handle.
   *
   * @throws {Deno.errors.NotConnected} if the peer has reset it.
   */
  constructor(socket: Socket, handle: TcpHandle = handleOf(socket)) {
    // First of all: an error that nobody listens for ends the process.
    socket.on("error", (error) => this.fail(this.describe(error)));
    socket.on("close", () => this.fail(resetError()));
    this.#socket = socket;
    this.#handle = handle;
    const local = addressOf((out) => handle.getsockname(out));
    const remote = addressOf((out) => handle.getpeername(out));
    if (!local || !remote) {
      socket.destroy();
      throw new Deno.errors.NotConnected("the peer has reset the connection");
    }
    this.localAddr = local;
    this.remoteAddr = remote;
    // Nagle's algorithm (RFC 896) would delay replies, and handshakes by 40 ms.
    handle.setNoDelay(true);
    (socket as unknown as Internals).push = (chunk) => {
      if (chunk) this.#onChunk(chunk);
      else this.#onEnd();
      // The handle is paused instead, which pauses TLS too.
      return true;
    };
  }

  /** Whether the peer has ended its side. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The input as a stream. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  /** A stream that writes. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  /**
   * Reads some bytes; `null` at the end of input. What was received before a
   * failure is read before it throws.
   */
  read(into: Uint8Array): Promise<number | null> {
    if (into.length === 0) return Promise.resolve(0);
    if (this.#chunks.length > 0) return Promise.resolve(this.#take(into));
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(null);
    if (this.#reader) {
      return Promise.reject(new Deno.errors.Busy("another read is pending"));
    }
    this.#reader = { into, ...Promise.withResolvers<number | null>() };
    this.receive();
    return this.#reader.promise;
  }

  /** Writes some of the bytes, and resolves with their number. */
  write(bytes: Uint8Array): Promise<number> {
    if (this.#isWriting || this.#queued > 0) {
      this.#queued++;
      const writing = this.#lastWrite.then(() => {
        this.#queued--;
        return this.#write(bytes);
      });
      this.#lastWrite = writing.catch(() => {});
      return writing;
    }
    const writing = this.#write(bytes);
    // The kernel has mostly accepted them by now.
    if (this.#isWriting) this.#lastWrite = writing.catch(() => {});
    return writing;
  }

  #write(bytes: Uint8Array): Promise<number> {
    const error = this.#error ?? this.#writeError;
    if (error !== undefined) return Promise.reject(error);
    if (this.#writeEnded) {
      return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
    }
    if (bytes.length === 0) return Promise.resolve(0);
    const chunk = bytes.length > WRITE_SIZE
      ? bytes.subarray(0, WRITE_SIZE)
      : bytes;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#rejectWrite = reject;
    this.#socketInternals._write(chunk, "buffer", (error) => {
      // A socket that is destroyed reports why in its next event.
      if (error && this.#socket.destroyed && this.#error === undefined) return;
      this.#rejectWrite = undefined;
      if (!error) return resolve(chunk.length);
      this.#writeError ??= this.describe(error);
      reject(this.#error ?? this.#writeError);
    });
    return promise;
  }

  /** Ends the output after what was written (a FIN, and TLS's close_notify). */
  async closeWrite(): Promise<void> {
    await this.#lastWrite;
    const error = this.#error ?? this.#writeError;
    if (error !== undefined) throw error;
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#rejectWrite = reject;
    this.#socket.end((error?: Error | null) =>
      error ? reject(this.describe(error)) : resolve()
    );
    await promise;
    this.#rejectWrite = undefined;
  }

  /**
   * Closes the connection at once, whatever the peer does. TLS is not ended: only
   * `closeWrite()` says that the output is complete (RFC 8446, section 6.1).
   */
  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    this.#destroy();
  }

  /** The same, but may be called again. */
  [Symbol.dispose](): void {
    this.#destroy();
  }

  /** Closes the connection with a reset: the peer gets ECONNRESET, and no FIN. */
  reset(): void {
    if (!this.#closed) this.#handle.reset();
    this.#destroy();
  }

  /** Keeps the process alive while the connection is open. */
  ref(): void {
    this.#socket.ref();
  }

  /** Lets the process end while the connection is open. */
  unref(): void {
    this.#socket.unref();
  }

  /** Ends reads and writes with an error. The first one stays. */
  protected fail(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#reader?.reject(error);
    this.#reader = undefined;
    this.#rejectWrite?.(error);
    this.#rejectWrite = undefined;
  }

  /** The error to throw for one of the socket. */
  protected describe(error: Error): Error {
    return socketError(error);
  }

  /**
   * Whether the peer has reset the connection, even if a write took the error. Once
   * both sides have ended it, the system does not know any more.
   */
  protected get isReset(): boolean {
    return !this.#writeEnded &&
      addressOf((out) => this.#handle.getpeername(out)) === undefined;
  }

  /** Receives until a chunk is not read at once. */
  protected receive(): void {
    if (this.#receiving) return;
    this.#receiving = true;
    this.#handle.readStart();
  }

  #onChunk(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#chunks.push(chunk);
    const reader = this.#reader;
    if (reader) {
      this.#reader = undefined;
      reader.resolve(this.#take(reader.into));
    }
    if (this.#chunks.length === 0) return;
    this.#receiving = false;
    this.#handle.readStop();
  }

  #onEnd(): void {
    if (this.#error !== undefined) return;
    if (this.isReset) return this.fail(resetError());
    this.#ended = true;
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  #take(into: Uint8Array): number {
    const chunk = this.#chunks[0]!;
    if (chunk.length <= into.length) {
      into.set(chunk);
      this.#chunks.shift();
      return chunk.length;
    }
    into.set(chunk.subarray(0, into.length));
    this.#chunks[0] = chunk.subarray(into.length);
    return into.length;
  }

  #destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks.length = 0;
    this.fail(new Deno.errors.Interrupted("the connection was closed here"));
    this.#socket.destroy();
  }

  get #isWriting(): boolean {
    return this.#rejectWrite !== undefined;
  }

  get #socketInternals(): Internals {
    return this.#socket as unknown as Internals;
  }
}
