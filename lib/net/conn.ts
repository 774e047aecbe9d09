/**
 * Connections and listeners as servers use them: those of `Deno.listen`, and those of
 * `node:net`, which can also reset and speak TLS. What is done with any of them.
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

/**
 * Writes all of a chunk: one write may accept only part of it. `onWritten` is called
 * with the number of bytes of each write.
 */
export async function writeAll(
  conn: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
  onWritten?: (count: number) => void,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const count = await conn.write(at === 0 ? bytes : bytes.subarray(at));
    onWritten?.(count);
    at += count;
  }
}

/** Bytes of a read buffer, as in Deno's own streams. */
const CHUNK_SIZE = 64 * 1024;

/**
 * What is read from a connection as a stream, up to the end of input. As with Deno's
 * own connections, the end of the stream closes the connection.
 */
export function readableOf(
  conn: Deno.Conn,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const close = () => conn[Symbol.dispose]();
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(CHUNK_SIZE);
      const count = await conn.read(buffer);
      if (count !== null) return controller.enqueue(buffer.subarray(0, count));
      close();
      controller.close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
}

/** A stream that writes to a connection, and closes it in the end. */
export function writableOf(
  conn: Deno.Conn,
): WritableStream<Uint8Array<ArrayBufferLike>> {
  const close = () => conn[Symbol.dispose]();
  return new WritableStream({
    write: (chunk) => writeAll(conn, chunk),
    close,
    abort: close,
  });
}
