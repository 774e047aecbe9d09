/**
 * Sends probes over one connection. It connects when a probe needs it, and
 * replaces the connection after a loss, or when the server closed it between two
 * probes.
 *
 * ```ts
 * import { Prober } from "./prober.ts";
 *
 * using prober = new Prober({
 *   size: 56,
 *   timeout: 2000,
 *   action: "Cannot ping 127.0.0.1:12345",
 *   dial: () => Deno.connect({ port: 12345 }),
 * });
 * const { rtt } = await prober.probe(1);
 * ```
 *
 * @module
 */

// The global setImmediate came to Deno later than this module.
import { setImmediate } from "node:timers";
import { EchoError, withContext } from "../net/errors.ts";
import { roundTrip } from "./round_trip.ts";
import { mismatch } from "./verify.ts";
import { WatchedConn } from "./watched_conn.ts";

/** The result of one probe. */
export interface Probe {
  /** The number of the probe, from 1. */
  seq: number;
  /** Bytes sent. */
  size: number;
  /** When the probe was sent, or counted as lost, as an ISO 8601 string. */
  timestamp: string;
  /**
   * Milliseconds until the last byte came back, or until the connection was made.
   * Missing if the probe was lost.
   */
  rtt?: number;
  /** Why the probe was lost. */
  error?: Error;
  /**
   * Set if the server had closed the connection since the last probe, and a new
   * one was made for this probe.
   */
  reconnected?: true;
}

/** The probes of one run. */
export interface ProberOptions {
  /** Bytes of a probe. */
  size: number;
  /** Milliseconds for each round trip. */
  timeout: number;
  /** What the message of a lost probe's error starts with. */
  action: string;
  /** Connects. It adds its own context to its errors. */
  dial: () => Promise<Deno.Conn>;
  /** Aborts the probe. */
  signal?: AbortSignal | undefined;
}

/** Bytes that no other probe has, so that a late echo is not mistaken. */
function payload(seq: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (seq >>> (8 * (i % 4))) + i;
  return bytes;
}

/** Sends probes, one at a time. */
export class Prober implements Disposable {
  /** When an attempt to connect last failed, on the process's clock. */
  failedAt = -Infinity;
  readonly #options: ProberOptions;
  #conn: WatchedConn | undefined;

  /** Does not connect yet. */
  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Connects. @throws what `dial` throws. */
  async connect(dial = this.#options.dial): Promise<WatchedConn> {
    try {
      const conn = await dial();
      // The first read of a round trip has this size.
      return this.#conn = new WatchedConn(conn, this.#options.size + 1);
    } catch (error) {
      this.failedAt = performance.now();
      throw error;
    }
  }

  /**
   * Sends probe `seq`. A loss is in the result.
   *
   * @throws the signal's reason, or an error that every later probe would meet
   * too, such as a missing permission.
   */
  async probe(seq: number): Promise<Probe> {
    const { size, action } = this.#options;
    const now = () => new Date().toISOString();
    const probe: Probe = { seq, size, timestamp: now() };
    try {
      const conn = await this.#connection(probe);
      probe.timestamp = now();
      await withContext(action, async () => {
        probe.rtt = await this.#roundTrip(conn, seq);
      });
      conn.watch();
    } catch (error) {
      this[Symbol.dispose]();
      if (!(error instanceof EchoError)) throw error;
      probe.error = error;
    }
    return probe;
  }

  async #roundTrip(conn: WatchedConn, seq: number): Promise<number> {
    if (conn.unexpected !== undefined) {
      throw mismatch(0, undefined, conn.unexpected);
    }
    const bytes = payload(seq, this.#options.size);
    const start = performance.now();
    await roundTrip(conn, bytes, this.#options);
    return performance.now() - start;
  }

  /** The connection for a probe, which notes if it is a new one. */
  async #connection(probe: Probe): Promise<WatchedConn> {
    if (!this.#conn) return await this.connect();
    // A FIN that has just arrived is read in a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.#conn.ended) return this.#conn;
    this[Symbol.dispose]();
    const conn = await this.connect();
    probe.reconnected = true;
    return conn;
  }

  /** Closes the connection, if there is one. */
  [Symbol.dispose](): void {
    this.#conn?.[Symbol.dispose]();
    this.#conn = undefined;
  }
}
