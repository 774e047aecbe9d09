/**
 * A fault is a stage on the write path of a connection. It receives chunks in
 * order and passes them on later, smaller, changed, or not at all. A stage knows
 * the next stage and nothing else, so stages combine in any number.
 *
 * ```ts
 * import type { Stage } from "./stage.ts";
 *
 * const upperCase: Stage = (next) => ({
 *   write: (chunk) => next.write(chunk.map((byte) => byte & 0xdf)),
 * });
 * ```
 *
 * @module
 */

import type { FaultCounts, Faults } from "../net/fault_options.ts";

/** Receives the chunks that are written to a connection. */
export interface Sink {
  /**
   * Passes a chunk on. The caller may reuse the chunk's memory, and write the
   * next chunk, when this resolves.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Resolves when every chunk so far has been passed on. Only a stage that holds
   * chunks after `write` has resolved needs it.
   */
  flush?(): Promise<void>;
}

/** The faults that end a connection: `close` after the others' bytes, or `reset`. */
export type EndingFault = "limitData" | "closeAfter" | "reset" | "resetAfter";

/** What the stages of one connection share. */
export interface StageContext {
  readonly faults: Faults;
  /** When the connection was accepted, as `performance.now()` has it. */
  readonly acceptedAt: number;
  /** Aborted when the connection is closed, or by `fail`. */
  readonly signal: AbortSignal;
  /**
   * Waits for `ms` milliseconds, or until the faults are replaced or end the
   * connection if that is earlier. Then stages pass on what they hold, without
   * further pauses.
   *
   * @throws the signal's reason when the signal is aborted.
   */
  pause(ms: number): Promise<void>;
  /** Calls back after `ms` milliseconds, unless the faults are replaced before. */
  after(ms: number, callback: () => void): void;
  /** A random number generator that repeats with the seed, one per purpose. */
  random(purpose: number): () => number;
  /** Counts that a fault took effect. */
  count(fault: keyof FaultCounts, by?: number): void;
  /** Ends the connection as the fault says. Does nothing if it has ended. */
  end(fault: EndingFault): Promise<void>;
  /** Whether a fault has ended the connection: what follows is discarded. */
  ended(): boolean;
  /** Whether the faults were replaced: what follows is passed on unchanged. */
  released(): boolean;
  /** Makes later writes fail because a chunk could not be passed on. */
  fail(error: unknown): void;
}

/** Makes the stage of one connection, or returns `next` if its fault is off. */
export type Stage = (next: Sink, context: StageContext) => Sink;

/** Bytes that a stage may hold in memory for one connection. */
export const MAX_QUEUED = 1024 * 1024;
