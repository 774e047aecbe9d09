/**
 * Round trips over one connection, one at a time, at an interval: what ping(8)
 * does with ICMP, for an echo server. A probe that is lost costs the connection,
 * since its echo could come yet, and a new one is made.
 *
 * ```ts
 * import { ping } from "./ping.ts";
 * const { received, rtt } = await ping({ count: 3, interval: 100 });
 * ```
 *
 * @module
 */

import { connect, type ConnectOptions, EchoError } from "./echo.ts";
import { Histogram, type Latency } from "./histogram.ts";
import { notify } from "./notify.ts";
import { place } from "./place.ts";
import { NOT_NEGATIVE, refuseOutside, WHOLE } from "./ranges.ts";
import { roundTrip } from "./roundtrip.ts";
import { delay } from "./timeout.ts";

export type { Latency };

/** What to send, and how often. */
export interface PingOptions extends ConnectOptions {
  /**
   * Milliseconds from one probe to the next.
   * @default {1000}
   */
  interval?: number | undefined;
  /**
   * Probes to send.
   * @default {Infinity}
   */
  count?: number | undefined;
  /**
   * Bytes of a probe.
   * @default {56}
   */
  size?: number | undefined;
  /**
   * Milliseconds after which a probe, or the connection for it, counts as lost.
   * @default {2000}
   */
  timeout?: number | undefined;
  /** Ends it early; what was done by then is the result. */
  signal?: AbortSignal | undefined;
  /** Called after each probe. What it throws goes to `reportError()`. */
  onProbe?: ((probe: Probe) => void) | undefined;
}

/** What became of a probe. */
export interface Probe {
  /** Counts the probes from 1. */
  seq: number;
  /** Bytes sent. */
  size: number;
  /** Milliseconds from sending to the last byte back, unless it was lost. */
  rtt?: number | undefined;
  /** Why it was lost. */
  error?: Error | undefined;
}

/** What all of them came to. */
export interface PingSummary {
  /** Probes sent, those included for which there was no connection. */
  sent: number;
  /** Probes that came back whole. */
  received: number;
  /** The share that did not, from 0 to 1. */
  loss: number;
  /** Milliseconds from the first probe to the end. */
  duration: number;
  /** Round-trip times, ms. */
  rtt: Latency;
}

/** As ping(8) sends: 64 bytes, of which its header takes 8. */
export const DEFAULT_PING_SIZE = 56;
/** As ping(8) waits between probes, in ms. */
export const DEFAULT_INTERVAL_MS = 1_000;
/** Longer than any round trip on earth, retransmission included; in ms. */
export const DEFAULT_PROBE_TIMEOUT_MS = 2_000;

/**
 * Milliseconds from a failed attempt to connect to the next, doubled from the
 * first to the last; probes that fall between are lost without an attempt.
 */
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 2_000;

/** Bytes that no other probe has, so that no echo is taken for another's. */
function payload(seq: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (seq >>> (8 * (i % 4))) + i;
  return bytes;
}

/**
 * Sends probes until there were `count` of them or the signal is aborted. Lost
 * probes are counted, not thrown.
 *
 * @throws {RangeError} if an option is out of its range.
 * @throws what `connect` throws if the first connection cannot be made within
 * `wait`, for want of a permission or of a server that was waited for.
 */
export async function ping(options: PingOptions = {}): Promise<PingSummary> {
  const {
    interval = DEFAULT_INTERVAL_MS,
    count = Infinity,
    size = DEFAULT_PING_SIZE,
    timeout = DEFAULT_PROBE_TIMEOUT_MS,
    signal,
    onProbe,
  } = options;
  const attempt = `Cannot ping ${place(options)}`;
  refuseOutside(WHOLE, { attempt, options: { count: options.count, size } });
  refuseOutside(NOT_NEGATIVE, { attempt, options: { interval } });
  const once = { ...options, timeout, wait: 0 };
  const times = new Histogram();
  let conn: Deno.Conn | undefined;
  let backoff = FIRST_BACKOFF_MS;
  let nextAttempt = 0;
  let lastError: Error | undefined;
  let sent = 0;

  async function probe(seq: number): Promise<Probe> {
    try {
      if (!conn) {
        if (performance.now() < nextAttempt) throw lastError;
        conn = await connect(once);
        backoff = FIRST_BACKOFF_MS;
      }
    } catch (error) {
      // Without a permission, no later attempt can succeed either.
      if (!(error instanceof EchoError)) throw error;
      if (performance.now() >= nextAttempt) {
        nextAttempt = performance.now() + backoff;
        backoff = Math.min(2 * backoff, LAST_BACKOFF_MS);
      }
      lastError = error;
      return { seq, size, error };
    }
    const bytes = payload(seq, size);
    const start = performance.now();
    try {
      await roundTrip(conn, bytes, { attempt, timeout, signal });
      const rtt = performance.now() - start;
      times.record(rtt);
      return { seq, size, rtt };
    } catch (error) {
      conn[Symbol.dispose]();
      conn = undefined;
      return { seq, size, error: error as Error };
    }
  }

  let start = performance.now();
  try {
    if (options.wait) conn = await connect({ ...options, timeout });
    start = performance.now();
    for (let due = start; sent < count && !signal?.aborted;) {
      const result = await probe(sent + 1);
      // Neither sent nor lost: the user ended it while it was under way.
      if (signal?.aborted) break;
      sent++;
      notify(onProbe, result);
      if (sent === count) break;
      due = Math.max(due + interval, performance.now());
      await delay(Math.max(0, due - performance.now()), signal && { signal });
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    conn?.[Symbol.dispose]();
  }
  const received = times.count;
  return {
    sent,
    received,
    loss: sent === 0 ? 0 : 1 - received / sent,
    duration: performance.now() - start,
    rtt: times.figures(),
  };
}
