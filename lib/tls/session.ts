/**
 * Starts TLS sessions on connected sockets, as the server or as the client. It loads
 * `node:tls`, so import it only when TLS is requested.
 *
 * @module
 */

import { isIP, type Socket } from "node:net";
import {
  connect,
  type ConnectionOptions,
  createSecureContext,
  TLSSocket,
  type TLSSocketOptions,
} from "node:tls";
import { DEFAULT_HOSTNAME } from "../net/defaults.ts";
import type { ConnectOptions, ListenOptions } from "../net/options.ts";
import { describeHandshakeError } from "./handshake_error.ts";
import { TlsConn } from "./tls_conn.ts";
import { checkServerName, trustedContext } from "./trust.ts";

/** Starts a session on a connected socket. */
export type StartTls = (socket: Socket) => TlsConn;

/** Fingerprints of client certificates to remember, about 100 bytes each. */
const MAX_VERIFIED = 10_000;

/** Returns a function that starts the sessions of a server. */
export function tlsServer(
  { cert, key, clientCa, alpnProtocols }: Pick<
    ListenOptions,
    "cert" | "key" | "clientCa" | "alpnProtocols"
  >,
): StartTls {
  const needsClient = clientCa !== undefined;
  const options = {
    isServer: true,
    secureContext: createSecureContext({ cert, key, ca: clientCa }),
    requestCert: needsClient,
    rejectUnauthorized: needsClient,
    ALPNProtocols: alpnProtocols,
  };
  const refuse = needsClient ? clientVerifier() : undefined;
  return (socket) =>
    new TlsConn(socket, new TLSSocket(socket, options as TLSSocketOptions), {
      ready: "secure",
      refuse,
    });
}

/**
 * Returns a function that says why a client is refused, if its certificate is not of
 * the right issuer. The runtime leaves that to its caller, completes the handshake
 * with such a client, and may send it a ticket to resume the session (RFC 8446,
 * section 2.2), which all servers of this process accept without a look at the
 * certificate. So a client may only resume with a certificate that was verified here.
 */
function clientVerifier(): (socket: TLSSocket) => string | undefined {
  const verified = new Set<string>();
  return (socket) => {
    const code = verifyError(socket);
    if (code) {
      const error = Object.assign(new Error(code), { code });
      return describeHandshakeError(error);
    }
    const { fingerprint256 } = socket.getPeerX509Certificate() ?? {};
    if (fingerprint256 === undefined) return "it has no certificate";
    if (socket.isSessionReused()) {
      return verified.has(fingerprint256)
        ? undefined
        : "it resumes a session without a verified certificate";
    }
    verified.add(fingerprint256);
    if (verified.size > MAX_VERIFIED) {
      verified.delete(verified.values().next().value!);
    }
    return undefined;
  };
}

/** What the runtime's verification of the peer found, or "". */
function verifyError(socket: TLSSocket): string {
  return (socket as unknown as { _handle: { verifyError(): string } })
    ._handle.verifyError();
}

/**
 * Returns a function that starts the sessions of a client. The server's certificate
 * must be for `serverName`, or else for `hostname`.
 *
 * @throws {Error} that names the element of `caCerts` without a certificate.
 */
export function tlsClient(
  options: Pick<
    ConnectOptions,
    "hostname" | "serverName" | "caCerts" | "cert" | "key" | "alpnProtocols"
  >,
): StartTls {
  const { hostname = DEFAULT_HOSTNAME, serverName = hostname } = options;
  const { caCerts, cert, key, alpnProtocols } = options;
  const host = serverName.replace(/^\[(.*)\]$/, "$1");
  const settings = {
    host,
    // An address is not a server name (RFC 6066, section 3).
    ...(isIP(host) ? {} : { servername: host }),
    secureContext: trustedContext({ caCerts, cert, key }),
    checkServerIdentity: checkServerName,
    ALPNProtocols: alpnProtocols,
    // The default depends on the environment (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
  };
  return (socket) => {
    const tls = connect({ ...settings, socket } as ConnectionOptions);
    return new TlsConn(socket, tls, { ready: "secureConnect" });
  };
}
