/**
 * The schedule of a load run at a fixed rate: when each message is due, on which
 * connection, and from when its latency counts. It has no clock and no sockets. All
 * times are milliseconds from the start of the run, and come from the caller.
 *
 * Message k is due at k / rate, on connection k mod n. A connection carries one
 * message at a time, so a message may have to wait for the echo before it.
 *
 * Waiting is charged to the server or to this client. For each connection, `take`
 * computes when a client without delays would have sent the message: when it was
 * due, or when the echo before it came back, whichever is later. The wait until
 * then is the server's, and counts as latency ("coordinated omission", Gil Tene,
 * "How NOT to Measure Latency", 2015). The wait after that is this client's. It
 * counts as lag, and neither in the latency of the message nor in those of the
 * messages behind it. If this client stood still while a message was in flight, the
 * time counts as latency, because it cannot be told from a slow server. The lag
 * shows it too.
 *
 * ```ts
 * import { Pacer } from "./pacer.ts";
 *
 * const pacer = new Pacer({ rate: 1000, connections: 2, count: 10 });
 * pacer.announce(0); // 0: the first message is due, on connection 0
 * pacer.take(0, 0.25); // 0.25: it is sent late, and counts from then
 * ```
 *
 * @module
 */

import { Histogram } from "../stats/histogram.ts";
import type { LagSummary } from "../stats/summaries.ts";

/**
 * Milliseconds. A later announcement is no lateness of a timer, but a pause of this
 * client.
 */
const MAX_TIMER_LAG_MS = 3;

/** Messages that were never sent are handed out in groups, so many at most. */
const MAX_GROUPS = 100_000;

/** The rate and the size of a run. */
export interface PacerOptions {
  /** Messages per second, over all connections. */
  rate: number;
  /** Number of connections, which take turns. */
  connections: number;
  /**
   * Number of messages after the warm-up.
   * @default {Infinity}
   */
  count?: number;
  /**
   * Milliseconds of warm-up. Its messages are in no figure.
   * @default {0}
   */
  warmup?: number;
}

/** Messages of one connection that were due about the same time, and never sent. */
export interface Unsent {
  /** The connection. */
  connection: number;
  /** When the first of them was due. */
  due: number;
  /** How many they are. */
  count: number;
}

/** A schedule; see above. */
export class Pacer {
  /** Messages that were announced late because this client paused. */
  delayed = 0;
  /** The number of messages that are due before the end of the warm-up. */
  readonly unmeasured: number;
  readonly #rate: number;
  readonly #connections: number;
  /** Messages in all. */
  #total: number;
  #announced = 0;
  #maxLag = 0;
  readonly #lags = new Histogram();
  // For each connection: the messages taken; when a client without delays would
  // have had its last echo; and the delay of its last message.
  readonly #taken: Float64Array;
  readonly #free: Float64Array;
  readonly #lag: Float64Array;

  /** All connections are free at the start. */
  constructor(
    { rate, connections, count = Infinity, warmup = 0 }: PacerOptions,
  ) {
    this.#rate = rate;
    this.#connections = connections;
    this.unmeasured = this.#dueBefore(warmup);
    this.#total = count + this.unmeasured;
    this.#taken = new Float64Array(connections);
    this.#free = new Float64Array(connections);
    this.#lag = new Float64Array(connections);
  }

  /** The schedule ends at a time: what is due from then on never is. */
  endAt(time: number): void {
    this.#total = Math.min(this.#total, this.#dueBefore(time));
  }

  /** The number of messages after the warm-up that are due before a time. */
  scheduledBefore(time: number): number {
    const due = Math.min(this.#total, this.#dueBefore(time));
    return Math.max(0, due - this.unmeasured);
  }

  /** When the next message is due that was not announced yet, if ever. */
  get nextDue(): number {
    return this.#dueAt(this.#announced);
  }

  /** When the next message of a connection is due; `Infinity` after its last. */
  nextOf(connection: number): number {
    return this.#dueAt(this.#numberOf(connection));
  }

  /** The connection of the next message that is due, or -1. Each counts once. */
  announce(now: number): number {
    const lag = now - this.nextDue;
    if (!(lag >= 0)) return -1;
    const number = this.#announced++;
    if (number >= this.unmeasured) {
      if (lag > this.#maxLag) this.#maxLag = lag;
      if (lag > MAX_TIMER_LAG_MS) this.delayed++;
    }
    return number % this.#connections;
  }

  /**
   * Takes the oldest due message of a connection, to be sent `now`. Returns the time
   * from which its latency counts, or NaN if no message is due.
   */
  take(connection: number, now: number): number {
    const number = this.#numberOf(connection);
    const due = this.#dueAt(number);
    if (due > now) return NaN;
    this.#taken[connection]!++;
    const lag = now - Math.max(due, this.#free[connection]!);
    this.#lag[connection] = lag;
    if (number >= this.unmeasured) this.#lags.record(lag);
    return due + lag;
  }

  /** Whether the next message of a connection is due after the warm-up. */
  isMeasured(connection: number): boolean {
    return this.#numberOf(connection) >= this.unmeasured;
  }

  /** The echo of the message of a connection came back. */
  replied(connection: number, now: number): void {
    this.#free[connection] = now - this.#lag[connection]!;
  }

  /** A connection was replaced. Messages that were due had to wait for it. */
  reconnected(connection: number, now: number): void {
    this.#free[connection] = now;
  }

  /** How late this client sent messages; none were sent: null. */
  lag(): LagSummary | null {
    const lags = this.#lags;
    if (lags.count === 0 && this.#maxLag === 0) return null;
    return {
      p50: lags.percentile(50),
      p99: lags.percentile(99),
      max: Math.max(lags.max, this.#maxLag),
    };
  }

  /** The messages after the warm-up that were never taken. */
  *unsent(): Generator<Unsent> {
    const step = Math.ceil(this.#total / MAX_GROUPS);
    for (let connection = 0; connection < this.#connections; connection++) {
      // From the first that is neither taken nor of the warm-up.
      let number = this.#numberOf(connection);
      const skipped = Math.ceil(
        Math.max(0, this.unmeasured - number) / this.#connections,
      );
      number += skipped * this.#connections;
      while (number < this.#total) {
        const left = Math.ceil((this.#total - number) / this.#connections);
        const count = Math.min(left, step);
        yield { connection, due: this.#dueAt(number), count };
        number += count * this.#connections;
      }
    }
  }

  /** When message `k` is due; `Infinity` if it exceeds the schedule. */
  #dueAt(k: number): number {
    return k < this.#total ? k * 1_000 / this.#rate : Infinity;
  }

  #dueBefore(time: number): number {
    // The product may be off in its last digits: 0.1 s at 30/s are 3 messages.
    return Math.max(0, Math.ceil(time * this.#rate / 1_000 * (1 - 1e-12)));
  }

  #numberOf(connection: number): number {
    return connection + this.#taken[connection]! * this.#connections;
  }
}
