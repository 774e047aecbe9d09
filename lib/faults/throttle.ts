/**
 * Decides when bytes may be sent at a limited rate. It knows no connection and
 * no clock: its caller passes the time, in milliseconds.
 *
 * Timers fire late. If each chunk waited for its own time, every delay would
 * lower the rate. So chunks follow a schedule: after a late chunk, the next ones
 * wait less. Time in which nothing was to be sent is not saved up.
 *
 * ```ts
 * import { Throttle } from "./throttle.ts";
 *
 * const throttle = new Throttle(1_000_000); // bytes per second
 * const wait = throttle.reserve(20_000, performance.now()); // 20 ms
 * // after that time:
 * throttle.sent(performance.now());
 * ```
 *
 * @module
 */

/**
 * Chunks per second. One takes 20 ms, which is many times the 1 ms that timers
 * are accurate to, and short enough for data to flow evenly.
 */
const CHUNKS_PER_SECOND = 50;

/**
 * The longest pause between two chunks of a busy link, in milliseconds. It is
 * longer than it takes to read the next data of a stream.
 */
const BUSY_GAP_MS = 10;

/**
 * The longest delay that later chunks make up for, in milliseconds. It bounds the
 * burst after the process was blocked. Timers on a busy machine are less late.
 */
const MAX_LAG_MS = 100;

/** The schedule of one link. */
export class Throttle {
  /** The maximum number of bytes to send at a time. */
  readonly chunkSize: number;
  readonly #bytesPerMs: number;
  /** When the last byte of the schedule is due. */
  #busyUntil = 0;
  #sentAt = -Infinity;

  /** Starts with an idle link. */
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

  /** Records that the chunk is sent now, on time or late. */
  sent(now: number): void {
    this.#sentAt = now;
  }
}
