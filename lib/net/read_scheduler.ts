/**
 * Fair reads for many connections in one process. Without it, Deno serves about
 * 128 busy connections and leaves the others waiting for seconds.
 *
 * Cause: Tokio gives a task a budget of 128 socket operations each time it polls
 * the task, and defers the rest last in, first out. Both the event loop (for
 * operations that succeed at once) and the driver of pending operations have
 * such a budget. If more connections than that always have data, the newest
 * reads overtake the older ones again and again.
 *
 * Remedy: a connection that has been served waits in a queue, first in, first
 * out, until its next read may start. Each tick of the event loop starts some of
 * these reads, no more than the budget covers. While the driver completes full
 * batches of reads, older reads are still pending, and no new read starts.
 *
 * @module
 */

/** Tokio's budget of operations per poll of a task (`tokio::task::coop`). */
const BUDGET = 128;

/**
 * Connections up to which reads start directly, without the queue. Each has one
 * operation pending, so all of them and the listener fit into one budget.
 */
const DIRECT_LIMIT = 100;

/**
 * Reads started per tick. A read and the write of its reply are two operations,
 * and the listener and pending writes need some of the budget too.
 */
const READS_PER_TICK = 56;

/** Completed reads in one batch from which on more must be pending. */
const FULL_BATCH = BUDGET - 28;

/**
 * Milliseconds without a tick after which the started reads count as idle, and
 * the next reads start. A full batch takes less (about 1.3 ms).
 */
const IDLE_TICK_MS = 2;

/**
 * Decides when reads start. It is a class because each message reads its state:
 * plain fields cost half as much as the getters of a closure.
 */
export class ReadScheduler {
  /** Counts the ticks in which queued reads may start. */
  tick = 0;
  #members = 0;
  #queue: (() => void)[] = [];
  #head = 0;
  // Reads completed since the last tick that had been pending in it, in contrast
  // to reads that found their data at once.
  #completed = 0;
  #scheduled: ReturnType<typeof setImmediate> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Reads that wait in the queue. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Adds a connection. */
  join(): void {
    this.#members++;
  }

  /**
   * Removes a connection. A read of it that waits in the queue is called in its turn,
   * and must do nothing.
   */
  leave(): void {
    if (--this.#members > 0) return;
    this.#queue = [];
    this.#head = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
  }

  /** Calls `startRead` when the read may start: at once if there are few. */
  schedule(startRead: () => void): void {
    if (this.#members <= DIRECT_LIMIT && this.#head === this.#queue.length) {
      return startRead();
    }
    this.#queue.push(startRead);
    this.#scheduled ??= setImmediate(this.#onTick);
  }

  /** Resolves when a read may start, or is `undefined` if it may at once. */
  turn(): Promise<void> | undefined {
    if (this.#members <= DIRECT_LIMIT && this.#head === this.#queue.length) {
      return undefined;
    }
    return new Promise((resolve) => this.schedule(resolve));
  }

  /** Counts a read that has returned. `tick` is what it was at its start. */
  onData(tick: number): void {
    if (tick !== this.tick) this.#completed++;
  }

  #onTick = (): void => {
    this.#scheduled = undefined;
    this.tick++;
    const batch = this.#completed;
    this.#completed = 0;
    // Each read of the batch has used one operation, for its reply.
    if (batch < FULL_BATCH) this.#startReads(READS_PER_TICK - (batch >> 1));
    this.#watch();
  };

  #startReads(max: number): void {
    const count = Math.min(max, this.waiting);
    for (let i = 0; i < count; i++) {
      // A call may empty the queue: that of the last connection that leaves.
      if (this.#head >= this.#queue.length) break;
      this.#queue[this.#head++]!();
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      // Seldom enough to cost nothing, often enough to keep the array small.
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #watch(): void {
    if (this.#timer !== undefined || this.waiting === 0) return;
    const { tick } = this;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (tick === this.tick) {
        this.tick++;
        this.#startReads(READS_PER_TICK);
      }
      this.#watch();
    }, IDLE_TICK_MS);
  }
}

/** The scheduler of this process, whose connections share one event loop. */
export const readScheduler: ReadScheduler = new ReadScheduler();
