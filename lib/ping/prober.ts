/**
 * Sends probes, one at a time: an echo over a connection that is kept, or only a
 * connect. A lost probe ends its connection, as its late echo would be mistaken for
 * that of the next one.
 *
 * ```ts
 * import { Prober } from "./prober.ts";
 *
 * using prober = new Prober({
 *   size: 56,
 *   timeout: 2000,
 *   connect: false,
 *   action: "Cannot ping 127.0.0.1:12345",
 *   dial: () => Deno.connect({ port: 12345 }),
 * });
 * const { latency } = await prober.probe(1);
 * ```
 *
 * @module
 */

// The global setImmediate came to Deno later than this module.
import { setImmediate } from "node:timers";
import { EchoError, withContext } from "../net/errors.ts";
import { roundTrip } from "../client/round_trip.ts";
import { mismatch } from "../client/verify.ts";
import { WatchedConn } from "./watched_conn.ts";

/** The result of one probe. */
export interface Probe {
  /** The number of the probe, from 1. */
  seq: number;
  /** Bytes sent. */
  size: number;
  /** When the probe was sent, or counted as lost, in ISO 8601. */
  timestamp: string;
  /**
   * Milliseconds until the last byte came back, or until the connection was made.
   * Missing if the probe was lost.
   */
  latency?: number;
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
  /** Whether a probe only makes a connection, and closes it. */
  connect: boolean;
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
  /** When the probe was sent, on the process's clock. */
  sentAt = 0;
  /** Whether the probe had a connection. */
  isConnected = false;
  readonly #options: ProberOptions;
  #conn: WatchedConn | undefined;

  /** Does not connect yet. */
  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Connects for the first probe. @throws what `dial` throws. */
  async connect(dial: () => Promise<Deno.Conn>): Promise<void> {
    // The first read of a round trip has this size.
    this.#conn = new WatchedConn(await dial(), this.#options.size + 1);
    if (this.#options.connect) this[Symbol.dispose]();
  }

  /**
   * Sends probe `seq`. A loss is in the result.
   *
   * @throws the signal's reason, or an error that every later probe would meet
   * too, such as a missing permission.
   */
  async probe(seq: number): Promise<Probe> {
    const { connect, size } = this.#options;
    const probe: Probe = { seq, size: connect ? 0 : size, timestamp: "" };
    try {
      this.#start(probe);
      if (!connect) await this.#echo(probe);
      else {
        await this.connect(this.#options.dial);
        probe.latency = performance.now() - this.sentAt;
      }
    } catch (error) {
      this[Symbol.dispose]();
      if (!(error instanceof EchoError)) throw error;
      probe.error = error;
    }
    return probe;
  }

  #start(probe: Probe): void {
    probe.timestamp = new Date().toISOString();
    this.sentAt = performance.now();
  }

  /** Sends the probe. The time to connect is not its own. */
  async #echo(probe: Probe): Promise<void> {
    const { action, dial, size } = this.#options;
    // A FIN that has just arrived is read in a turn of the event loop.
    if (this.#conn) await new Promise((resolve) => setImmediate(resolve));
    const isReplaced = this.#conn?.ended === true;
    if (isReplaced) this[Symbol.dispose]();
    this.isConnected = this.#conn !== undefined;
    if (!this.#conn) await this.connect(dial);
    this.isConnected = true;
    if (isReplaced) probe.reconnected = true;
    const conn = this.#conn!;
    await withContext(action, async () => {
      const { unexpected } = conn;
      if (unexpected !== undefined) throw mismatch(0, undefined, unexpected);
      const bytes = payload(probe.seq, size);
      this.#start(probe);
      await roundTrip(conn, bytes, this.#options);
      probe.latency = performance.now() - this.sentAt;
    });
    conn.watch();
  }

  /** Closes the connection, if there is one. */
  [Symbol.dispose](): void {
    this.#conn?.[Symbol.dispose]();
    this.#conn = undefined;
  }
}
