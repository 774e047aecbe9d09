/**
 * Probes over one connection, one at a time, at an interval: what ping(8) does with
 * ICMP, for an echo server. After a lost probe the connection is closed, because its
 * late echo would be mistaken for that of the next probe. A connection that the
 * server closed between two probes is replaced without a loss. With `connect`, it
 * times new connections to any port instead.
 *
 * Its own part of a latency is about 0.13 ms: what a blocking client in C measures less
 * on the loopback interface.
 *
 * ```ts
 * import { ping } from "./ping.ts";
 *
 * const { received, latency } = await ping({ count: 3, interval: 100 });
 * console.log(received, latency.mean);
 * ```
 *
 * @module
 */

import { connect, ConnectError, type ConnectOptions } from "./echo.ts";
import {
  DEFAULT_PING_INTERVAL_MS,
  DEFAULT_PING_SIZE,
  DEFAULT_PING_TIMEOUT_MS,
} from "./net/defaults.ts";
import { formatEndpoint } from "./net/endpoint.ts";
import { notify } from "./net/notify.ts";
import { sleep, withTimeout } from "./net/timeout.ts";
import {
  checkRange,
  NON_NEGATIVE,
  POSITIVE_INTEGER,
  POSITIVE_INTEGER_OR_INFINITY,
} from "./net/validate.ts";
import { type Probe, Prober } from "./ping/prober.ts";
import { PingRecorder } from "./ping/recorder.ts";
import type { PingSummary } from "./stats/summaries.ts";
import { clientTls } from "./tls/start_tls.ts";

export type { Probe };
export type { Bucket, Histogram, HistogramJson } from "./stats/histogram.ts";
export type { Bounds, Latencies } from "./stats/latencies.ts";
export type * from "./stats/summaries.ts";

/** The options of a ping run. */
export interface PingOptions extends ConnectOptions {
  /**
   * Milliseconds from one probe to the next.
   * @default {1000}
   */
  interval?: number | undefined;
  /**
   * Number of probes.
   * @default {Infinity}
   */
  count?: number | undefined;
  /**
   * Bytes of a probe. Not used with `connect`.
   * @default {56}
   */
  size?: number | undefined;
  /**
   * Measure only the time to connect, and to finish the TLS handshake with `tls`.
   * Each probe makes a connection and closes it, so the server need not echo. The
   * look-up of a host name is included.
   * @default {false}
   */
  connect?: boolean | undefined;
  /**
   * Milliseconds after which a probe, or the connection for it, counts as lost.
   * @default {2000}
   */
  timeout?: number | undefined;
  /** Ends the run early. The result covers what was done until then. */
  signal?: AbortSignal | undefined;
  /**
   * Called once, before the first connection, with the run. What it throws goes to
   * `reportError()`.
   */
  onRun?: ((run: PingRun) => void) | undefined;
  /** Called after each probe. What it throws goes to `reportError()`. */
  onProbe?: ((probe: Probe) => void) | undefined;
}

/** A run that is under way. */
export interface PingRun {
  /** The summary of the probes so far. */
  summary(): PingSummary;
}

/** Milliseconds. Timers cannot keep a schedule with a shorter interval. */
const MIN_INTERVAL_MS = 1;

/**
 * Milliseconds that a probe in flight has when the run is aborted, or twice the
 * longest latency up to `MAX_DRAIN_MS`: a probe that waits for longer is missing.
 */
const DRAIN_MS = 100;
const MAX_DRAIN_MS = 2_000;

/** The number of further probes that were due while an attempt failed. */
function probesCovered(took: number, interval: number): number {
  if (interval < MIN_INTERVAL_MS) return 0;
  return Math.max(0, Math.floor(took / interval) - 1);
}

/**
 * Loads what Deno loads on first use, TLS and timers, or the first probe would include
 * it: some 5 ms. Connects nowhere.
 */
async function prepare(options: PingOptions, action: string): Promise<void> {
  await clientTls(options, action);
  await withTimeout((signal) => sleep(0, signal), {
    timeout: Infinity,
    signal: options.signal,
    onTimeout: () => new Error(action),
  });
}

/**
 * Sends `count` probes, or until the signal is aborted. Lost probes are counted, not
 * thrown. A probe that needs a connection connects when the probe is due. If that
 * fails and takes longer than `interval`, the probes that were due in that time count
 * as lost too. If an echo, or a connect that succeeds, takes longer than `interval`,
 * later probes are delayed. With `connect`, each probe is a connect.
 *
 * A probe that is in flight when the signal is aborted has 100 ms to come back, or
 * twice the longest latency; then it counts as `unanswered`.
 *
 * @throws {RangeError} if an option is out of range.
 * @throws the error of `connect` if a permission is missing, or if the server cannot
 * be reached within `wait`.
 */
export async function ping(options: PingOptions = {}): Promise<PingSummary> {
  const {
    interval = DEFAULT_PING_INTERVAL_MS,
    count = Infinity,
    timeout = DEFAULT_PING_TIMEOUT_MS,
    wait = 0,
    connect: onlyConnects = false,
    signal,
  } = options;
  const action = `Cannot ping ${formatEndpoint(options)}`;
  const { size = DEFAULT_PING_SIZE } = options;
  if (!onlyConnects) {
    checkRange(POSITIVE_INTEGER, { action, options: { size } });
  }
  checkRange(POSITIVE_INTEGER_OR_INFINITY, { action, options: { count } });
  checkRange(NON_NEGATIVE, { action, options: { interval } });
  // Aborted some time after `signal`, for the probe in flight.
  const cut = new AbortController();
  const newRecorder = () =>
    new PingRecorder({
      size: onlyConnects ? 0 : size,
      interval,
      connect: onlyConnects,
    });
  let recorder = newRecorder();
  let start = performance.now();
  const now = () => performance.now() - start;
  const summary = () => recorder.summary(now());
  let drain: ReturnType<typeof setTimeout> | undefined;
  const abort = () => {
    const longest = Math.min(2 * recorder.longest, MAX_DRAIN_MS);
    drain = setTimeout(() => cut.abort(), Math.max(DRAIN_MS, longest));
  };
  using prober = new Prober({
    ...{ size, timeout, action, connect: onlyConnects, signal: cut.signal },
    dial: () => connect({ ...options, timeout, wait: 0, signal: cut.signal }),
  });
  notify(options.onRun, { summary });
  try {
    if (onlyConnects) await prepare(options, action);
    if (wait > 0) {
      await prober.connect(() => connect({ ...options, timeout }));
    }
    signal?.throwIfAborted();
    signal?.addEventListener("abort", abort, { once: true });
    start = performance.now();
    recorder = newRecorder();
    for (let due = 0; recorder.sent < count && !signal?.aborted;) {
      const probe = await prober.probe(recorder.sent + 1);
      const sentAt = prober.sentAt - start;
      record(recorder, probe, sentAt, now());
      notify(options.onProbe, probe);
      if (!onlyConnects && !prober.isConnected) {
        due += interval * reportCovered(due);
      }
      due = Math.max(due + interval, now());
      if (recorder.sent < count) await sleep(Math.max(0, due - now()), signal);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    if (cut.signal.aborted) {
      const sentAt = prober.sentAt - start;
      recorder.unanswered(sentAt, now() - sentAt);
    }
  } finally {
    clearTimeout(drain);
    signal?.removeEventListener("abort", abort);
  }
  return summary();

  /** Probes that were due while a connection could not be made are lost too. */
  function reportCovered(due: number): number {
    const covered = probesCovered(now() - due, interval);
    const reason = `Cannot connect to ${
      formatEndpoint(options)
    }: connection attempt under way`;
    let lost = 0;
    while (lost < covered && recorder.sent < count && !signal?.aborted) {
      const sentAt = due + ++lost * interval;
      const error = new ConnectError(reason);
      const timestamp = new Date().toISOString();
      const probe: Probe = { seq: recorder.sent + 1, size, timestamp, error };
      record(recorder, probe, sentAt, now());
      notify(options.onProbe, probe);
    }
    return lost;
  }
}

function record(
  recorder: PingRecorder,
  { latency, error }: Probe,
  sentAt: number,
  now: number,
): void {
  if (latency !== undefined) recorder.reply(sentAt, latency);
  else recorder.lost(sentAt, now - sentAt, error);
}
