/**
 * Probes over one connection, one at a time, at an interval: what ping(8) does with
 * ICMP, for an echo server. After a lost probe the connection is closed, because its
 * late echo would be mistaken for that of the next probe. A connection that the
 * server closed between two probes is replaced without a loss. With `connect`, it
 * times new connections to any port instead.
 *
 * ```ts
 * import { ping } from "./ping.ts";
 *
 * const { received, rtt } = await ping({ count: 3, interval: 100 });
 * console.log(received, rtt.mean);
 * ```
 *
 * @module
 */

import { ConnectProber } from "./client/connect_prober.ts";
import { PingRecorder } from "./client/ping_recorder.ts";
import { type Probe, Prober } from "./client/prober.ts";
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
import type { Bucket, LatencySummary, Percentile } from "./stats/histogram.ts";
import type { Interval as PingInterval } from "./stats/interval.ts";
import type { PingSummary } from "./stats/summaries.ts";
import { clientTls } from "./tls/start_tls.ts";

export type {
  Bucket,
  LatencySummary,
  Percentile,
  PingInterval,
  PingSummary,
  Probe,
};

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
    signal,
    onRun,
    onProbe,
  } = options;
  const action = `Cannot ping ${formatEndpoint(options)}`;
  const { size = DEFAULT_PING_SIZE } = options;
  if (!options.connect) {
    checkRange(POSITIVE_INTEGER, { action, options: { size } });
  }
  checkRange(POSITIVE_INTEGER_OR_INFINITY, { action, options: { count } });
  checkRange(NON_NEGATIVE, { action, options: { interval } });
  const underWay = `Cannot connect to ${
    formatEndpoint(options)
  }: connection attempt under way`;
  const dial = (wait: number) => connect({ ...options, timeout, wait });
  using prober = options.connect
    ? new ConnectProber(() => dial(0))
    : new Prober({ size, timeout, action, dial: () => dial(0), signal });
  let start = performance.now();
  let recorder = new PingRecorder();
  const summary = () => recorder.summary(performance.now() - start);

  function report(probe: Probe): void {
    recorder.record(probe.rtt, performance.now() - start);
    notify(onProbe, probe);
  }

  notify(onRun, { summary });
  try {
    if (options.connect) await prepare(options, action);
    if (wait > 0) await prober.connect(() => dial(wait));
    start = performance.now();
    recorder = new PingRecorder();
    for (let due = start; recorder.sent < count && !signal?.aborted;) {
      const probe = await prober.probe(recorder.sent + 1);
      // A probe in flight when the run is aborted counts neither as sent nor lost.
      if (signal?.aborted) break;
      report(probe);
      let lost = probesCovered(prober.failedAt - due, interval);
      for (; lost > 0 && recorder.sent < count && !signal?.aborted; lost--) {
        const error = new ConnectError(underWay, { cause: probe.error });
        const timestamp = new Date().toISOString();
        report({ seq: recorder.sent + 1, size, timestamp, error });
        due += interval;
      }
      if (recorder.sent === count) break;
      due = Math.max(due + interval, performance.now());
      await sleep(Math.max(0, due - performance.now()), signal);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  return summary();
}
