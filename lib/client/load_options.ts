/**
 * The options and the results of a load run. `lib/load.ts` exports these types.
 *
 * @module
 */

import type { ConnectOptions } from "../net/options.ts";
import type { Bucket, LatencySummary } from "../stats/histogram.ts";

export type { Bucket, LatencySummary };

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
  /** Number of messages to send, over all connections. */
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
  /** Ends the run early. The result covers what was done until then. */
  signal?: AbortSignal | undefined;
  /**
   * Called when all connections are made, before the first message is sent. What
   * it throws goes to `reportError()`.
   */
  onStart?: (() => void) | undefined;
  /**
   * Called once a second, and for the rest at the end. What it throws goes to
   * `reportError()`.
   */
  onInterval?: ((interval: LoadInterval) => void) | undefined;
}

/** The figures of one second, or of the rest at the end of a run. */
export interface LoadInterval {
  /** Milliseconds from the start of the run to the end of the interval. */
  elapsed: number;
  /** Messages whose echo came back in the interval. */
  messages: number;
  /** The same, per second. */
  messagesPerSecond: number;
  /** Errors in the interval. */
  errors: number;
}

/** The result of a load run. Latencies are in milliseconds. */
export interface LoadSummary {
  /** Number of connections. */
  connections: number;
  /** Bytes of a message. */
  size: number;
  /**
   * Milliseconds during which messages were sent: the `duration` asked for, or the
   * time until the run was aborted. In a run with a `count`, the time from the first
   * message to the last echo.
   */
  duration: number;
  /** Messages whose whole echo came back. */
  messages: number;
  /** Messages whose echo came back within `duration`, per second. */
  messagesPerSecond: number;
  /** The bytes of these messages per second, in each direction. */
  bytesPerSecond: number;
  /** Errors by kind, such as `timeout`, `mismatch` or `unexpectedEof`. */
  errors: Record<string, number>;
  /** The message of the first error of each kind. */
  firstErrors: Record<string, string>;
  /**
   * From the moment a message was sent to the last byte of its echo. With a rate, a
   * message that had to wait for the echo before it counts from when it was due.
   */
  latency: LatencySummary;
  /** The latencies as a histogram. Each bucket is about 1.4 times the last. */
  buckets: Bucket[];
  /** Jain's fairness index of the messages per connection; 1 if all are equal. */
  fairness: number;
  /** Connections that got no echo at all. */
  starved: number;
  /**
   * Connections that the server closed while no message was in flight, and that
   * were replaced. Only a run with a rate replaces them.
   */
  reconnects: number;
  /**
   * Messages whose echo came back after `duration`. They are included in `messages`
   * and in `latency`.
   */
  late: number;
  /**
   * Messages without an echo at the end of the run. After `duration`, echoes have
   * 2 s, or twice the longest round trip if that is longer, but at most `timeout`.
   * They are not included in `messages` or `errors`.
   */
  unanswered: number;
  /**
   * The longest delay in milliseconds by which this client sent a message too late.
   * It is in no latency. If it exceeds a few milliseconds, the client could not keep
   * the rate.
   */
  maxLag: number;
  /**
   * Scheduled messages that were never sent, because their connections waited for
   * echoes, or because this client was too slow. They are in no latency.
   */
  dropped: number;
}
