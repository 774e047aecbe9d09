/**
 * Many connections that send messages for a while, each echo verified and timed:
 * what a server takes, and how long it lets wait.
 *
 * Without a rate each connection keeps one message in flight, so a server that
 * stalls is also sent less. With one, messages are due on a schedule, whatever
 * the server does, and one that had to wait for the echo before it counts from
 * when it was due: a stalled server cannot hide ("coordinated omission", Gil
 * Tene, "How NOT to Measure Latency", 2015).
 *
 * ```ts
 * import { load } from "./load.ts";
 * const { messagesPerSecond, latency } = await load({ duration: 2000 });
 * ```
 *
 * @module
 */

import {
  DEFAULT_CONNECTIONS,
  DEFAULT_DURATION_MS,
  DEFAULT_MESSAGE_SIZE,
  DEFAULT_TIMEOUT_MS,
} from "./defaults.ts";
import type { LoadOptions, LoadSummary } from "./load_options.ts";
import { LoadRun } from "./load_run.ts";
import { place } from "./place.ts";
import { POSITIVE, refuseOutside, WHOLE } from "./ranges.ts";

export type * from "./load_options.ts";

/**
 * Loads a server. Errors after the start are counted by kind, and the connection
 * is replaced.
 *
 * @throws {RangeError} if an option is out of its range.
 * @throws what `connect` throws if a connection cannot be made at the start.
 */
export async function load(options: LoadOptions = {}): Promise<LoadSummary> {
  const {
    connections = DEFAULT_CONNECTIONS,
    count = Infinity,
    duration = count === Infinity ? DEFAULT_DURATION_MS : Infinity,
    size = DEFAULT_MESSAGE_SIZE,
    timeout = DEFAULT_TIMEOUT_MS,
    rate,
  } = options;
  const attempt = `Cannot load ${place(options)}`;
  refuseOutside(WHOLE, {
    attempt,
    options: { connections, count: options.count, size },
  });
  refuseOutside(POSITIVE, { attempt, options: { duration, rate } });
  const settings = { ...options, connections, count, duration, size, timeout };
  return await new LoadRun(settings).run();
}
