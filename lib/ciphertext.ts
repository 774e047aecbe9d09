/**
 * The encrypted side of a TLS session, as `node:tls` wants it: a stream over a
 * plain connection, which it reads and closes in nobody's name. `lib/tls_conn.ts`
 * pushes what it has read, and closes the connection.
 *
 * ```ts
 * import { Ciphertext } from "./ciphertext.ts";
 * const stream = new Ciphertext(conn, { idle() {}, failed: console.error });
 * const socket = new TLSSocket(stream, { isServer: true, secureContext });
 * ```
 *
 * @module
 */

import { Duplex } from "node:stream";

/** What is told of the connection below. */
export interface CiphertextEvents {
  /** All ciphertext so far is in the kernel's buffer. */
  idle(): void;
  /** It could not be sent. */
  failed(error: unknown): void;
}

/** The ciphertext as `node:tls` wants it: a stream. */
export class Ciphertext extends Duplex {
  /** Whether some is on its way to the kernel. */
  sending = false;
  readonly #conn: Deno.Conn;
  readonly #events: CiphertextEvents;

  /** Neither reads from the connection nor closes it. */
  constructor(conn: Deno.Conn, events: CiphertextEvents) {
    super();
    this.#conn = conn;
    this.#events = events;
  }

  /** Asks for nothing: ciphertext is pushed while plaintext is waited for. */
  override _read(): void {}

  /** Sends ciphertext; `done` asks for the next. */
  override _write(
    bytes: Uint8Array,
    _encoding: string,
    done: () => void,
  ): void {
    this.sending = true;
    this.#send(bytes, done);
  }

  /**
   * Does nothing: a TLS socket destroys its stream once both directions have
   * ended, and what is still to be sent then must go out.
   */
  override destroy(): this {
    return this;
  }

  #send(bytes: Uint8Array, done: () => void): void {
    this.#conn.write(bytes).then((count) => {
      if (count < bytes.length) return this.#send(bytes.subarray(count), done);
      this.sending = false;
      done();
      // `done` may have started the next one.
      if (!this.sending) this.#events.idle();
    }, this.#events.failed);
  }
}
