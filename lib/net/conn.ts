/**
 * Connections and listeners as servers use them: those of `Deno.listen`, and those of
 * `node:net`, which can also reset and speak TLS.
 *
 * @module
 */

/** A connection. */
export interface Conn extends
  Pick<
    Deno.Conn,
    "read" | "write" | "closeWrite" | "close" | "ref" | "unref"
  > {
  /** The address of this side. */
  readonly localAddr: Deno.Addr;
  /** The address of the peer. */
  readonly remoteAddr: Deno.Addr;
  /** Closes the connection so that the peer gets a reset (RFC 9293). */
  reset?(): void;
  /** Resolves when the TLS handshake is done. Only with TLS. */
  handshake?(): Promise<unknown>;
}

/** A listener. */
export interface Listener<Addr extends Deno.Addr = Deno.Addr> {
  /** The address that it listens on. */
  readonly addr: Addr;
  /** Resolves with the next connection. */
  accept(): Promise<Conn>;
  /** Closes the listener. */
  close(): void;
  /** Keeps the process alive while it listens. */
  ref(): void;
  /** Lets the process end while it listens. */
  unref(): void;
}

/** Closes a connection, whether it is closed or not. */
export function closeConn(conn: Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed.
  }
}

/** Sends each write at once, instead of combining small ones (Nagle, RFC 896). */
export function setNoDelay(conn: Conn): void {
  try {
    (conn as Partial<Deno.TcpConn>).setNoDelay?.(true);
  } catch {
    // The peer has disconnected. The first read throws the error.
  }
}
