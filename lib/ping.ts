/**
 * Probes over one connection, one at a time, at an interval: what ping(8) does with
 * ICMP, for an echo server. After a lost probe the connection is closed, because its late echo would be
 * mistaken for that of the next probe. A connection that the server closed between two probes is replaced
 * without a loss.
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

import { type Probe, Prober } from "./client/prober.ts";
import { connect, ConnectError, type ConnectOptions } from "./echo.ts";
import {
  DEFAULT_PING_INTERVAL_MS,
  DEFAULT_PING_SIZE,
  DEFAULT_PING_TIMEOUT_MS,
} from "./net/defaults.ts";
import { formatEndpoint } from "./net/endpoint.ts";
import { notify } from "./net/notify.ts";
import { sleep } from "./net/timeout.ts";
import {
  checkRange,
  NON_NEGATIVE,
  POSITIVE_INTEGER,
  POSITIVE_INTEGER_OR_INFINITY,
} from "./net/validate.ts";
import { Histogram, type LatencySummary } from "./stats/histogram.ts";

export type { LatencySummary, Probe };

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
   * Bytes of a probe.
   * @default {56}
   */
  size?: number | undefined;
  /**
   * Milliseconds after which a probe, or the connection for it, counts as lost.
   * @default {2000}
   */
  timeout?: number | undefined;
  /** Ends the run early. The result covers what was done until then. */
  signal?: AbortSignal | undefined;
  /** Called after each probe. What it throws goes to `reportError()`. */
  onProbe?: ((probe: Probe) => void) | undefined;
}

/** The result of a ping run. */
export interface PingSummary {
  /** Probes sent. Probes without a connection are included. */
  sent: number;
  /** Probes whose whole echo came back. */
  received: number;
  /** The share of lost probes, from 0 to 1. */
  loss: number;
  /** Milliseconds from the first probe to the end. */
  duration: number;
  /** The round-trip times, in milliseconds. */
  rtt: LatencySummary;
}

/** Milliseconds. Timers cannot keep a schedule with a shorter interval. */
const MIN_INTERVAL_MS = 1;

/** The number of further probes that were due while an attempt failed. */
function probesCovered(took: number, interval: number): number {
  if (interval < MIN_INTERVAL_MS) return 0;
  return Math.max(0, Math.floor(took / interval) - 1);
}

/**
 * Sends `count` probes, or until the signal is aborted. Lost probes are counted, not
 * thrown. A probe that needs a connection connects when the probe is due. If it
 * fails and took longer than `interval`, the probes that were due in that time count
 * as lost too. If an echo, or a connect that succeeds, takes longer than `interval`,
 * later probes are delayed.
 *
 * @throws {RangeError} if an option is out of range.
 * @throws the error of `connect` if a permission is missing, or if the server cannot
 * be reached within `wait`.
 */
export async function ping(options: PingOptions = {}): Promise<PingSummary> {
  const {
    interval = DEFAULT_PING_INTERVAL_MS,
    count = Infinity,
    size = DEFAULT_PING_SIZE,
    timeout = DEFAULT_PING_TIMEOUT_MS,
    wait = 0,
    signal,
    onProbe,
  } = options;
  const action = `Cannot ping ${formatEndpoint(options)}`;
  checkRange(POSITIVE_INTEGER, { action, options: { size } });
  checkRange(POSITIVE_INTEGER_OR_INFINITY, { action, options: { count } });
  checkRange(NON_NEGATIVE, { action, options: { interval } });
  const times = new Histogram();
  const underWay = `Cannot connect to ${
    formatEndpoint(options)
  }: connection attempt under way`;
  let sent = 0;
  const dial = (wait: number) => connect({ ...options, timeout, wait });
  using prober = new Prober({
    size,
    timeout,
    action,
    dial: () => dial(0),
    signal,
  });

  function report(probe: Probe): void {
    sent++;
    if (probe.rtt !== undefined) times.record(probe.rtt);
    notify(onProbe, probe);
  }

  let start = performance.now();
  try {
    if (wait > 0) await prober.connect(() => dial(wait));
    start = performance.now();
    for (let due = start; sent < count && !signal?.aborted;) {
      const probe = await prober.probe(sent + 1);
      // A probe in flight when the run is aborted counts neither as sent nor lost.
      if (signal?.aborted) break;
      report(probe);
      let lost = probesCovered(prober.failedAt - due, interval);
      for (; lost > 0 && sent < count && !signal?.aborted; lost--) {
        const error = new ConnectError(underWay, { cause: probe.error });
        report({ seq: sent + 1, size, error });
        due += interval;
      }
      if (sent === count) break;
      due = Math.max(due + interval, performance.now());
      await sleep(Math.max(0, due - performance.now()), signal);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  const received = times.count;
  return {
    sent,
    received,
    loss: sent === 0 ? 0 : 1 - received / sent,
    duration: performance.now() - start,
    rtt: times.summary(),
  };
}
