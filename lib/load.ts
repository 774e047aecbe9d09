/**
 * Load tests: many connections send messages for a while. Every echo is verified
 * and timed.
 *
 * Without a rate, each connection keeps one message in flight, so a server that
 * stalls also gets less load. With a rate, messages are due on a schedule, whatever
 * the server does. A message that had to wait for the echo before it is timed from
 * when it was due, so a stalled server cannot hide ("coordinated omission", Gil
 * Tene, "How NOT to Measure Latency", 2015).
 *
 * ```ts
 * import { load } from "./load.ts";
 *
 * const { receivedPerSecond, latency } = await load({ duration: 2000 });
 * console.log(receivedPerSecond, latency.p99);
 * ```
 *
 * @module
 */

import { connect, ConnectError } from "./echo.ts";
import type { LoadOptions, LoadProgress } from "./load/options.ts";
import { LoadRun } from "./load/run.ts";
import {
  DEFAULT_CONNECTIONS,
  DEFAULT_DURATION_MS,
  DEFAULT_MESSAGE_SIZE,
  DEFAULT_TIMEOUT_MS,
  DEFAULT_WARMUP_MS,
} from "./net/defaults.ts";
import { formatEndpoint } from "./net/endpoint.ts";
import { portsUsedUp } from "./net/system_error.ts";
import {
  checkRange,
  DELAY,
  numbers,
  POSITIVE,
  POSITIVE_INTEGER,
  type Range,
} from "./net/validate.ts";
import type { LoadSummary } from "./stats/summaries.ts";

export type { LoadOptions, LoadProgress };
export type { Bucket, Histogram, HistogramJson } from "./stats/histogram.ts";
export type { Bounds, Latencies } from "./stats/latencies.ts";
export type * from "./stats/summaries.ts";

/** A message takes a core some microseconds, so that none reaches more. */
const RATE: Range = numbers(
  "more than 0 and at most 10,000,000 messages a second",
  (value) => value > 0 && value <= 1e7,
);

/** Said where all files are in use: one per connection, and some of Deno's own. */
function filesUsedUp(error: unknown, connections: number): string | undefined {
  if (!/too many open files/i.test(String(error))) return undefined;
  return `the limit of open files (ulimit -n) is too low for ${connections} ` +
    `connections: raise it to ${connections + DENO_FILES} or more`;
}

/** Files that Deno needs for itself, generously. */
const DENO_FILES = 64;

/**
 * Runs a load test. Errors after the start are counted by kind, and the connection
 * is replaced.
 *
 * @throws {RangeError} if an option is out of range.
 * @throws the error of `connect` if a connection cannot be made at the start.
 */
export async function load(options: LoadOptions = {}): Promise<LoadSummary> {
  const {
    connections = DEFAULT_CONNECTIONS,
    count = Infinity,
    warmup = count === Infinity ? DEFAULT_WARMUP_MS : 0,
    duration = count === Infinity ? DEFAULT_DURATION_MS : Infinity,
    size = DEFAULT_MESSAGE_SIZE,
    timeout = DEFAULT_TIMEOUT_MS,
    rate,
    reconnect,
  } = options;
  const action = `Cannot load ${formatEndpoint(options)}`;
  checkRange(POSITIVE_INTEGER, {
    action,
    options: { connections, count: options.count, size, reconnect },
  });
  checkRange(POSITIVE, { action, options: { duration } });
  checkRange(RATE, { action, options: { rate } });
  checkRange(DELAY, { action, options: { warmup } });
  let connected = false;
  async function dial(signal?: AbortSignal): Promise<Deno.Conn> {
    try {
      const conn = await connect({
        ...options,
        timeout,
        ...signal && { wait: 0, signal },
      });
      connected = true;
      return conn;
    } catch (error) {
      // Without an earlier success, the address itself may be the reason.
      const reason = filesUsedUp(error, connections) ??
        (connected ? portsUsedUp(error) : undefined);
      throw reason
        ? new ConnectError(`${action}: ${reason}`, { cause: error })
        : error;
    }
  }
  const run = new LoadRun({
    ...options,
    connections,
    count,
    duration,
    size,
    timeout,
    warmup,
    action,
    dial,
  });
  return await run.run();
}
