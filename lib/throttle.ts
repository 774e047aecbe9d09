/**
 * Decides when bytes may be sent at a limited rate. It knows no connection and
 * reads no clock: it is told the time, in milliseconds.
 *
 * A timer fires late, and a link that is busy would lose that time each time.
 * So sending follows a schedule: what one chunk is late, the next ones make up
 * for. Time in which nothing was to be sent is not made up for.
 *
 * ```ts
 * import { Throttle } from "./throttle.ts";
 * const throttle = new Throttle(1_000_000); // bytes per second
 * const wait = throttle.reserve(20_000, performance.now()); // 20 ms
 * // after that time:
 * throttle.sent(performance.now());
 * ```
 *
 * @module
 */

/**
 * Chunks per second: a chunk takes 20 ms, many times the 1 ms that timers are
 * accurate to, and the data still flows evenly.
 */
const CHUNKS_PER_SECOND = 50;

/**
 * Milliseconds between two chunks up to which the link counts as busy in
 * between: longer than it takes to read the next data of a stream.
 */
const BUSY_GAP_MS = 10;

/**
 * The most that is made up for, in milliseconds. It bounds the burst after the
 * process was held up, and is longer than a timer oversleeps on a busy machine.
 */
const MAX_LAG_MS = 100;

/** The schedule of one link. */
export class Throttle {
  /** Bytes to send at a time, at most. */
  readonly chunkSize: number;
  readonly #bytesPerMs: number;
  // When the last byte of the schedule is due.
  #busyUntil = 0;
  #sentAt = -Infinity;

  /** A link that has been idle so far. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.chunkSize = Math.max(
      1,
      Math.floor(bytesPerSecond / CHUNKS_PER_SECOND),
    );
  }

  /**
   * Puts a chunk on the schedule. Returns the milliseconds to wait before it is
   * sent: it arrives when its last byte has passed the link.
   */
  reserve(bytes: number, now: number): number {
    const busy = now - this.#sentAt <= BUSY_GAP_MS;
    const start = busy ? Math.max(this.#busyUntil, now - MAX_LAG_MS) : now;
    this.#busyUntil = start + bytes / this.#bytesPerMs;
    return Math.max(0, this.#busyUntil - now);
  }

  /** Tells that the chunk is being sent, on time or late. */
  sent(now: number): void {
    this.#sentAt = now;
  }
}
