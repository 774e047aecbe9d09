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

import {
  ConnectionResetError,
  EchoError,
  UnexpectedEofError,
  withContext,
} from "../net/errors.ts";
import { roundTrip } from "../client/round_trip.ts";

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

/** Whether the connection ended before any byte of the echo. */
function isClosedBefore(error: unknown): boolean {
  return error instanceof UnexpectedEofError && error.received === 0 &&
    !(error instanceof ConnectionResetError);
}

/** Sends probes, one at a time. */
export class Prober implements Disposable {
  /** When the probe was sent, on the process's clock. */
  sentAt = 0;
  /** Whether the probe had a connection. */
  isConnected = false;
  readonly #options: ProberOptions;
  #conn: Deno.Conn | undefined;

  /** Does not connect yet. */
  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Connects for the first probe. @throws what `dial` throws. */
  async connect(dial: () => Promise<Deno.Conn>): Promise<void> {
    this.#conn = await dial();
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
      if (connect) await this.connect(this.#options.dial);
      else await this.#echo(probe);
      probe.latency = performance.now() - this.sentAt;
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

  /**
   * Sends the probe, and again if the server had closed the connection, which it may
   * between two probes. The time to connect is not the probe's.
   */
  async #echo(probe: Probe): Promise<void> {
    const { action, dial, size } = this.#options;
    const bytes = payload(probe.seq, size);
    const send = async () => {
      this.#conn ??= await dial();
      this.isConnected = true;
      this.#start(probe);
      const conn = this.#conn;
      await withContext(action, () => roundTrip(conn, bytes, this.#options));
    };
    const isKept = this.isConnected = this.#conn !== undefined;
    try {
      await send();
    } catch (error) {
      this[Symbol.dispose]();
      if (!isKept || !isClosedBefore(error)) throw error;
      this.isConnected = false;
      await send();
      probe.reconnected = true;
    }
  }

  /** Closes the connection, if there is one. */
  [Symbol.dispose](): void {
    this.#conn?.[Symbol.dispose]();
    this.#conn = undefined;
  }
}
