/**
 * The faults that a server injects, for tests of how a client handles a bad
 * network. The names are those of toxiproxy where it has one.
 *
 * ```sh
 * deno task server --latency 100ms --jitter 20ms
 * deno task server --corrupt 0.001 --seed 7 --verbose
 * ```
 *
 * @module
 */

import {
  checkRange,
  DELAY,
  FRACTION,
  NON_NEGATIVE_INTEGER,
  POSITIVE_INTEGER,
} from "./validate.ts";

/** The faults of a connection. All of them combine. */
export interface Faults {
  /** Milliseconds by which each chunk is delayed, in order. */
  latency?: number | undefined;
  /** Milliseconds by which the latency varies up and down, evenly distributed. */
  jitter?: number | undefined;
  /** Bytes per second. */
  bandwidth?: number | undefined;
  /** Bytes of a slice: larger chunks are sent in slices. */
  slicer?: number | undefined;
  /** Milliseconds between two slices. */
  slicerDelay?: number | undefined;
  /** Bytes after which the connection is closed. */
  limitData?: number | undefined;
  /** Bytes after which nothing more is sent. The connection stays open. */
  stall?: number | undefined;
  /**
   * Bytes after which the connection is reset, as soon as the client has sent one
   * byte more. Unread data makes the close a reset (RFC 2525, section 2.17).
   */
  reset?: number | undefined;
  /** The probability with which each byte is changed, from 0 to 1. */
  corrupt?: number | undefined;
  /** Closes each connection as soon as it is accepted. */
  closeOnAccept?: boolean | undefined;
  /**
   * The share of connections that get the faults, from 0 to 1.
   * @default {1}
   */
  toxicity?: number | undefined;
  /**
   * Makes random choices repeat: the same seed changes the same bytes of the same
   * connection. A whole number from 0 to 2^53 - 1.
   */
  seed?: number | undefined;
}

/** How often each fault took effect. A fault that never did has no key. */
export interface FaultCounts {
  /** Chunks that were delayed, by `latency` or `jitter`. */
  latency?: number;
  /** Bytes that were sent at the limited rate. */
  bandwidth?: number;
  /** Slices that were sent. */
  slicer?: number;
  /** Connections that were closed. */
  limitData?: number;
  /** Connections that stalled. */
  stall?: number;
  /** Connections that were reset. */
  reset?: number;
  /** Bytes that were changed. */
  corrupt?: number;
  /** Connections that were closed when they were accepted. */
  closeOnAccept?: number;
}

/** @throws {RangeError} that names the fault whose value is out of range. */
export function checkFaults(faults: Faults): void {
  const action = "Cannot inject faults";
  const { bandwidth, slicer, limitData, stall, reset, seed } = faults;
  const { latency, jitter, slicerDelay, corrupt, toxicity } = faults;
  checkRange(POSITIVE_INTEGER, { action, options: { bandwidth, slicer } });
  checkRange(NON_NEGATIVE_INTEGER, {
    action,
    options: { limitData, stall, reset, seed },
  });
  checkRange(DELAY, { action, options: { latency, jitter, slicerDelay } });
  checkRange(FRACTION, { action, options: { corrupt, toxicity } });
}
