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
 * counts as `maxLag`, and neither in the latency of the message nor in those of the
 * messages behind it. If this client stood still while a message was in flight, the
 * time counts as latency, because it cannot be told from a slow server. `maxLag`
 * shows it too.
 *
 * ```ts
 * import { Pacer } from "./pacer.ts";
 *
 * const pacer = new Pacer({ rate: 1000, connections: 2 });
 * pacer.announce(0); // 0: the first message is due, on connection 0
 * pacer.take(0, 0.25); // 0.25: it is sent late, and counts from then
 * ```
 *
 * @module
 */

/**
 * Milliseconds. A later announcement is no lateness of a timer, but a pause of this
 * client.
 */
const MAX_TIMER_LAG_MS = 3;

/** The rate and the size of a run. */
export interface PacerOptions {
  /** Messages per second, over all connections. */
  rate: number;
  /** Number of connections, which take turns. */
  connections: number;
  /**
   * Number of messages.
   * @default {Infinity}
   */
  count?: number;
  /**
   * Milliseconds of warm-up. Its messages are not part of `count`, and have no
   * effect on `maxLag`.
   * @default {0}
   */
  warmup?: number;
}

/** A schedule; see above. */
export class Pacer {
  /** The longest delay of this client, in milliseconds. */
  maxLag = 0;
  /** Messages that were announced late because this client paused. */
  delayed = 0;
  /** The number of messages that are due before the end of the warm-up. */
  readonly unmeasured: number;
  readonly #rate: number;
  readonly #connections: number;
  readonly #count: number;
  #announced = 0;
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
    this.unmeasured = Math.ceil(warmup * rate / 1_000);
    this.#count = count + this.unmeasured;
    this.#taken = new Float64Array(connections);
    this.#free = new Float64Array(connections);
    this.#lag = new Float64Array(connections);
  }

  /** When message `k` is due; `Infinity` if it exceeds the count. */
  dueAt(k: number): number {
    return k < this.#count ? k * 1_000 / this.#rate : Infinity;
  }

  /** The number of messages that are due by `now`. */
  dueBy(now: number): number {
    if (now < 0) return 0;
    return Math.min(this.#count, Math.floor(now * this.#rate / 1_000) + 1);
  }

  /** When the next message is due that was not announced yet. */
  get nextDue(): number {
    return this.dueAt(this.#announced);
  }

  /** The connection of the next message that is due, or -1. Each counts once. */
  announce(now: number): number {
    const lag = now - this.nextDue;
    if (lag < 0) return -1;
    const number = this.#announced++;
    if (number >= this.unmeasured) {
      if (lag > this.maxLag) this.maxLag = lag;
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
    const due = this.dueAt(number);
    if (due > now) return NaN;
    this.#taken[connection]!++;
    const lag = now - Math.max(due, this.#free[connection]!);
    this.#lag[connection] = lag;
    if (lag > this.maxLag && number >= this.unmeasured) this.maxLag = lag;
    return due + lag;
  }

  /** Whether the next message of a connection is due after the warm-up. */
  isMeasured(connection: number): boolean {
    return this.#numberOf(connection) >= this.unmeasured;
  }

  #numberOf(connection: number): number {
    return connection + this.#taken[connection]! * this.#connections;
  }

  /** The echo of the message of a connection came back. */
  replied(connection: number, now: number): void {
    this.#free[connection] = now - this.#lag[connection]!;
  }

  /** A connection was replaced. Messages that were due had to wait for it. */
  reconnected(connection: number, now: number): void {
    this.#free[connection] = now;
  }
}
