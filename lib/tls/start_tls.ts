/**
 * The options of TLS for servers and clients, and the handshake of a client.
 *
 * @module
 */

import { formatEndpoint } from "../net/endpoint.ts";
import { HandshakeError } from "../net/errors.ts";
import type { ConnectOptions, ListenOptions } from "../net/options.ts";
import { describeError } from "../net/system_error.ts";
import { type StartTls, tlsClient } from "./session.ts";
import type { TlsConn } from "./tls_conn.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----/;

const DESCRIPTIONS: [message: RegExp, description: string][] = [
  [/No certificates found/, "cert holds no certificate (PEM)"],
  [/decode certificate/, "cert holds a certificate that cannot be decoded"],
  [
    /certificate store/,
    "clientCa holds a certificate that cannot be decoded",
  ],
  [/No keys found/, "key holds no private key (PEM)"],
  [/decode key/, "key cannot be decoded; it must not be encrypted"],
  [/KeyMismatch/, "key is not the private key of cert"],
  [
    /parse private key/,
    "key is not supported: expected RSA of 2048 bits or more, ECDSA or Ed25519",
  ],
];

/** @throws {TypeError} if a server cannot speak TLS as its options request. */
export function checkServerTls(options: ListenOptions, action: string): void {
  const { path, cert, key, clientCa, alpnProtocols } = options;
  if (path !== undefined && (cert !== undefined || key !== undefined)) {
    throw new TypeError(`${action} with cert and key: TLS is for TCP`);
  }
  checkPair({ cert, key }, action);
  checkNeeds({ clientCa, alpnProtocols }, cert !== undefined, "cert", action);
  checkProtocols(alpnProtocols, action);
}

/** @throws {TypeError} if a client cannot speak TLS as its options request. */
export function checkClientTls(options: ConnectOptions, action: string): void {
  const { path, tls = false, caCerts, serverName, cert, key, alpnProtocols } =
    options;
  if (tls && path !== undefined) {
    throw new TypeError(`${action} with tls: TLS is for TCP`);
  }
  const needTls = { caCerts, serverName, cert, key, alpnProtocols };
  checkNeeds(needTls, tls, "tls", action);
  checkPair({ cert, key }, action);
  checkProtocols(alpnProtocols, action);
}

/**
 * Checks a server's certificate chain and its private key (PEM), and the certificates
 * of the authorities of clients, before it listens. `node:tls` accepts any text for
 * them, and then fails at each handshake.
 *
 * @throws {Error} that says which of them cannot be used, and why.
 */
export function checkCredentials(
  { cert, key, clientCa }: {
    cert: string;
    key: string;
    clientCa?: string | undefined;
  },
): void {
  try {
    // The one API that makes Deno's TLS library check them without a connection.
    Deno.createHttpClient({
      cert,
      key,
      ...(clientCa === undefined ? {} : { caCerts: [clientCa] }),
    }).close();
  } catch (error) {
    const { message } = error as Error;
    const [, description = message] = DESCRIPTIONS.find(([pattern]) =>
      pattern.test(message)
    ) ?? [];
    throw new Error(description, { cause: error });
  }
  if (clientCa !== undefined && !CERTIFICATE.test(clientCa)) {
    throw new Error("clientCa holds no certificate (PEM)");
  }
}

/**
 * Returns how a client starts TLS, or `undefined` if it does not.
 *
 * @throws {TypeError} if it cannot speak TLS as its options request, or if an
 * element of `caCerts`, or the certificate and its key, cannot be used.
 */
export function clientTls(
  options: ConnectOptions,
  action: string,
): StartTls | undefined {
  checkClientTls(options, action);
  if (!options.tls) return undefined;
  try {
    return tlsClient(options);
  } catch (error) {
    throw new TypeError(`${action}: ${describeError(error)}`, { cause: error });
  }
}

/**
 * Waits for the handshake of a client's connection, and returns the connection.
 *
 * @throws {HandshakeError} that says why it failed.
 */
export async function established(
  conn: TlsConn,
  { options, signal }: { options: ConnectOptions; signal: AbortSignal },
): Promise<TlsConn> {
  const abort = () => conn[Symbol.dispose]();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await conn.handshake();
    return conn;
  } catch (cause) {
    conn[Symbol.dispose]();
    const action = `Cannot speak TLS with ${formatEndpoint(options)}`;
    throw new HandshakeError(`${action}: ${describeError(cause)}`, { cause });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function checkPair(
  { cert, key }: Pick<ListenOptions, "cert" | "key">,
  action: string,
): void {
  if (key !== undefined && cert === undefined) {
    throw new TypeError(`${action} with key alone: TLS needs cert`);
  }
  if (cert !== undefined && key === undefined) {
    throw new TypeError(`${action} with cert alone: TLS needs key`);
  }
}

function checkNeeds(
  options: Record<string, unknown>,
  has: boolean,
  needed: string,
  action: string,
): void {
  if (has) return;
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    throw new TypeError(`${action} with ${name} but without ${needed}`);
  }
}

function checkProtocols(
  protocols: readonly string[] | undefined,
  action: string,
): void {
  const wrong = protocols?.find((name) => {
    const { length } = new TextEncoder().encode(name);
    return length < 1 || length > 255;
  });
  if (wrong !== undefined || protocols?.length === 0) {
    throw new TypeError(
      `${action} with alpnProtocols ${
        JSON.stringify(protocols)
      }: expected names of 1 to 255 bytes`,
    );
  }
}
