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
  /** Milliseconds from the first message to the end. */
  duration: number;
  /** Messages that came back whole. */
  messages: number;
  /** Of them, per second. */
  messagesPerSecond: number;
  /** Bytes a second in each direction. */
  bytesPerSecond: number;
  /** Errors by kind, such as `timed out` or `differs`. */
  errors: Record<string, number>;
  /** From when a message was sent, or due and kept waiting, to its last byte. */
  latency: Latency;
  /** Latencies by size, each bucket about 1.4 times the one before. */
  buckets: Bucket[];
  /** Jain's index of how evenly the connections were served; 1: all alike. */
  fairness: number;
  /** Connections that got no reply at all. */
  starved: number;
  /**
   * Milliseconds that this program was late with a message whose connection was
   * free, at most; above a few, it could not keep the rate itself.
   */
  slip: number;
  /**
   * Messages that were due and never sent, because their connections waited for
   * echoes to the end, or because this program was too slow. No latency has them.
   */
  unsent: number;
}
