/**
 * Starts TLS on a plain connection, as either end.
 *
 * ```ts
 * import { secure } from "./secure.ts";
 * import { clientContext } from "./tls_credentials.ts";
 * const plain = await Deno.connect({ hostname: "localhost", port: 8443 });
 * const { signal } = new AbortController();
 * const secureContext = clientContext();
 * const conn = await secure(plain, { hostname: "localhost", secureContext, signal });
 * ```
 *
 * @module
 */

import { isIP } from "node:net";
import { connect, type SecureContext, TLSSocket } from "node:tls";
import { DEFAULT_HOSTNAME } from "./defaults.ts";
import { HandshakeError, reason } from "./errors.ts";
import type { ConnectOptions } from "./options.ts";
import { place } from "./place.ts";
import { TlsConn } from "./tls_conn.ts";
import { checkName } from "./tls_reason.ts";

/** The server's end, on a connection just accepted. */
export function acceptTls(
  plain: Deno.TcpConn,
  secureContext: SecureContext,
): TlsConn {
  return new TlsConn(
    plain,
    (stream) => new TLSSocket(stream, { isServer: true, secureContext }),
    "secure",
  );
}

/** The client's end; the server's certificate must be for `hostname`. */
function startTls(
  plain: Deno.TcpConn,
  hostname: string,
  secureContext: SecureContext,
): TlsConn {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return new TlsConn(
    plain,
    (socket) =>
      connect({
        socket,
        host,
        // An address is no server name (RFC 6066, section 3).
        ...(isIP(host) ? {} : { servername: host }),
        secureContext,
        checkServerIdentity: checkName,
        // Not left to the environment (NODE_TLS_REJECT_UNAUTHORIZED).
        rejectUnauthorized: true,
      }),
    "secureConnect",
  );
}

/**
 * Makes a TLS session of a connection, which it closes where that fails.
 *
 * @throws {HandshakeError} that says why there is none.
 */
export async function secure(
  plain: Deno.TcpConn,
  options: ConnectOptions & {
    secureContext: SecureContext;
    signal: AbortSignal;
  },
): Promise<TlsConn> {
  const { hostname = DEFAULT_HOSTNAME, secureContext, signal } = options;
  const conn = startTls(plain, hostname, secureContext);
  const abort = () => conn[Symbol.dispose]();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await conn.handshake();
    return conn;
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
