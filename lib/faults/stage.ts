/**
 * A fault is a stage: it takes the chunks of a stream in order, and passes them on
 * later, smaller, changed, or not at all. The end of the stream is a chunk too, so no
 * fault can pass it before the bytes in front of it. A stage knows nothing of the
 * others, so they combine in any number.
 *
 * @module
 */

import type { FaultName, Faults } from "../net/fault_options.ts";

/** How a stream ends. */
export interface End {
  /**
   * - `eof`: it is complete. TLS says so with close_notify (RFC 8446, section 6.1).
   * - `truncated`: it ends here, complete or not. The peer gets a FIN.
   * - `reset`: the peer gets a TCP reset.
   */
  readonly kind: "eof" | "truncated" | "reset";
  /** The error of the source, if that is why it ends. */
  readonly error?: unknown;
  /** The fault that ends it, if one does. */
  readonly fault?: FaultName;
}

/** A part of a stream. */
export interface Chunk {
  /** When it came, as `performance.now()` has it. */
  readonly at: number;
  /** Its bytes, which nobody else uses. Empty if it is the end. */
  readonly bytes: Uint8Array;
  /** Set in the last chunk. */
  readonly end?: End;
}

/** What a stage knows of the link that it is on. */
export interface StageContext {
  /** The options of the fault, and of those that were set together with it. */
  readonly faults: Faults;
  /** When times begin to count: at the accept, or when the faults were set. */
  readonly since: number;
  /** Whether the faults were replaced: what is left passes unchanged. */
  readonly released: boolean;
  /** Waits for a time. Ends at once when the faults are replaced. */
  until(time: number): Promise<void>;
  /** Ends the stream at once: what the stages hold is dropped. */
  end(end: End): void;
  /** Calls back at a time, unless the faults are replaced before. */
  at(time: number, callback: () => void): void;
  /** A random number generator that repeats with the seed, one per purpose. */
  random(purpose: number): () => number;
  /** Counts that a fault took effect. */
  count(fault: FaultName, by?: number): void;
}

/** Passes the chunks of a stream on, with a fault. */
export type Stage = (
  chunks: AsyncIterable<Chunk>,
  context: StageContext,
) => AsyncIterable<Chunk>;
