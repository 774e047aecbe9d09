/**
 * Peers for tests: servers that do with a client what the test says, and the
 * plain things that a test does with a connection.
 *
 * @module
 */

/** A server on a free port that leaves each client to `talk`. */
export function peer(
  talk: (conn: Deno.TcpConn) => Promise<void>,
): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.TcpConn>();
  const talks: Promise<void>[] = [];
  const loop = (async () => {
    for await (const conn of listener) {
      conns.add(conn);
      talks.push(
        talk(conn).catch(() => {}).finally(() => conn[Symbol.dispose]()),
      );
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) conn[Symbol.dispose]();
      await loop;
      await Promise.all(talks);
    },
  };
}

/** A port that nothing listens on. */
export function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The port of a server of ours. */
export function portOf(server: { addr: Deno.Addr }): number {
  return (server.addr as Deno.NetAddr).port;
}

/** Writes all of it. */
export async function write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Reads `length` bytes, or as many as come before the end. */
export async function read(
  conn: Deno.Conn,
  length = Infinity,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let have = 0;
  while (have < length) {
    const piece = new Uint8Array(Math.min(65_536, length - have));
    const n = await conn.read(piece);
    if (n === null) break;
    pieces.push(piece.subarray(0, n));
    have += n;
  }
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

/** Echoes until the end of input. */
export async function echo(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    await write(conn, buffer.subarray(0, n));
  }
}

/** Never answers: reads until the client is gone. */
export async function swallow(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (await conn.read(buffer) !== null);
}

/** Bytes that repeat only after 251 of them, so that a shift shows. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i % 251;
  return bytes;
}

/**
 * Resolves once `condition` holds, which the event loop is left to bring. It is
 * looked at every `interval` milliseconds.
 */
export async function until(
  condition: () => boolean,
  interval = 1,
): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

/** Bytes of text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
