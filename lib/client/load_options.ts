/**
 * The options of a load run. `lib/load.ts` exports them.
 *
 * @module
 */

import type { ConnectOptions } from "../net/options.ts";
import type { Interval } from "../stats/interval.ts";

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
   * and so do messages that are unanswered at the end.
   * @default {1000} or 0 if there is a `count`
   */
  warmup?: number | undefined;
  /** Number of messages to send after the warm-up, over all connections. */
  count?: number | undefined;
  /**
   * Bytes of a message.
   * @default {512}
   */
  size?: number | undefined;
  /**
   * Messages per second, over all connections. Without a rate, each connection
   * sends its next message as soon as the echo of the last one is complete.
   */
  rate?: number | undefined;
  /**
   * Messages per connection. After as many, the client closes the connection and
   * makes a new one. Without this, a connection lasts until the end of the run.
   */
  reconnect?: number | undefined;
  /** Ends the run early. The result covers what was done until then. */
  signal?: AbortSignal | undefined;
  /**
   * Called when all connections are made, before the first message is sent. What
   * it throws goes to `reportError()`.
   */
  onStart?: (() => void) | undefined;
  /**
   * Called once a second after the warm-up, and for the rest at the end. What it
   * throws goes to `reportError()`.
   */
  onInterval?: ((interval: Interval) => void) | undefined;
}
