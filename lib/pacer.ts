/**
 * The schedule of a load run at a fixed rate: when each message is due, on which
 * connection, and from when its latency counts. It knows neither sockets nor a
 * clock: times are milliseconds from the start of the run, and come from its user.
 *
 * Message k is due at k / rate, on connection k mod n. A connection carries one
 * message at a time, so a message may have to wait for the echo before it.
 *
 * What a wait is charged to: `take` keeps, for each connection, when a client
 * without delays of its own would have sent the message, which is when it was due
 * or when the echo before it came back, whichever is later. What the message waited
 * up to then is the server's doing and counts as latency ("coordinated omission",
 * Gil Tene, "How NOT to Measure Latency", 2015). What it waited after that is this
 * client's doing: it goes into `slip`, and neither into the latency of the message
 * nor into that of those behind it. `slip` also covers what was announced late,
 * even on a connection that was not free: a message that was in flight while this
 * client stood still cannot be told from one that the server held back, and counts
 * as such.
 *
 * ```ts
 * import { Pacer } from "./pacer.ts";
 * const pacer = new Pacer({ rate: 1000, connections: 2 });
 * pacer.announce(0); // 0: the first message is due, on connection 0
 * pacer.take(0, 0.25); // 0.25: it was sent late, and counts from when it was sent
 * ```
 *
 * @module
 */

/** Messages a second, over how many connections, and how many at most. */
export interface PacerOptions {
  /** Messages a second, over all connections. */
  rate: number;
  /** Connections that take turns. */
  connections: number;
  /** @default {Infinity} */
  count?: number;
}

/** See the module. */
export class Pacer {
  /** The longest that this client was late with a message, in ms. */
  slip = 0;
  readonly #rate: number;
  readonly #connections: number;
  readonly #count: number;
  #announced = 0;
  // For each connection: messages taken; when a punctual client would have had
  // its last echo; how late its last message was sent.
  readonly #taken: Float64Array;
  readonly #free: Float64Array;
  readonly #lag: Float64Array;

  /** All connections are free from the start. */
  constructor({ rate, connections, count = Infinity }: PacerOptions) {
    this.#rate = rate;
    this.#connections = connections;
    this.#count = count;
    this.#taken = new Float64Array(connections);
    this.#free = new Float64Array(connections);
    this.#lag = new Float64Array(connections);
  }

  /** When message `k` is due; never where it is beyond the count. */
  dueAt(k: number): number {
    return k < this.#count ? k * 1_000 / this.#rate : Infinity;
  }

  /** How many messages are due by `now`. */
  dueBy(now: number): number {
    if (now < 0) return 0;
    return Math.min(this.#count, Math.floor(now * this.#rate / 1_000) + 1);
  }

  /** When the next message falls due that was not announced. */
  get nextDue(): number {
    return this.dueAt(this.#announced);
  }

  /** The connection of the next message that has fallen due, once; else -1. */
  announce(now: number): number {
    const late = now - this.nextDue;
    if (late < 0) return -1;
    if (late > this.slip) this.slip = late;
    return this.#announced++ % this.#connections;
  }

  /**
   * Takes the oldest message of a connection, to be sent `now`. Returns the time
   * from which its latency counts, or NaN if none is due.
   */
  take(connection: number, now: number): number {
    const due = this.dueAt(
      connection + this.#taken[connection]! * this.#connections,
    );
    if (due > now) return NaN;
    this.#taken[connection]!++;
    const lag = now - Math.max(due, this.#free[connection]!);
    this.#lag[connection] = lag;
    if (lag > this.slip) this.slip = lag;
    return due + lag;
  }

  /** The echo of a connection's message has come back. */
  replied(connection: number, now: number): void {
    this.#free[connection] = now - this.#lag[connection]!;
  }

  /** A connection was replaced: what was due before had to wait for that. */
  reconnected(connection: number, now: number): void {
    this.#free[connection] = now;
  }
}
