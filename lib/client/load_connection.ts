/**
 * One connection of a load run. It sends one message at a time, verifies the echo,
 * and reports the result. It does not know when messages are due.
 *
 * It uses callbacks instead of `await`, as the relay does: thousands of connections
 * share one process, and their cost is part of what is measured.
 *
 * ```ts
 * import { LoadConnection } from "./load_connection.ts";
 *
 * const connection = new LoadConnection(await Deno.connect({ port: 12345 }), {
 *   size: 512,
 *   handlers: {
 *     onReply: () => connection.close(),
 *     onError: (error) => console.error(error.message),
 *     onClose: () => console.error("closed by the server"),
 *   },
 * });
 * connection.send(1, performance.now());
 * ```
 *
 * @module
 */

import { readScheduler } from "../net/read_scheduler.ts";
import { Progress } from "./progress.ts";
import { difference, mismatch } from "./verify.ts";

/** What was sent while no message is in flight. */
const NOTHING = new Uint8Array(0);

/** The events of a connection. */
export interface LoadConnectionHandlers {
  /** The whole echo came back, at `now` on the process's clock. */
  onReply(now: number): void;
  /** The connection failed, and the message in flight, if any, is lost. */
  onError(error: Error, lostMessage: boolean): void;
  /** The server closed or reset the connection while no message was in flight. */
  onClose(): void;
}

/** The options of a connection. */
export interface LoadConnectionOptions {
  /** Bytes of a message. */
  size: number;
  /** The receiver of its events. */
  handlers: LoadConnectionHandlers;
}

/** A connection under load. */
export class LoadConnection {
  /** Whether a message is in flight. */
  busy = false;
  /** When the last message was sent, on the process's clock. */
  sentAt = 0;
  /** Messages whose echo came back. */
  replies = 0;
  readonly #conn: Deno.Conn;
  readonly #handlers: LoadConnectionHandlers;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #stamp: DataView;
  readonly #echo: Uint8Array<ArrayBuffer>;
  #written = 0;
  #read = 0;
  #reading = false;
  #tick = 0;
  #closed = false;

  /** Does nothing until `send` or `watch` is called. */
  constructor(
    conn: Deno.Conn,
    { size, handlers }: LoadConnectionOptions,
  ) {
    this.#conn = conn;
    this.#handlers = handlers;
    this.#message = new Uint8Array(size);
    for (let i = 0; i < size; i++) this.#message[i] = Math.random() * 256;
    this.#stamp = new DataView(this.#message.buffer);
    // One byte more than is sent, so that a surplus is noticed.
    this.#echo = new Uint8Array(size + 1);
    readScheduler.join();
  }

  /** Sends message `number`, at `now`. */
  send(number: number, now: number): void {
    this.busy = true;
    this.sentAt = now;
    this.#written = 0;
    this.#read = 0;
    // Each message differs from the previous one, so that a late echo is not
    // mistaken.
    if (this.#message.length >= 4) this.#stamp.setUint32(0, number);
    else this.#message[0] = number;
    this.#conn.write(this.#message).then(this.#onWritten, this.#onError);
    // Reading starts at once: a long message is echoed while it is being sent.
    this.watch();
  }

  /** Keeps a read pending, so that a FIN is noticed before the next message. */
  watch(): void {
    if (this.#reading) return;
    this.#reading = true;
    readScheduler.schedule(this.#startRead);
  }

  /** Fails if the message in flight was sent more than `timeout` ms ago. */
  expire(now: number, timeout: number): void {
    if (!this.busy || now - this.sentAt < timeout) return;
    this.#fail(this.#progress().timedOut(timeout));
  }

  /** Closes the connection without an event. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.busy = false;
    readScheduler.leave();
    this.#conn[Symbol.dispose]();
  }

  #progress(): Progress {
    const progress = new Progress(this.#message.length);
    progress.received = this.#read;
    return progress;
  }

  #startRead = (): void => {
    if (this.#closed) return;
    if (this.#closed) return;
    this.#tick = readScheduler.tick;
    const rest = this.#read === 0
      ? this.#echo
      : this.#echo.subarray(this.#read);
    this.#conn.read(rest).then(this.#onRead, this.#onError);
  };

  #onRead = (count: number | null): void => {
    if (this.#closed) return;
    this.#reading = false;
    readScheduler.onData(this.#tick);
    if (count === null) return this.#onEnd();
    const { length } = this.#message;
    // If no message is in flight, any byte is a surplus.
    const sent = this.busy ? this.#message : NOTHING;
    const to = this.#read + count;
    const wrong = difference(this.#echo, sent, this.#read, to);
    if (wrong >= 0) {
      return this.#fail(mismatch(wrong, sent[wrong], this.#echo[wrong]!));
    }
    this.#read = to;
    if (to < length) this.watch();
    else if (this.#written === length) this.#complete();
  };

  #onEnd(): void {
    if (!this.busy) return this.#end();
    this.#fail(this.#progress().closed());
  }

  #complete(): void {
    this.busy = false;
    this.replies++;
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
    this.#fail(this.#progress().reset(cause));
  };

  #fail(error: Error): void {
    const lostMessage = this.busy;
    this.close();
    this.#handlers.onError(error, lostMessage);
  }

  #end(): void {
    this.close();
    this.#handlers.onClose();
  }
}
