/**
 * What a load run takes and what it tells. Types only; `lib/load.ts` is where to
 * get them from.
 *
 * @module
 */

import type { ConnectOptions } from "./echo.ts";
import type { Bucket, Latency } from "./histogram.ts";

export type { Bucket, Latency };

/** What to send, and for how long. */
export interface LoadOptions extends ConnectOptions {
  /**
   * Connections, all made before the run begins.
   * @default {50}
   */
  connections?: number | undefined;
  /**
   * Milliseconds to send for; 10 s unless there is a `count`.
   */
  duration?: number | undefined;
  /** Messages to send, over all connections. */
  count?: number | undefined;
  /**
   * Bytes of a message.
   * @default {512}
   */
  size?: number | undefined;
  /**
   * Messages a second, over all connections; without it, each sends its next
   * message as soon as the last one has come back.
   */
  rate?: number | undefined;
  /** Ends it early; what was done by then is the result. */
  signal?: AbortSignal | undefined;
  /**
   * Called when all connections are there, before the first message. What it
   * throws goes to `reportError()`.
   */
  onStart?: (() => void) | undefined;
  /** Called once a second. What it throws goes to `reportError()`. */
  onSecond?: ((second: LoadSecond) => void) | undefined;
}

/** What happened within a second. */
export interface LoadSecond {
  /** Milliseconds since the run began. */
  elapsed: number;
  /** Messages that came back in this second. */
  messages: number;
  /** Of them, per second, by the clock. */
  messagesPerSecond: number;
  /** Errors in this second. */
  errors: number;
}

/** What a run came to. */
export interface LoadSummary {
  /** Connections that were to be kept. */
  connections: number;
  /** Bytes of a message. */
  size: number;
  /**
   * Milliseconds in which messages were sent: the `duration` asked for, or the
   * time until the signal was aborted; in a run that ends with its `count`, the
   * time from the first message to the last echo.
   */
  duration: number;
  /** Messages that came back whole. */
  messages: number;
  /** Of them, those that came back within `duration`, per second. */
  messagesPerSecond: number;
  /** Bytes a second in each direction. */
  bytesPerSecond: number;
  /** Errors by kind, such as `timed out` or `differs`. */
  errors: Record<string, number>;
  /** What the first error of each kind said. */
  firstErrors: Record<string, string>;
  /** From when a message was sent, or due and kept waiting, to its last byte. */
  latency: Latency;
  /** Latencies by size, each bucket about 1.4 times the one before. */
  buckets: Bucket[];
  /** Jain's index of how evenly the connections were served; 1: all alike. */
  fairness: number;
  /** Connections that got no reply at all. */
  starved: number;
  /**
   * Connections that the server closed while no message was under way, and that
   * were replaced; with a rate only. A message that had to wait for the new one
   * counts from when it was due.
   */
  reconnects: number;
  /**
   * Messages that were in flight at the end of `duration` and came back after it.
   * They are among `messages` and in `latency`.
   */
  late: number;
  /**
   * Messages that were in flight at the end of `duration` and did not come back
   * within 2 s, or twice the longest round trip if that is more, or `timeout` if
   * that is less. They are neither among `messages` nor among `errors`.
   */
  unanswered: number;
  /**
   * Milliseconds that this program sent a message later than a punctual one would
   * have, at most. They are in no latency. Above a few, it could not keep the rate
   * itself.
   */
  slip: number;
  /**
   * Messages that were due and never sent, because their connections waited for
   * echoes to the end, or because this program was too slow. No latency has them.
   */
  unsent: number;
}
