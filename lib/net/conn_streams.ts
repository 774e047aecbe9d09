/**
 * Web streams for a connection that has only `read` and `write`. As with Deno's
 * own connections, the end of either stream closes the connection.
 *
 * @module
 */

import { writeAll } from "./write_all.ts";

/** Bytes of a read buffer, as in Deno's own streams. */
const CHUNK_SIZE = 64 * 1024;

/** A stream of what is read, up to the end of input. */
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

/** A stream that writes to the connection. */
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
