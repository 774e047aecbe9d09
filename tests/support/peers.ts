/**
 * Peers for tests: servers that handle a connection as a test says, and simple
 * operations on connections.
 *
 * @module
 */

/** A server on a free port that handles each connection with `handler`. */
export function peer(
  handler: (conn: Deno.TcpConn) => Promise<void>,
): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.TcpConn>();
  const handlers: Promise<void>[] = [];
  const loop = (async () => {
    for await (const conn of listener) {
      conns.add(conn);
      handlers.push(
        handler(conn).catch(() => {}).finally(() => conn[Symbol.dispose]()),
      );
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) conn[Symbol.dispose]();
      await loop;
      await Promise.all(handlers);
    },
  };
}

/** A port that nothing listens on. */
export function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The port of a server that listens on TCP. */
export function portOf(server: { addr: Deno.Addr }): number {
  return (server.addr as Deno.NetAddr).port;
}

/** Writes all bytes. */
export async function write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Reads `length` bytes, or fewer if the stream ends before. */
export async function read(
  conn: Deno.Conn,
  length = Infinity,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  while (received < length) {
    const chunk = new Uint8Array(Math.min(65_536, length - received));
    const n = await conn.read(chunk);
    if (n === null) break;
    chunks.push(chunk.subarray(0, n));
    received += n;
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Echoes until the end of input. */
export async function echo(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    await write(conn, buffer.subarray(0, n));
  }
}

/** Reads until the client closes, and never answers. */
export async function discard(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (await conn.read(buffer) !== null);
}

/** Bytes with a period of 251, a prime: a shifted copy differs. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i % 251;
  return bytes;
}

/** Resolves once `condition` holds. It is checked every `interval` milliseconds. */
export async function until(
  condition: () => boolean,
  interval = 1,
): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

/** Text as bytes. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
