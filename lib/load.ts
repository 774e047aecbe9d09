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
 * const { messagesPerSecond, latency } = await load({ duration: 2000 });
 * console.log(messagesPerSecond, latency.p99);
 * ```
 *
 * @module
 */

import type { LoadOptions } from "./client/load_options.ts";
import { LoadRun } from "./client/load_run.ts";
import { connect, ConnectError } from "./echo.ts";
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
  POSITIVE,
  POSITIVE_INTEGER,
} from "./net/validate.ts";
import type { ConnectSummary, LoadSummary } from "./stats/summaries.ts";

export type { LoadOptions } from "./client/load_options.ts";
export type { Bucket, LatencySummary, Percentile } from "./stats/histogram.ts";
export type { Interval as LoadInterval } from "./stats/interval.ts";
export type { ConnectSummary, LoadSummary };

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
  checkRange(POSITIVE, { action, options: { duration, rate } });
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
      const reason = connected && portsUsedUp(error);
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
