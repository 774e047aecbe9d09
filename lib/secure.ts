/**
 * Starts TLS on a plain connection, as either end. To be imported where TLS is
 * asked for: `node:tls` takes 20 ms to load.
 *
 * ```ts
 * import { tlsClient } from "./secure.ts";
 * const startTls = tlsClient({ hostname: "localhost" });
 * const plain = await Deno.connect({ hostname: "localhost", port: 8443 });
 * const conn = await startTls(plain, AbortSignal.timeout(1_000));
 * ```
 *
 * @module
 */

import { isIP } from "node:net";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import { DEFAULT_HOSTNAME } from "./defaults.ts";
import { HandshakeError, reason } from "./errors.ts";
import type { ConnectOptions } from "./options.ts";
import { place } from "./place.ts";
import { TlsConn } from "./tls_conn.ts";
import { checkName } from "./tls_reason.ts";
import { clientContext } from "./tls_trust.ts";

/** Makes the server's ends, on connections just accepted. */
export function tlsServer(
  credentials: { cert: string; key: string },
): (plain: Deno.TcpConn) => TlsConn {
  const secureContext = createSecureContext(credentials);
  return (plain) =>
    new TlsConn(
      plain,
      (stream) => new TLSSocket(stream, { isServer: true, secureContext }),
      "secure",
    );
}

/**
 * Makes the client's ends, on connections just made; the server's certificate
 * must be for `hostname`.
 *
 * @throws {Error} that names the one of `caCerts` that holds no certificate.
 */
export function tlsClient(
  options: ConnectOptions,
): (plain: Deno.TcpConn, signal: AbortSignal) => Promise<TlsConn> {
  const { hostname = DEFAULT_HOSTNAME, caCerts } = options;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const settings = {
    host,
    // An address is no server name (RFC 6066, section 3).
    ...(isIP(host) ? {} : { servername: host }),
    secureContext: clientContext(caCerts),
    checkServerIdentity: checkName,
    // Not left to the environment (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
  };
  return async (plain, signal) => {
    const conn = new TlsConn(
      plain,
      (socket) => connect({ ...settings, socket }),
      "secureConnect",
    );
    await shakeHands(conn, { ...options, signal });
    return conn;
  };
}

/** @throws {HandshakeError} that says why there is no session; it is closed. */
async function shakeHands(
  conn: TlsConn,
  options: ConnectOptions & { signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  const abort = () => conn[Symbol.dispose]();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await conn.handshake();
  } catch (error) {
    conn[Symbol.dispose]();
    throw new HandshakeError(
      `Cannot speak TLS with ${place(options)}: ${reason(error)}`,
      { cause: error },
    );
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
