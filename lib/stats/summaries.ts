/**
 * What a load run and a ping run come to. Types only; `lib/load.ts` and `lib/ping.ts`
 * export them.
 *
 * @module
 */

import type { Bucket, LatencySummary, Percentile } from "./histogram.ts";
import type { Interval } from "./interval.ts";

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
  intervals: Interval[];
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

/** The result of a ping run. */
export interface PingSummary {
  /** Probes sent. Probes without a connection are included. */
  sent: number;
  /** Probes whose whole echo came back, or whose connection was made. */
  received: number;
  /** The share of lost probes, from 0 to 1. */
  loss: number;
  /** Milliseconds from the first probe to the end. */
  duration: number;
  /** The round-trip times, in milliseconds. */
  rtt: LatencySummary;
  /**
   * The mean absolute difference of successive round-trip times, in milliseconds.
   * Lost probes are skipped.
   */
  jitter: number;
  /** The number of round trips by time. */
  buckets: Bucket[];
  /** The points of the percentile curve, as far as the number of probes allows. */
  percentiles: Percentile[];
  /**
   * The run in intervals of a second; those without a probe are left out. After more
   * than 3,600, neighbours are merged. A merged interval has the highest p50 and the
   * highest p99 of its parts.
   */
  intervals: Interval[];
}
