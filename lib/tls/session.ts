/**
 * Starts TLS sessions on plain connections, as the server or as the client. It
 * imports `node:tls`, so import it dynamically.
 *
 * ```ts
 * import { tlsClient } from "./session.ts";
 *
 * const startTls = tlsClient({ hostname: "localhost" });
 * const plain = await Deno.connect({ hostname: "localhost", port: 8443 });
 * using conn = await startTls(plain, AbortSignal.timeout(1000));
 * ```
 *
 * @module
 */

import { isIP } from "node:net";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import { DEFAULT_HOSTNAME } from "../net/defaults.ts";
import { HandshakeError } from "../net/errors.ts";
import type { ConnectOptions } from "../net/options.ts";
import { describeError } from "../net/system_error.ts";
import { TlsConn } from "./tls_conn.ts";
import { checkServerName, trustedContext } from "./trust.ts";

/** Returns a function that starts TLS on connections that were accepted. */
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
 * Returns a function that performs the handshake on a connection to a server.
 * The server's certificate must be for `hostname`. If the handshake fails, the
 * function closes the connection and throws a `HandshakeError` with the reason.
 *
 * @throws {Error} that names the element of `caCerts` without a certificate.
 */
export function tlsClient(
  options: Pick<ConnectOptions, "hostname" | "caCerts">,
): (plain: Deno.TcpConn, signal: AbortSignal) => Promise<TlsConn> {
  const { hostname = DEFAULT_HOSTNAME, caCerts } = options;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const settings = {
    host,
    // An address is not a server name (RFC 6066, section 3).
    ...(isIP(host) ? {} : { servername: host }),
    secureContext: trustedContext(caCerts),
    checkServerIdentity: checkServerName,
    // The default depends on the environment (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
  };
  return async (plain, signal) => {
    const conn = new TlsConn(
      plain,
      (socket) => connect({ ...settings, socket }),
      "secureConnect",
    );
    const abort = () => conn[Symbol.dispose]();
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      await conn.handshake();
      return conn;
    } catch (error) {
      conn[Symbol.dispose]();
      throw new HandshakeError(describeError(error), { cause: error });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
}
