/**
 * A TLS session of `node:tls` on a connection that can be reset.
 *
 * `Deno.listenTls` and `Deno.startTls` are not used: after `close()`, they finish the
 * handshake and the last writes in the background, so a peer that stalls keeps the
 * socket and its file descriptor (Deno 2.9.6). `node:tls` alone is not enough either:
 * it takes a reset, and a connection that ends without close_notify, for the end of
 * the session, and it buffers without a bound what nobody reads. So this class looks
 * at what the TCP handle below receives, and pauses it.
 *
 * Nothing here is limited in time. The server and the client limit the handshake by
 * closing the connection.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { resetError, SocketConn } from "../net/socket_conn.ts";
import { handleOf } from "../net/tcp_handle.ts";
import { describeHandshakeError } from "./handshake_error.ts";

/** The outcome of a handshake. */
export interface Handshake {
  /** The application protocol that both ends speak (ALPN, RFC 7301), or `null`. */
  alpnProtocol: string | null;
  /** The common name in the certificate of the peer, if it has one. */
  peer: string | undefined;
}

/** What a session needs besides its sockets. */
export interface TlsConnOptions {
  /** The event of the socket at the end of the handshake. */
  ready: "secure" | "secureConnect";
  /** Says why the peer is refused after its handshake, if it is. */
  refuse?: ((socket: TLSSocket) => string | undefined) | undefined;
}

/** A TLS session, and the connection below it. */
export class TlsConn extends SocketConn {
  readonly #handshake = Promise.withResolvers<Handshake>();
  #established = false;

  /**
   * Takes a connected socket, and the TLS socket on it, which starts its handshake
   * in the next tick.
   *
   * @throws {Deno.errors.NotConnected} if the peer has reset the connection.
   */
  constructor(plain: Socket, tls: TLSSocket, options: TlsConnOptions) {
    const handle = handleOf(plain);
    super(tls, handle);
    // The TLS socket reports the same.
    plain.on("error", () => {});
    // The caller need not wait for the handshake.
    this.#handshake.promise.catch(() => {});
    // A server's socket reports its errors with this event.
    tls.on("_tlsError", (error: Error) => this.fail(this.describe(error)));
    tls.once(options.ready, () => this.#onHandshake(tls, options));
    const { onread } = handle;
    handle.onread = (chunk) => {
      if (chunk === undefined) {
        handle.readStop();
        if (!this.ended) this.fail(this.#truncation());
      } else onread.call(handle, chunk);
    };
    // The handle looks up `onread` when it begins to read.
    handle.readStop();
    this.receive();
  }

  /** Resolves when the handshake is done, or rejects with why it failed. */
  handshake(): Promise<Handshake> {
    return this.#handshake.promise;
  }

  protected override fail(error: Error): void {
    super.fail(error);
    this.#handshake.reject(error);
  }

  protected override describe(cause: Error): Error {
    const error = super.describe(cause);
    if (error !== cause) return error;
    return this.#established
      ? new Deno.errors.InvalidData(cause.message, { cause })
      : new Error(describeHandshakeError(cause), { cause });
  }

  #onHandshake(tls: TLSSocket, { refuse }: TlsConnOptions): void {
    const reason = refuse?.(tls);
    if (reason !== undefined) {
      this.fail(new Error(reason));
      return this.reset();
    }
    this.#established = true;
    this.#handshake.resolve({
      alpnProtocol: tls.alpnProtocol || null,
      peer: tls.getPeerCertificate()?.subject?.CN,
    });
  }

  /** The error for a connection that ends before the session does. */
  #truncation(): Error {
    if (this.isReset) return resetError();
    const what = this.#established
      ? "without ending the TLS session"
      : "during the TLS handshake";
    return new Deno.errors.UnexpectedEof(
      `the peer closed the connection ${what}`,
    );
  }
}
