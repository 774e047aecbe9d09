/**
 * TLS for servers and clients. This is the module that others import. It loads
 * `node:tls` only if TLS is requested, because that takes 60 ms.
 *
 * @module
 */

import { formatEndpoint } from "../net/endpoint.ts";
import { HandshakeError } from "../net/errors.ts";
import type { ConnectOptions, ListenOptions } from "../net/options.ts";
import type { Adopt } from "../net/socket_listener.ts";
import { describeError } from "../net/system_error.ts";
import type { StartTls } from "./session.ts";
import type { TlsConn } from "./tls_conn.ts";

export type { StartTls };

/** The options of a server's TLS. */
type ServerTls = Pick<
  ListenOptions,
  "path" | "cert" | "key" | "clientCa" | "alpnProtocols"
>;

/** The options of a client's TLS. */
type ClientTls = Pick<
  ConnectOptions,
  | "path"
  | "hostname"
  | "port"
  | "tls"
  | "caCerts"
  | "serverName"
  | "cert"
  | "key"
  | "alpnProtocols"
>;

/** @throws {TypeError} if a server cannot speak TLS as its options request. */
export function checkServerTls(options: ServerTls, action: string): void {
  const { path, cert, key, clientCa, alpnProtocols } = options;
  if (path !== undefined && (cert !== undefined || key !== undefined)) {
    throw new TypeError(`${action} with cert and key: TLS is for TCP`);
  }
  checkPair({ cert, key }, action);
  checkNeeds({ clientCa, alpnProtocols }, cert !== undefined, "cert", action);
  checkProtocols(alpnProtocols, action);
}

/** @throws {TypeError} if a client cannot speak TLS as its options request. */
export function checkClientTls(options: ClientTls, action: string): void {
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

/** Returns how a server's accepted connections become TLS sessions. */
export async function serverTls(options: ServerTls): Promise<Adopt> {
  const [{ socketOf }, { tlsServer }] = await Promise.all([
    import("../net/node_sockets.ts"),
    import("./session.ts"),
  ]);
  const startTls = tlsServer(options);
  return (handle) => startTls(socketOf(handle));
}

/**
 * Returns how a client starts TLS, or `undefined` if it does not.
 *
 * @throws {TypeError} if it cannot speak TLS as its options request, or if an
 * element of `caCerts`, or the certificate and its key, cannot be used.
 */
export async function clientTls(
  options: ClientTls,
  action: string,
): Promise<StartTls | undefined> {
  checkClientTls(options, action);
  if (!options.tls) return undefined;
  const { tlsClient } = await import("./session.ts");
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
  { options, signal }: { options: ClientTls; signal: AbortSignal },
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
  { cert, key }: Pick<ServerTls, "cert" | "key">,
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
