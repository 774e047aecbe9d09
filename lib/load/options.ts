/**
 * The options of a load run. `lib/load.ts` exports them.
 *
 * @module
 */

import type { ConnectOptions } from "../net/options.ts";
import type { Interval, LoadSummary } from "../stats/summaries.ts";

/** A run that is under way. */
export interface LoadProgress {
  /** The figures so far. Messages in flight are `unanswered`. */
  summary(): LoadSummary;
}

/** The options of a load run. */
export interface LoadOptions extends ConnectOptions {
  /**
   * Number of connections. All of them are made before the run starts.
   * @default {50}
   */
  connections?: number | undefined;
  /**
   * Milliseconds during which messages are sent.
   * @default {10000} unless there is a `count`
   */
  duration?: number | undefined;
  /**
   * Milliseconds of load before `duration` or `count` begins. The messages that are
   * sent or due until then are verified, and are in no figure. Errors always count,
   * and so do messages that are in flight until the end of the run.
   * @default {1000} or 0 if there is a `count`
   */
  warmup?: number | undefined;
  /**
   * Number of messages to send after the warm-up, over all connections. Without a
   * `duration`, the run ends early if there has been no connection for `timeout`.
   */
  count?: number | undefined;
  /**
   * Bytes of a message.
   * @default {512}
   */
  size?: number | undefined;
  /**
   * Messages per second, over all connections, at most 10 millions. Without a rate,
   * each connection sends its next message as soon as the echo of the last one is
   * complete.
   */
  rate?: number | undefined;
  /**
   * Messages per connection. After as many, the client closes the connection and
   * makes a new one. Without this, a connection lasts until the end of the run.
   */
  reconnect?: number | undefined;
  /**
   * Ends the run early. The result covers what was done until then. Messages in
   * flight have 100 ms to come back, or twice the longest round trip up to 2 s.
   */
  signal?: AbortSignal | undefined;
  /**
   * Called when all connections are made, before the first message is sent. What
   * it throws goes to `reportError()`.
   */
  onStart?: ((run: LoadProgress) => void) | undefined;
  /**
   * Called once a second after the warm-up, and for the rest at the end. Messages
   * that have not come back yet are `missing` in it. What it throws goes to
   * `reportError()`.
   */
  onInterval?: ((interval: Interval) => void) | undefined;
}
