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

/**
 * The faults of a connection. All of them combine. Bytes and random choices count
 * from when the faults were set on the connection.
 */
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
  /**
   * Bytes after which nothing more is sent. The connection stays open. Up to 1 MiB
   * is held back, and sent when the faults are changed.
   */
  stall?: number | undefined;
  /**
   * Bytes after which the connection is reset, as soon as there is one byte more to
   * send. Unread data makes the close a reset (RFC 2525, section 2.17). If all was
   * read, the peer's next byte is answered with a reset.
   */
  reset?: number | undefined;
  /** Like `limitData`, but this many milliseconds after the connection was accepted. */
  closeAfter?: number | undefined;
  /** Like `stall`, but this many milliseconds after the connection was accepted. */
  stallAfter?: number | undefined;
  /** Resets the connection this many milliseconds after it was accepted. */
  resetAfter?: number | undefined;
  /** Milliseconds by which the end of input is passed on later. */
  slowClose?: number | undefined;
  /** Milliseconds before the first byte flows in either direction. */
  connectDelay?: number | undefined;
  /** The probability with which each byte is changed, from 0 to 1. */
  corrupt?: number | undefined;
  /** Closes each connection as soon as it is accepted. */
  closeOnAccept?: boolean | undefined;
  /**
   * An outage: closes each connection as soon as it is accepted, and at once those
   * that are open.
   */
  down?: boolean | undefined;
  /** Closes the port, so that clients are refused. Open connections stay. */
  refuse?: boolean | undefined;
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
  /** Connections that were closed after a time. */
  closeAfter?: number;
  /** Connections that stalled after a time. */
  stallAfter?: number;
  /** Connections that were reset after a time. */
  resetAfter?: number;
  /** Connections that were closed when they were accepted. */
  closeOnAccept?: number;
  /** Connections that were closed by an outage. */
  down?: number;
}

/**
 * Faults for each direction of a proxy's connections. `downstream` is what flows to
 * the client, and `upstream` what flows to the upstream.
 */
export interface DirectedFaults {
  /** Faults in what the client receives. */
  downstream?: Faults | undefined;
  /** Faults in what the upstream receives. */
  upstream?: Faults | undefined;
}

/** A direction in which faults are injected. */
export type Direction = keyof DirectedFaults;

/** The faults by direction. Plain faults are those of what the client receives. */
export function directed(
  faults: Faults | DirectedFaults | undefined,
): DirectedFaults {
  if (!faults) return {};
  return "downstream" in faults || "upstream" in faults
    ? faults
    : { downstream: faults as Faults };
}

/** @throws {RangeError} that names the fault whose value is out of range. */
export function checkFaults(faults: Faults): void {
  const action = "Cannot inject faults";
  const { bandwidth, slicer, limitData, stall, reset, seed } = faults;
  const { latency, jitter, slicerDelay, corrupt, toxicity } = faults;
  const { closeAfter, stallAfter, resetAfter } = faults;
  checkRange(POSITIVE_INTEGER, { action, options: { bandwidth, slicer } });
  checkRange(NON_NEGATIVE_INTEGER, {
    action,
    options: { limitData, stall, reset, seed },
  });
  checkRange(DELAY, {
    action,
    options: {
      ...{ latency, jitter, slicerDelay },
      ...{ closeAfter, stallAfter, resetAfter },
    },
  });
  checkRange(FRACTION, { action, options: { corrupt, toxicity } });
}
