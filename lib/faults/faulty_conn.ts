/**
 * A connection with faults, which may be replaced while it is open: the stages of
 * the faults stand between the connection and its user. It knows nothing of the
 * protocol on top.
 *
 * ```ts
 * import { FaultInjector } from "./fault_injector.ts";
 * import { FaultyConn } from "./faulty_conn.ts";
 *
 * const listener = Deno.listen({ port: 0 });
 * const conn = new FaultyConn(await listener.accept());
 * conn.setFaults(new FaultInjector({ latency: 100 }).faultsOf(1));
 * ```
 *
 * @module
 */

import { readableOf, writableOf } from "../net/conn_streams.ts";
import { DEFAULT_GRACE_MS } from "../net/defaults.ts";
import type { FaultCounts } from "../net/fault_options.ts";
import { writeAll } from "../net/write_all.ts";
import type { ConnFaults } from "./fault_injector.ts";
import { Pipeline } from "./pipeline.ts";
import type { EndingFault, Sink } from "./stage.ts";

/**
 * Milliseconds in which a peer may close its side after it was half-closed, and
 * what it sends is dropped. Closing earlier could reset the connection before the
 * peer has read everything (RFC 2525, section 2.17). As long as a shutdown gives it
 * by default.
 */
export const LINGER_MS: number = DEFAULT_GRACE_MS;

/** What faults do to a connection that its owner wants to know. */
export interface FaultEvents {
  /** Called once if `limitData` or `closeAfter` has half-closed the connection. */
  onCut?: (() => void) | undefined;
  /** Called once if `reset` or `resetAfter` has closed the connection. */
  onReset?: (() => void) | undefined;
}

/** What a faulty connection shares with its owner. */
export interface FaultyConnOptions extends FaultEvents {
  /** When it was accepted, as `performance.now()` has it. Now by default. */
  acceptedAt?: number;
  /**
   * Reads at most one byte more than `reset` lets pass in the other direction, so
   * that the rest stays unread and makes the close a reset. It is for protocols
   * whose replies are as long as their requests.
   */
  limitReads?: boolean;
  /** Adds to how often each fault took effect. */
  counts?: FaultCounts;
}

const NO_FAULTS: ConnFaults = { faults: {}, random: () => Math.random };

/** A connection with faults. */
export class FaultyConn implements Deno.Conn {
  /** How often each fault took effect. */
  readonly faults: FaultCounts;
  /** Bytes that were sent to the peer. */
  bytesSent = 0;
  /** Bytes of the writes that have resolved. */
  bytesAccepted = 0;
  readonly #conn: Deno.Conn;
  readonly #options: FaultyConnOptions;
  readonly #output: Sink;
  readonly #closed = new AbortController();
  #pipeline: Pipeline;
  /** Resolves when all that replaced pipelines held was sent. */
  #drained: Promise<void> = Promise.resolve();
  /** The last write that was called. Each waits for the one before. */
  #lastWrite: Promise<number> = Promise.resolve(0);
  /** Bytes that may still be read, with `limitReads`. */
  #readable = Infinity;
  /** Resolves when the faults are replaced, or the connection is closed. */
  #changed = Promise.withResolvers<void>();
  #ending: EndingFault | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #readableStream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writableStream: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /** Has no faults yet. */
  constructor(conn: Deno.Conn, options: FaultyConnOptions = {}) {
    this.#conn = conn;
    this.#options = options;
    this.faults = options.counts ?? {};
    this.#output = { write: (chunk) => this.#send(chunk) };
    this.#pipeline = this.#makePipeline(NO_FAULTS);
  }

  /** Whether a fault half-closed the connection, rather than the peer. */
  get isCut(): boolean {
    return this.#ending === "limitData" || this.#ending === "closeAfter";
  }

  /** Whether a fault has reset the connection. */
  get isReset(): boolean {
    return this.#ending === "reset" || this.#ending === "resetAfter";
  }

  /**
   * Replaces the faults, for all bytes that are written from now on. Bytes that the
   * old faults hold back are sent before them, at once and unchanged.
   */
  setFaults(faults: ConnFaults = NO_FAULTS): void {
    if (this.#ending || this.#closed.signal.aborted) return;
    const old = this.#pipeline;
    const { reset } = faults.faults;
    this.#readable = this.#options.limitReads && reset !== undefined
      ? reset + 1
      : Infinity;
    old.release();
    this.#drained = Promise.all([this.#drained, this.#lastWrite])
      .then(() => old.flush());
    this.#drained.catch((error) => this.#closed.abort(error));
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    this.#pipeline = this.#makePipeline(faults);
  }

  /** Reads from the peer; `null` also when a fault has ended the connection. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.isCut) return await this.#discard(buffer);
    // What the client sends after that stays unread, which makes the close a
    // reset. No other fault limits reading.
    while (this.#readable <= 0 && !this.#closed.signal.aborted) {
      await this.#changed.promise;
    }
    try {
      const count = await this.#conn.read(
        this.#readable < buffer.length
          ? buffer.subarray(0, this.#readable)
          : buffer,
      );
      this.#readable -= count ?? 0;
      return this.isCut ? await this.#discard(buffer) : count;
    } catch (error) {
      if (this.isCut) return null;
      throw this.isReset
        ? new Deno.errors.ConnectionAborted("reset by a fault")
        : error;
    }
  }

  /** Passes bytes through the stages. */
  write(bytes: Uint8Array): Promise<number> {
    // Those of now: what replaces them waits for this write.
    const pipeline = this.#pipeline;
    const drained = this.#drained;
    const writing = this.#lastWrite.then(async () => {
      await drained;
      this.#closed.signal.throwIfAborted();
      await pipeline.write(bytes);
      this.bytesAccepted += bytes.length;
      return bytes.length;
    });
    this.#lastWrite = writing;
    // The caller handles the error, and later calls throw it again.
    writing.catch(() => {});
    return writing;
  }

  /** Resolves when all bytes written so far were sent, those held back too. */
  async flush(): Promise<void> {
    const pipeline = this.#pipeline;
    const drained = this.#drained;
    await this.#lastWrite;
    await drained;
    await pipeline.flush();
  }

  /** Half-closes the connection after all bytes that are held back. */
  async closeWrite(): Promise<void> {
    await this.flush();
    if (!this.#ending) await this.#conn.closeWrite();
  }

  /** Closes the connection; bytes that are held back are dropped. */
  close(): void {
    clearTimeout(this.#linger);
    this.#closed.abort();
    this.#changed.resolve();
    this.#conn[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ref(): void {
    this.#conn.ref();
  }

  unref(): void {
    this.#conn.unref();
  }

  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#conn.remoteAddr;
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readableStream ??= readableOf(this);
  }

  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writableStream ??= writableOf(this);
  }

  #makePipeline({ faults, random }: ConnFaults): Pipeline {
    return new Pipeline({
      faults,
      random,
      acceptedAt: this.#options.acceptedAt ?? performance.now(),
      signal: this.#closed.signal,
      count: (fault, by = 1) => this.#count(fault, by),
      end: (fault) => this.#end(fault),
      ended: () => this.#ending !== undefined,
      fail: (error) => this.#closed.abort(error),
    }, this.#output);
  }

  async #send(chunk: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#conn, chunk, (count) => this.bytesSent += count);
    } catch (error) {
      // A fault may cut the connection in the middle of a write.
      if (!this.isCut) throw error;
    }
  }

  #count(fault: keyof FaultCounts, by: number): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + by;
  }

  async #end(fault: EndingFault): Promise<void> {
    // After `close` there is nothing to end, and nobody would clear the timer.
    if (this.#ending || this.#closed.signal.aborted) return;
    this.#ending = fault;
    this.#count(fault, 1);
    if (this.isReset) {
      this.close();
      return this.#options.onReset?.();
    }
    // Closing at once would reset the connection if the peer still sends.
    this.#linger = setTimeout(() => this.close(), LINGER_MS);
    this.#options.onCut?.();
    await this.#drained;
    await this.#conn.closeWrite();
  }

  /** Reads and discards until the peer closes, or the linger is over. */
  async #discard(buffer: Uint8Array): Promise<null> {
    try {
      while (await this.#conn.read(buffer) !== null);
    } catch {
      // The connection is over either way.
    }
    return null;
  }
}
