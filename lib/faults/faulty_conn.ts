/**
 * A connection with faults: a stage for each fault stands between the connection
 * and its user. It knows nothing of the protocol on top.
 *
 * ```ts
 * import { FaultInjector } from "./faulty_conn.ts";
 *
 * const injector = new FaultInjector({ latency: 100 });
 * const listener = Deno.listen({ port: 0 });
 * const conn = injector.inject(await listener.accept(), 1);
 * ```
 *
 * @module
 */

import { readableOf, writableOf } from "../net/conn_streams.ts";
import { DEFAULT_GRACE_MS } from "../net/defaults.ts";
import type { FaultCounts, Faults } from "../net/fault_options.ts";
import { writeAll } from "../net/write_all.ts";
import { bandwidth } from "./bandwidth.ts";
import { corrupt } from "./corrupt.ts";
import { cutOff } from "./cut_off.ts";
import { latency } from "./latency.ts";
import { prng } from "./prng.ts";
import { slicer } from "./slicer.ts";
import type { EndingFault, Sink, Stage } from "./stage.ts";

/** The stages, in the order in which a chunk passes them. */
const STAGES: readonly Stage[] = [latency, corrupt, cutOff, slicer, bandwidth];

/**
 * Milliseconds in which the peer may close its side after `limitData`: as long
 * as a shutdown gives it by default, and for the same reason (see `Relay`).
 */
const LINGER_MS = DEFAULT_GRACE_MS;

/** Injects the same faults into the connections of a server. */
export class FaultInjector {
  readonly #faults: Faults;
  readonly #seed: number;

  /** The faults must have passed `checkFaults`. */
  constructor(faults: Faults) {
    this.#faults = faults;
    this.#seed = faults.seed ??
      Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  }

  /** Returns the connection with faults, or unchanged, as `toxicity` decides. */
  inject(conn: Deno.Conn, id: number): Deno.Conn | FaultyConn {
    const random = (purpose: number) => prng(this.#seed, id, purpose);
    const { toxicity = 1 } = this.#faults;
    if (random(0)() >= toxicity) return conn;
    return new FaultyConn(conn, { faults: this.#faults, random });
  }
}

/** A connection with faults. */
export class FaultyConn implements Deno.Conn {
  /** How often each fault took effect. */
  readonly faults: FaultCounts = {};
  /** Bytes that were written to the connection. */
  bytesWritten = 0;
  #bytesRead = 0;
  readonly #conn: Deno.Conn;
  readonly #options: Faults;
  /** The stages in order, and the connection at last. */
  readonly #sinks: Sink[];
  readonly #closed = new AbortController();
  /** The last write that was called. Each waits for the one before. */
  #lastWrite: Promise<number> = Promise.resolve(0);
  #ending: EndingFault | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /** Puts the stages in front of a connection. */
  constructor(
    conn: Deno.Conn,
    { faults, random }: {
      faults: Faults;
      random: (purpose: number) => () => number;
    },
  ) {
    this.#conn = conn;
    this.#options = faults;
    const context = {
      faults,
      random,
      signal: this.#closed.signal,
      count: (fault: keyof FaultCounts, by = 1) => this.#count(fault, by),
      end: (fault: EndingFault) => this.#end(fault),
      ended: () => this.#ending !== undefined,
      untilClosed: () => this.#untilClosed(),
      fail: (error: unknown) => this.#closed.abort(error),
    };
    const output: Sink = {
      write: (chunk) =>
        writeAll(conn, chunk, (count) => this.bytesWritten += count),
    };
    this.#sinks = [output];
    for (const stage of STAGES.toReversed()) {
      this.#sinks.unshift(stage(this.#sinks[0]!, context));
    }
  }

  /** Whether a fault closed the connection, rather than the peer. */
  get endedByFault(): boolean {
    return this.#options.closeOnAccept || this.#ending === "limitData";
  }

  /** Reads from the peer; `null` also when a fault has ended the connection. */
  async read(buffer: Uint8Array): Promise<number | null> {
    const { closeOnAccept, limitData, reset = Infinity } = this.#options;
    if (closeOnAccept) {
      this.#count("closeOnAccept");
      return null;
    }
    if (limitData === 0 && !this.#ending) await this.#end("limitData");
    if (this.#ending === "limitData") return await this.#drain(buffer);
    // What the client sends after that stays unread, which makes the close a
    // reset. No other fault limits reading.
    const allowed = reset + 1 - this.#bytesRead;
    if (this.#ending === "reset" || allowed <= 0) {
      throw new Deno.errors.ConnectionAborted("reset by a fault");
    }
    const count = await this.#conn.read(
      allowed < buffer.length ? buffer.subarray(0, allowed) : buffer,
    );
    if (count !== null) {
      this.#bytesRead += count;
      return this.#ended("limitData") ? await this.#drain(buffer) : count;
    }
    // Delayed chunks are sent before the connection ends.
    await this.#flush();
    if (this.#ended("stall")) await this.#untilClosed();
    return null;
  }

  /** Passes bytes through the stages. */
  write(bytes: Uint8Array): Promise<number> {
    const writing = this.#lastWrite.then(async () => {
      this.#closed.signal.throwIfAborted();
      await this.#sinks[0]!.write(bytes);
      return bytes.length;
    });
    this.#lastWrite = writing;
    // The caller handles the error, and later calls throw it again.
    writing.catch(() => {});
    return writing;
  }

  /** Half-closes the connection after all writes and the delayed chunks. */
  async closeWrite(): Promise<void> {
    await this.#flush();
    await this.#conn.closeWrite();
  }

  /** Closes the connection; delayed chunks are dropped. */
  close(): void {
    clearTimeout(this.#linger);
    this.#closed.abort();
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
    return this.#readable ??= readableOf(this);
  }

  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  #count(fault: keyof FaultCounts, by = 1): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + by;
  }

  #ended(fault: EndingFault): boolean {
    return this.#ending === fault;
  }

  async #flush(): Promise<void> {
    await this.#lastWrite;
    for (const sink of this.#sinks) await sink.flush?.();
  }

  async #end(fault: EndingFault): Promise<void> {
    // After `close` there is nothing to end, and nobody would clear the timer.
    if (this.#ending || this.#closed.signal.aborted) return;
    this.#ending = fault;
    this.#count(fault);
    if (fault === "reset") return this.close();
    if (fault === "stall") return;
    // Closing at once would reset the connection if the peer still sends.
    this.#linger = setTimeout(() => this.close(), LINGER_MS);
    await this.#conn.closeWrite();
  }

  /** Reads and discards until the peer closes, or the linger is over. */
  async #drain(buffer: Uint8Array): Promise<null> {
    try {
      while (await this.#conn.read(buffer) !== null);
    } catch {
      // The connection is over either way.
    }
    return null;
  }

  #untilClosed(): Promise<void> {
    const { signal } = this.#closed;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
  }
}
