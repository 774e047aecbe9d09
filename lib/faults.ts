/**
 * What a server can be asked to do to its clients on purpose, for those who test
 * how a client takes a bad network. The names are toxiproxy's where it has one.
 * `lib/misbehave.ts` does it.
 *
 * ```sh
 * deno task server --latency 100ms --jitter 20ms
 * deno task server --corrupt 0.001 --seed 7 --verbose
 * ```
 *
 * @module
 */

import { refuseOutside, SEED, SHARE, WHOLE, WHOLE_OR_NONE } from "./ranges.ts";
import { MAX_DELAY_MS } from "./values.ts";

/** What to do to connections. All of it combines. */
export interface Faults {
  /** Milliseconds that each piece comes later, in order. */
  latency?: number | undefined;
  /** Milliseconds that the latency varies by, up and down, evenly. */
  jitter?: number | undefined;
  /** Bytes a second. */
  bandwidth?: number | undefined;
  /** Sends pieces of at most so many bytes. */
  slicer?: number | undefined;
  /** Milliseconds between such pieces. */
  slicerDelay?: number | undefined;
  /** Closes after so many bytes. */
  limitData?: number | undefined;
  /** Goes silent after so many bytes, and keeps the connection open. */
  stall?: number | undefined;
  /**
   * Resets after so many bytes, once the client has sent more than that: what
   * it sent and nobody read makes the close a reset.
   */
  reset?: number | undefined;
  /** Changes each byte with this probability, 0 to 1. */
  corrupt?: number | undefined;
  /** Closes at once. */
  refuse?: boolean | undefined;
  /**
   * The share of connections that this is done to, 0 to 1.
   * @default {1}
   */
  toxicity?: number | undefined;
  /** Makes chance repeat: same seed, same connection, same bytes changed. */
  seed?: number | undefined;
}

/** How often each fault took effect; those that never did are left out. */
export interface FaultCounts {
  /** Pieces that were delayed, by `latency` or `jitter`. */
  latency?: number;
  /** Bytes that were sent under the limit. */
  bandwidth?: number;
  /** Pieces that were sent. */
  slicer?: number;
  /** Connections that were closed. */
  limitData?: number;
  /** Connections that went silent. */
  stall?: number;
  /** Connections that were reset. */
  reset?: number;
  /** Bytes that were changed. */
  corrupt?: number;
  /** Connections that were closed at once. */
  refuse?: number;
}

/** @throws {RangeError} that names the fault whose value is out of range. */
export function checkFaults(faults: Faults): void {
  const attempt = "Cannot misbehave";
  const { bandwidth, slicer, limitData, stall, reset, seed } = faults;
  const { latency, jitter, slicerDelay, corrupt, toxicity } = faults;
  refuseOutside(WHOLE, { attempt, options: { bandwidth, slicer } });
  refuseOutside(WHOLE_OR_NONE, {
    attempt,
    options: { limitData, stall, reset },
  });
  refuseOutside(SEED, { attempt, options: { seed } });
  refuseOutside({
    fits: (value) => value >= 0 && value <= MAX_DELAY_MS,
    expected: "0 or more milliseconds",
  }, { attempt, options: { latency, jitter, slicerDelay } });
  refuseOutside(SHARE, { attempt, options: { corrupt, toxicity } });
}
