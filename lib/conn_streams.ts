/**
 * The streams of a connection that has only `read` and `write`. As with Deno's
 * own, the end of either closes the connection.
 *
 * ```ts
 * import { readableOf } from "./conn_streams.ts";
 * for await (const bytes of readableOf(conn)) console.log(bytes.length);
 * ```
 *
 * @module
 */

/** Bytes read at a time: what Deno's own streams read. */
const CHUNK_SIZE = 64 * 1024;

/** Reads until the end. */
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

/** Writes until it is closed. */
export function writableOf(
  conn: Deno.Conn,
): WritableStream<Uint8Array<ArrayBufferLike>> {
  const close = () => conn[Symbol.dispose]();
  return new WritableStream({
    async write(bytes) {
      for (let at = 0; at < bytes.length;) {
        at += await conn.write(bytes.subarray(at));
      }
    },
    close,
    abort: close,
  });
}
