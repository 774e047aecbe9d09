/**
 * The options and the results of a load run. `lib/load.ts` exports these types.
 *
 * @module
 */

import type { ConnectOptions } from "../net/options.ts";
import type { Bucket, LatencySummary, Percentile } from "../stats/histogram.ts";

export type { Bucket, LatencySummary, Percentile };

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
  onInterval?: ((interval: LoadInterval) => void) | undefined;
}

/**
 * The figures of one second, or of the rest at the end of a run. Latencies are in
 * milliseconds, and 0 if there were no messages.
 */
export interface LoadInterval {
  /** Milliseconds from the end of the warm-up to the end of the interval. */
  elapsed: number;
  /** When the interval ended, as an ISO 8601 string. */
  timestamp: string;
  /** Messages whose echo came back in the interval. */
  messages: number;
  /** The same, per second. */
  messagesPerSecond: number;
  /** Errors in the interval; in the first, also those of the warm-up. */
  errors: number;
  /** Half of the latencies are no longer. */
  p50: number;
  /** 99 % of the latencies are no longer. */
  p99: number;
  /** The longest latency. */
  max: number;
}

/** The times that connecting took, in milliseconds, the TLS handshake included. */
export interface ConnectSummary extends LatencySummary {
  /** Number of connections that were made. */
  count: number;
}

/** The result of a load run. Latencies are in milliseconds. */
export interface LoadSummary {
  /** Number of connections. */
  connections: number;
  /** Bytes of a message. */
  size: number;
  /** The `rate` that was asked for, if any. */
  rate?: number;
  /** Milliseconds of load before the figures. */
  warmup: number;
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
  /**
   * Errors by kind, such as `timeout`, `mismatch` or `unexpectedEof`, those of the
   * warm-up included.
   */
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
  /** The percentile curve, from 0 to 100, as far as the messages support it. */
  percentiles: Percentile[];
  /**
   * What `onInterval` was called with. After more than 3,600 intervals, neighbours
   * are merged. The percentiles of a merged interval are the higher ones of both.
   */
  intervals: LoadInterval[];
  /** Jain's fairness index of the messages per connection; 1 if all are equal. */
  fairness: number;
  /** Connections that got no echo at all. */
  starved: number;
  /**
   * Connections that the server closed while no message was in flight, and that
   * were replaced. Only a run with a rate replaces them.
   */
  reconnects: number;
  /** The connections that were made because of `reconnect`, or after errors. */
  connects?: ConnectSummary;
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
   * Scheduled messages that this client noticed more than 3 ms too late. It may have
   * read echoes as late, and the latencies of those include its delay.
   */
  delayed: number;
  /**
   * Scheduled messages that were never sent, because their connections waited for
   * echoes, or because this client was too slow. They are in no latency.
   */
  dropped: number;
  /**
   * CPU time of this process after the warm-up, as a share of one core, without the
   * time that it spent waiting for the next scheduled message. It may exceed 1. If it
   * is near 1, the client may have been slower than the server.
   */
  cpuUtilization: number;
}
