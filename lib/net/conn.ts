/**
 * Connections and listeners as servers use them: those of `Deno.listen`, and those of
 * `node:net`, which can also reset and speak TLS.
 *
 * @module
 */

/** A connection. */
export interface Conn extends Deno.Conn {
  /** Closes the connection so that the peer gets a reset (RFC 9293). */
  reset?(): void;
  /** Resolves when the TLS handshake is done. Only with TLS. */
  handshake?(): Promise<unknown>;
}

/** A listener. */
export type Listener<Addr extends Deno.Addr = Deno.Addr> = Pick<
  Deno.Listener<Conn, Addr>,
  "addr" | "accept" | "close" | "ref" | "unref"
>;

/** Sends each write at once, instead of combining small ones (Nagle, RFC 896). */
export function setNoDelay(conn: Conn): void {
  try {
    (conn as Partial<Deno.TcpConn>).setNoDelay?.(true);
  } catch {
    // The peer has disconnected. The first read throws the error.
  }
}
