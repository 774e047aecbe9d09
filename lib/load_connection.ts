/**
 * One connection of a load run: it sends one message, verifies its echo and
 * reports back. It knows neither when messages are due nor what becomes of their
 * times.
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

/** What a connection reports, and to whom. */
export interface LoadConnectionHandlers {
  /** The echo came back whole, at `now`. */
  onReply(now: number): void;
  /** The connection failed, and with it the message under way, if any. */
  onError(error: Error): void;
  /** It was closed or reset by the server while no message was under way. */
  onClose(): void;
}

/** What a connection needs to know. */
export interface LoadConnectionOptions {
  /** Bytes of a message. */
  size: number;
  /** What the messages of its errors begin with. */
  attempt: string;
  /** Called on its events. */
  handlers: LoadConnectionHandlers;
}

/** A connection under load. */
export class LoadConnection {
  /** Whether a message is under way. */
  busy = false;
  /** When the last message was sent. */
  sentAt = 0;
  readonly #conn: Deno.Conn;
  readonly #attempt: string;
  readonly #handlers: LoadConnectionHandlers;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #stamp: DataView;
  readonly #echo: Uint8Array<ArrayBuffer>;
  #written = 0;
  #read = 0;
  #reading = false;
  #round = 0;
  #closed = false;

  /** Begins nothing until `send` or `watch` is called. */
  constructor(
    conn: Deno.Conn,
    { size, attempt, handlers }: LoadConnectionOptions,
  ) {
    this.#conn = conn;
    this.#attempt = attempt;
    this.#handlers = handlers;
    this.#message = new Uint8Array(size);
    for (let i = 0; i < size; i++) this.#message[i] = Math.random() * 256;
    this.#stamp = new DataView(this.#message.buffer);
    // One byte more than is sent, so that a surplus shows.
    this.#echo = new Uint8Array(size + 1);
    shared.join();
  }

  /** Sends message `number`, at `now`. */
  send(number: number, now: number): void {
    this.busy = true;
    this.sentAt = now;
    this.#written = 0;
    this.#read = 0;
    // Each message differs from the one before, as far as its size allows.
    if (this.#message.length >= 4) this.#stamp.setUint32(0, number);
    else this.#message[0] = number;
    this.#conn.write(this.#message).then(this.#onWritten, this.#onError);
    // The echo is read while a long message is still being written.
    this.watch();
  }

  /** Keeps a read pending, so that an end is noticed before the next message. */
  watch(): void {
    if (this.#reading) return;
    this.#reading = true;
    shared.pass(this.#startRead);
  }

  /** Gives it up if its message has been under way for too long. */
  expire(now: number, timeout: number): void {
    if (!this.busy || now - this.sentAt < timeout) return;
    this.#fail(
      new TimedOutError(
        `${this.#attempt}: ${this.#progress()} within ${timeout} ms`,
      ),
    );
  }

  /** Closes it without a report. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.busy = false;
    shared.leave(this.#startRead);
    this.#conn[Symbol.dispose]();
  }

  #progress(): string {
    return `${this.#read} of ${this.#message.length} bytes`;
  }

  #startRead = (): void => {
    if (this.#closed) return;
    this.#round = shared.round;
    const rest = this.#read === 0
      ? this.#echo
      : this.#echo.subarray(this.#read);
    this.#conn.read(rest).then(this.#onRead, this.#onError);
  };

  #onRead = (count: number | null): void => {
    if (this.#closed) return;
    this.#reading = false;
    shared.done(this.#round);
    if (count === null) return this.#onEnd();
    const { length } = this.#message;
    // Where no message is under way, any byte is one too many.
    const sent = this.busy ? this.#message : NOTHING;
    const to = this.#read + count;
    const wrong = difference(this.#echo, sent, this.#read, to);
    if (wrong >= 0) {
      return this.#fail(
        differs(this.#attempt, wrong, sent[wrong], this.#echo[wrong]!),
      );
    }
    this.#read = to;
    if (to < length) this.watch();
    else if (this.#written === length) this.#complete();
  };

  #onEnd(): void {
    if (!this.busy) return this.#end();
    this.#fail(
      new CutShortError(
        `${this.#attempt}: closed by the server after ${this.#progress()}`,
        { received: this.#read, expected: this.#message.length },
      ),
    );
  }

  #complete(): void {
    this.busy = false;
    this.#read = 0;
    this.#handlers.onReply(performance.now());
  }

  #onWritten = (count: number): void => {
    if (this.#closed) return;
    this.#written += count;
    const { length } = this.#message;
    if (this.#written < length) {
      this.#conn.write(this.#message.subarray(this.#written))
        .then(this.#onWritten, this.#onError);
    } else if (this.#read === length) {
      this.#complete();
    }
  };

  #onError = (cause: unknown): void => {
    if (this.#closed) return;
    if (!this.busy) return this.#end();
    this.#fail(
      new ResetError(`${this.#attempt}: reset after ${this.#progress()}`, {
        received: this.#read,
        expected: this.#message.length,
        cause,
      }),
    );
  };

  #fail(error: Error): void {
    this.close();
    this.#handlers.onError(error);
  }

  #end(): void {
    this.close();
    this.#handlers.onClose();
  }
}

const NOTHING = new Uint8Array(0);
