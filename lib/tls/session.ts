/**
 * Starts TLS sessions on connected sockets, as the server or as the client.
 *
 * @module
 */

import type { Socket } from "node:net";
import type {
  ConnectionOptions,
  PeerCertificate,
  SecureContext,
  TLSSocket,
  TLSSocketOptions,
} from "node:tls";
import { DEFAULT_HOSTNAME } from "../net/defaults.ts";
import { nodeModule } from "../net/node_sockets.ts";
import type { ConnectOptions, ListenOptions } from "../net/options.ts";
import { describeHandshakeError, TlsConn } from "./tls_conn.ts";

/** Starts a session on a connected socket. */
export type StartTls = (socket: Socket) => TlsConn;

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Characters of a certificate's names in a message; it may have thousands. */
const MAX_NAMES_LENGTH = 200;

/** Fingerprints of client certificates to remember, about 100 bytes each. */
const MAX_VERIFIED = 10_000;

/** Returns a function that starts the sessions of a server. */
export function tlsServer(
  { cert, key, clientCa, alpnProtocols }: ListenOptions,
): StartTls {
  const { createSecureContext, TLSSocket } = nodeModule("node:tls");
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
  options: ConnectOptions,
): StartTls {
  const { hostname = DEFAULT_HOSTNAME, serverName = hostname } = options;
  const { caCerts, cert, key, alpnProtocols } = options;
  const { connect } = nodeModule("node:tls");
  const host = serverName.replace(/^\[(.*)\]$/, "$1");
  const settings = {
    host,
    // An address is not a server name (RFC 6066, section 3).
    ...(nodeModule("node:net").isIP(host) ? {} : { servername: host }),
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

/**
 * Trusts the authorities that Deno trusts, and those in `caCerts` (PEM). Presents
 * `cert` with its `key`, if a server asks for a certificate.
 *
 * @throws {Error} that names the element of `caCerts` without a certificate.
 */
function trustedContext(
  { caCerts = [], cert, key }: ConnectOptions,
): SecureContext {
  const secureContext = nodeModule("node:tls").createSecureContext({
    cert,
    key,
  });
  for (const [index, pem] of caCerts.entries()) {
    const certificates = pem.match(CERTIFICATE) ?? [];
    if (certificates.length === 0) {
      throw new Error(`caCerts[${index}] holds no certificate (PEM)`);
    }
    for (const certificate of certificates) {
      try {
        new (nodeModule("node:crypto").X509Certificate)(certificate);
      } catch (error) {
        throw new Error(
          `caCerts[${index}] holds a certificate that cannot be decoded`,
          { cause: error },
        );
      }
      // As an option (`ca`) they would replace the authorities that Deno trusts,
      // including those of `--cert` and `DENO_TLS_CA_STORE`.
      secureContext.context.addCACert(certificate);
    }
  }
  return secureContext;
}

/**
 * Checks that a certificate is for a host. Only its alternative names count:
 * `node:tls` would accept its common name, too, which RFC 9525 forbids.
 */
export function checkServerName(
  hostname: string,
  certificate: PeerCertificate,
): Error | undefined {
  const names = certificate.subjectaltname;
  const { checkServerIdentity } = nodeModule("node:tls");
  if (names && !checkServerIdentity(hostname, certificate)) return undefined;
  const shown = names && names.length > MAX_NAMES_LENGTH
    ? `${names.slice(0, MAX_NAMES_LENGTH)}...`
    : names;
  return new Error(
    `its certificate is for ${shown || "no name"}, and not for ${hostname}`,
  );
}
