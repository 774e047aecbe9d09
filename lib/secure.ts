/**
 * TLS on a connection that is there already, as a client.
 *
 * ```ts
 * import { secure } from "./secure.ts";
 * const plain = await Deno.connect({ hostname: "localhost", port: 8443 });
 * const { signal } = new AbortController();
 * const conn = await secure(plain, { hostname: "localhost", port: 8443, signal });
 * ```
 *
 * @module
 */

import { DEFAULT_HOSTNAME } from "./defaults.ts";
import { HandshakeError, reason } from "./errors.ts";
import type { ConnectOptions } from "./options.ts";
import { place } from "./place.ts";

/**
 * Makes a TLS session of a connection, which it closes where that fails.
 *
 * @throws {HandshakeError} that says why there is none.
 */
export async function secure(
  plain: Deno.TcpConn,
  options: ConnectOptions & { signal: AbortSignal },
): Promise<Deno.TlsConn> {
  const { hostname = DEFAULT_HOSTNAME, caCerts, signal } = options;
  let conn: Deno.TlsConn | undefined;
  const abort = () => conn?.[Symbol.dispose]();
  signal.addEventListener("abort", abort, { once: true });
  try {
    conn = await Deno.startTls(plain, { hostname, caCerts });
    signal.throwIfAborted();
    await conn.handshake();
    return conn;
  } catch (error) {
    // startTls closes what it was given, also where it fails.
    conn?.[Symbol.dispose]();
    throw new HandshakeError(
      `Cannot speak TLS with ${place(options)}: ${reason(error)}`,
      { cause: error },
    );
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
