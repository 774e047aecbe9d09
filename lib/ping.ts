/**
 * Round trips over one connection, one at a time, at an interval: what ping(8)
 * does with ICMP, for an echo server. A probe that is lost costs the connection,
 * since its echo could come yet, and a new one is made. A connection that ended
 * between two probes is replaced without a loss.
 *
 * ```ts
 * import { ping } from "./ping.ts";
 * const { received, rtt } = await ping({ count: 3, interval: 100 });
 * ```
 *
 * @module
 */

import { ConnectError, type ConnectOptions } from "./echo.ts";
import { Histogram, type Latency } from "./histogram.ts";
import { notify } from "./notify.ts";
import { place } from "./place.ts";
import { type Probe, Prober } from "./prober.ts";
import { NOT_NEGATIVE, refuseOutside, WHOLE } from "./ranges.ts";
import { delay } from "./timeout.ts";

export type { Latency, Probe };

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

/** Intervals below the resolution of timers are no schedule to keep; in ms. */
const SHORTEST_INTERVAL_MS = 1;

/** How many whole intervals an attempt covers, beside its own probe's. */
function covered(took: number, interval: number): number {
  if (interval < SHORTEST_INTERVAL_MS) return 0;
  return Math.max(0, Math.floor(took / interval) - 1);
}

/**
 * Sends probes until there were `count` of them or the signal is aborted. Lost
 * probes are counted, not thrown. A probe that needs a connection tries to make
 * one when it is due. If an attempt fails after more than the interval, the probes
 * whose whole interval it covered are lost, too. A slow echo, or an attempt that
 * succeeds late, delays the probes after it.
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
  const times = new Histogram();
  const underWay = `Cannot connect to ${
    place(options)
  }: connection attempt under way`;
  let sent = 0;
  using prober = new Prober({ ...options, size, timeout });

  function report(probe: Probe): void {
    sent++;
    if (probe.rtt !== undefined) times.record(probe.rtt);
    notify(onProbe, probe);
  }

  let start = performance.now();
  try {
    if (options.wait) await prober.connect(options.wait);
    start = performance.now();
    for (let due = start; sent < count && !signal?.aborted;) {
      const probe = await prober.probe(sent + 1);
      // Neither sent nor lost: the user ended it while it was under way.
      if (signal?.aborted) break;
      report(probe);
      let lost = covered(prober.failedAt - due, interval);
      for (; lost > 0 && sent < count && !signal?.aborted; lost--) {
        const error = new ConnectError(underWay, { cause: probe.error });
        report({ seq: sent + 1, size, error });
        due += interval;
      }
      if (sent === count) break;
      due = Math.max(due + interval, performance.now());
      await delay(Math.max(0, due - performance.now()), signal && { signal });
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
    rtt: times.figures(),
  };
}
