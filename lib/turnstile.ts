/**
 * Fairness among many readers in one process. Without it Deno serves a hot set
 * of about 128 connections and leaves the others waiting for seconds.
 *
 * Why: Tokio allows a task 128 socket operations each time it is polled, and
 * puts off the rest last in, first out. Both the event loop (operations that
 * succeed at once) and the driver of waiting operations have such an allowance.
 * When more connections than that have data at all times, the newest requests
 * overtake the older ones again and again.
 *
 * How: a reader that has been served waits in a queue for its next turn, first
 * come, first served. Each round of the event loop lets some readers go, no
 * more than its allowance covers. And while the driver hands over full batches,
 * which means that readers who are still at their first turn wait behind them,
 * nobody gets a second one.
 *
 * ```ts
 * import { Turnstile } from "./turnstile.ts";
 * const gate = new Turnstile();
 * gate.join();
 * gate.pass(async () => {
 *   const round = gate.round;
 *   await conn.read(buffer);
 *   gate.done(round);
 * });
 * ```
 *
 * @module
 */

// The global of the same name came to Deno later than this module.
import { clearImmediate, setImmediate } from "node:timers";

/** Tokio's allowance of operations a poll (`tokio::task::coop`, 128). */
const ALLOWANCE = 128;

/**
 * Up to this many readers nobody can starve: each has one operation under way,
 * so all of them, and the listener, fit into one allowance.
 */
const FEW = 100;

/**
 * Turns a round: a read and the write that answers it are two operations, and
 * the listener and the writes that had to wait need some of the allowance too.
 */
const TURNS = 56;

/** Reads handed over in one batch from which on more must be waiting. */
const FULL = ALLOWANCE - 28;

/**
 * Milliseconds without a round after which those that were let go count as
 * idle, and the next ones go. Longer than a full batch takes (about 1.3 ms).
 */
const PATIENCE_MS = 2;

/**
 * Decides who reads next. A class, because its state is read for every message:
 * plain fields cost half of what a closure's getters do.
 */
export class Turnstile {
  /** Counts the rounds of the event loop that let somebody go. */
  round = 0;
  #members = 0;
  #queue: (() => void)[] = [];
  #head = 0;
  // Reads of this batch that had to wait, in contrast to those that found
  // their data at once.
  #handedOver = 0;
  #scheduled: ReturnType<typeof setImmediate> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Readers that wait. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** One more reader takes part. */
  join(): void {
    this.#members++;
  }

  /**
   * One takes part no longer. A reader that may be waiting hands in the `go` that
   * it passed, which is not called any more.
   */
  leave(go?: () => void): void {
    if (go !== undefined) this.#withdraw(go);
    if (--this.#members > 0) return;
    // Nobody is left to be served.
    this.#queue = [];
    this.#head = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
  }

  /** Calls `go` when it is this reader's turn: now, where there are few. */
  pass(go: () => void): void {
    if (this.#members <= FEW && this.#head === this.#queue.length) return go();
    this.#queue.push(go);
    this.#scheduled ??= setImmediate(this.#nextRound);
  }

  /** A read has data. `round` is what it was when the read began. */
  done(round: number): void {
    if (round !== this.round) this.#handedOver++;
  }

  #nextRound = (): void => {
    this.#scheduled = undefined;
    this.round++;
    const batch = this.#handedOver;
    this.#handedOver = 0;
    // Each read of the batch has spent one operation, on its answer.
    if (batch < FULL) this.#letGo(TURNS - (batch >> 1));
    this.#watch();
  };

  #withdraw(go: () => void): void {
    const at = this.#queue.indexOf(go, this.#head);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  #letGo(turns: number): void {
    const most = Math.min(turns, this.waiting);
    for (let i = 0; i < most; i++) {
      // Whoever is called may leave, and so shorten the queue.
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
    const { round } = this;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (round === this.round) {
        this.round++;
        this.#letGo(TURNS);
      }
      this.#watch();
    }, PATIENCE_MS);
  }
}

/** The one that all connections of this process share, as they do the loop. */
export const shared: Turnstile = new Turnstile();
