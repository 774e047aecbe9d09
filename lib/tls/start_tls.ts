/**
 * TLS for servers and clients. This is the module that others import. It loads
 * `node:tls` only if TLS is requested, because that takes 20 ms.
 *
 * ```ts
 * import { tlsListener } from "./start_tls.ts";
 *
 * const listener = tlsListener(Deno.listen({ port: 8443 }), {
 *   cert: await Deno.readTextFile("cert.pem"),
 *   key: await Deno.readTextFile("key.pem"),
 * });
 * using conn = await listener.accept();
 * ```
 *
 * @module
 */

import type { ConnectOptions, ServeOptions } from "../net/options.ts";
import { describeError } from "../net/system_error.ts";

/** Starts TLS on a connection, which it closes if the handshake fails. */
export type StartTls = (
  plain: Deno.TcpConn,
  signal: AbortSignal,
) => Promise<Deno.Conn>;

/** @throws {TypeError} if a server cannot speak TLS as its options request. */
export function checkTlsOptions(
  { path, cert, key }: Pick<ServeOptions, "path" | "cert" | "key">,
  action: string,
): void {
  if (cert === undefined && key === undefined) return;
  if (path !== undefined) {
    throw new TypeError(`${action} with cert and key: TLS is for TCP`);
  }
  if (cert === undefined) {
    throw new TypeError(`${action} with key alone: TLS needs cert`);
  }
  if (key === undefined) {
    throw new TypeError(`${action} with cert alone: TLS needs key`);
  }
}

/**
 * Makes a listener accept TLS connections. Each is returned when its handshake
 * has begun; `TlsConn.handshake()` waits for the end of the handshake.
 */
export function tlsListener(
  listener: Deno.TcpListener,
  credentials: { cert: string; key: string },
): Deno.Listener<Deno.Conn> {
  const loading = import("./session.ts");
  const starting = loading.then(({ tlsServer }) => tlsServer(credentials));
  const accept = listener.accept.bind(listener);
  return Object.assign(listener as Deno.Listener<Deno.Conn>, {
    async accept() {
      const plain = await accept();
      const startTls = await starting;
      return startTls(plain);
    },
  });
}

/**
 * Returns how a client starts TLS, or `undefined` if it does not.
 *
 * @throws {TypeError} if it cannot speak TLS as its options request, or if an
 * element of `caCerts` holds no certificate.
 */
export async function tlsStarter(
  options: ConnectOptions,
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

/** @throws {TypeError} if a client cannot speak TLS as its options request. */
export function checkClientTls(
  { path, tls = false, caCerts }: Pick<
    ConnectOptions,
    "path" | "tls" | "caCerts"
  >,
  action: string,
): void {
  if (tls && path !== undefined) {
    throw new TypeError(`${action} with tls: TLS is for TCP`);
  }
  if (!tls && caCerts !== undefined) {
    throw new TypeError(`${action} with caCerts but without tls`);
  }
}
