/**
 * The connection that probes share: it is made when a probe needs one, verified,
 * and replaced after a loss or when the server closed it between two probes.
 *
 * ```ts
 * import { Prober } from "./prober.ts";
 * using prober = new Prober({ size: 56, timeout: 2000 });
 * const { rtt } = await prober.probe(1);
 * ```
 *
 * @module
 */

// The global of the same name came to Deno later than this module.
import { setImmediate } from "node:timers";
import { connect, type ConnectOptions, EchoError } from "./echo.ts";
import { place } from "./place.ts";
import { differs, roundTrip } from "./roundtrip.ts";
import { WatchedConn } from "./watched_conn.ts";

/** What became of a probe. */
export interface Probe {
  /** Counts the probes from 1. */
  seq: number;
  /** Bytes sent. */
  size: number;
  /** Milliseconds from sending to the last byte back, unless it was lost. */
  rtt?: number;
  /** Why it was lost. */
  error?: Error;
  /**
   * Set where the server, or something between, had closed the connection since
   * the probe before, and a new one was made for this.
   */
  reconnected?: true;
}

/** Where to, and how large and how late a probe may be. */
export interface ProberOptions extends ConnectOptions {
  /** Bytes of a probe. */
  size: number;
  /** Milliseconds for connecting, and then for the echo. */
  timeout: number;
}

/** Bytes that no other probe has, so that no echo is taken for another's. */
function payload(seq: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (seq >>> (8 * (i % 4))) + i;
  return bytes;
}

/** Sends probes, one at a time. */
export class Prober implements Disposable {
  /** When an attempt to connect failed last, by `performance.now()`. */
  failedAt = -Infinity;
  readonly #options: ProberOptions;
  readonly #attempt: string;
  #conn: WatchedConn | undefined;

  /** Opens nothing yet. */
  constructor(options: ProberOptions) {
    this.#options = options;
    this.#attempt = `Cannot ping ${place(options)}`;
  }

  /** Connects, trying for as long as `wait`. @throws what `connect` throws. */
  async connect(wait: number): Promise<WatchedConn> {
    const { size } = this.#options;
    try {
      const conn = await connect({ ...this.#options, wait });
      // As long as what a round trip reads first: a byte more than a probe.
      return this.#conn = new WatchedConn(conn, size + 1);
    } catch (error) {
      this.failedAt = performance.now();
      throw error;
    }
  }

  /**
   * Sends probe `seq`; a loss is in the result.
   *
   * @throws the signal's reason, or what no later probe can do better at, such
   * as a missing permission.
   */
  async probe(seq: number): Promise<Probe> {
    const { size, timeout, signal } = this.#options;
    const probe: Probe = { seq, size };
    try {
      const conn = await this.#connection(probe);
      if (conn.unexpected !== undefined) {
        throw differs(this.#attempt, 0, undefined, conn.unexpected);
      }
      const bytes = payload(seq, size);
      const start = performance.now();
      await roundTrip(conn, bytes, { attempt: this.#attempt, timeout, signal });
      probe.rtt = performance.now() - start;
      conn.watch();
    } catch (error) {
      this[Symbol.dispose]();
      if (!(error instanceof EchoError)) throw error;
      probe.error = error;
    }
    return probe;
  }

  /** The connection for a probe, which is told if it is a new one. */
  async #connection(probe: Probe): Promise<WatchedConn> {
    if (!this.#conn) return await this.connect(0);
    // An end that has just arrived is read in a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.#conn.ended) return this.#conn;
    this[Symbol.dispose]();
    const conn = await this.connect(0);
    probe.reconnected = true;
    return conn;
  }

  /** Closes the connection, if there is one. */
  [Symbol.dispose](): void {
    this.#conn?.[Symbol.dispose]();
    this.#conn = undefined;
  }
}
