/**
 * One connection of a load run: a message out, its echo in and verified, one
 * after the other. It knows neither when messages are due nor what becomes of
 * their times; its seat does.
 *
 * Callbacks and a class for the same reasons as in relay.ts: thousands of them
 * share a process, and what they cost is taken off what is measured.
 *
 * @module
 */

import { CutShortError, ResetError, TimedOutError } from "./echo.ts";
import { differs } from "./roundtrip.ts";
import { shared } from "./turnstile.ts";
import { difference } from "./verify.ts";

/** The place of a connection in a run; it outlives the connection. */
export interface Seat {
  /** Echoes that came back whole. */
  messages: number;
  /** When the next message is due, in ms from the start. */
  due: number;
  /** The connection, while there is one. */
  link?: Link | undefined;
  /** Called when a message has come back, at `now`, after so many ms. */
  echoed(seat: Seat, latency: number, now: number): void;
  /** Called when the connection is lost, with or without a message under way. */
  broken(seat: Seat, error: unknown, wasBusy: boolean): void;
}

const ATTEMPT = "Cannot go on with a connection";

/** A connection under load. */
export class Link {
  /** Whether a message is under way. */
  busy = false;
  /** When the last one came back, or the connection was made. */
  freeSince = performance.now();
  readonly #conn: Deno.Conn;
  readonly #seat: Seat;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #stamp: DataView;
  readonly #echo: Uint8Array<ArrayBuffer>;
  #written = 0;
  #read = 0;
  #from = 0;
  #sentAt = 0;
  #round = 0;
  #over = false;

  /** Begins nothing until `send` is called. */
  constructor(conn: Deno.Conn, seat: Seat, size: number) {
    this.#conn = conn;
    this.#seat = seat;
    this.#message = new Uint8Array(size);
    for (let i = 0; i < size; i++) this.#message[i] = Math.random() * 256;
    this.#stamp = new DataView(this.#message.buffer);
    // One byte more than is sent, so that a surplus shows.
    this.#echo = new Uint8Array(size + 1);
    shared.join();
  }

  /** Sends message `number`, at `now`; its time counts from `from`. */
  send(number: number, from: number, now: number): void {
    this.busy = true;
    this.#from = from;
    this.#sentAt = now;
    this.#written = 0;
    this.#read = 0;
    // Each message differs from the one before, as far as its size allows.
    if (this.#message.length >= 4) this.#stamp.setUint32(0, number);
    else this.#message[0] = number;
    this.#conn.write(this.#message).then(this.#onWritten, this.#onError);
    // The echo is read while a long message is still being written.
    shared.pass(this.#startRead);
  }

  /** Gives it up if its message has been under way for too long. */
  expire(now: number, timeout: number): void {
    if (!this.busy || now - this.#sentAt < timeout) return;
    this.#break(
      new TimedOutError(
        `${ATTEMPT}: ${this.#read} of ${this.#message.length} bytes within ${timeout} ms`,
      ),
    );
  }

  /** Closes it without telling its seat. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    shared.leave(this.#startRead);
    this.#conn[Symbol.dispose]();
  }

  #startRead = (): void => {
    if (this.#over) return;
    this.#round = shared.round;
    const rest = this.#read === 0
      ? this.#echo
      : this.#echo.subarray(this.#read);
    this.#conn.read(rest).then(this.#onRead, this.#onError);
  };

  #onRead = (count: number | null): void => {
    if (this.#over) return;
    shared.done(this.#round);
    const { length } = this.#message;
    const progress = { received: this.#read, expected: length };
    if (count === null) {
      return this.#break(
        new CutShortError(
          `${ATTEMPT}: closed by the server after ${this.#read} of ${length} bytes`,
          progress,
        ),
      );
    }
    const to = this.#read + count;
    const wrong = difference(this.#echo, this.#message, this.#read, to);
    if (wrong >= 0) {
      return this.#break(
        differs(ATTEMPT, wrong, this.#message[wrong], this.#echo[wrong]!),
      );
    }
    this.#read = to;
    if (to < length) return shared.pass(this.#startRead);
    if (this.#written === length) this.#complete();
  };

  #complete(): void {
    const now = performance.now();
    this.busy = false;
    this.freeSince = now;
    this.#seat.echoed(this.#seat, now - this.#from, now);
  }

  #onWritten = (count: number): void => {
    if (this.#over) return;
    this.#written += count;
    const { length } = this.#message;
    if (this.#written < length) {
      this.#conn.write(this.#message.subarray(this.#written))
        .then(this.#onWritten, this.#onError);
    } else if (this.#read === length) {
      this.#complete();
    }
  };

  #onError = (error: unknown): void => {
    if (this.#over) return;
    const { length } = this.#message;
    this.#break(
      new ResetError(
        `${ATTEMPT}: reset after ${this.#read} of ${length} bytes`,
        {
          received: this.#read,
          expected: length,
          cause: error,
        },
      ),
    );
  };

  #break(error: unknown): void {
    const wasBusy = this.busy;
    this.busy = false;
    this.close();
    this.#seat.broken(this.#seat, error, wasBusy);
  }
}
