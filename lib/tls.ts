/**
 * TLS where it is asked for: refused where it would be dropped without a word,
 * and loaded only then, since `node:tls` takes 20 ms to load.
 *
 * ```ts
 * import { secured } from "./tls.ts";
 * const listener = secured(Deno.listen({ port: 8443 }), { cert, key });
 * const conn = await listener.accept();
 * ```
 *
 * @module
 */

import { reason } from "./errors.ts";
import type { ConnectOptions, ServeOptions } from "./options.ts";

/** Makes a TLS session of a connection, or closes it. */
export type StartTls = (
  plain: Deno.TcpConn,
  signal: AbortSignal,
) => Promise<Deno.Conn>;

/** @throws {TypeError} where a server that was to speak TLS would not. */
export function refuseLostTls(
  { path, cert, key }: Pick<ServeOptions, "path" | "cert" | "key">,
  attempt: string,
): void {
  if (cert === undefined && key === undefined) return;
  if (path !== undefined) {
    throw new TypeError(`${attempt} with cert and key: TLS is for TCP`);
  }
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined
      ? ["key", "cert"]
      : ["cert", "key"];
    throw new TypeError(`${attempt} with ${given} alone: TLS needs ${missing}`);
  }
}

/** A listener whose connections speak TLS; their handshake has just begun. */
export function secured(
  listener: Deno.TcpListener,
  credentials: { cert: string; key: string },
): Pick<Deno.Listener<Deno.Conn>, "accept" | "close" | "ref" | "unref"> {
  const loading = import("./secure.ts");
  const starting = loading.then(({ tlsServer }) => tlsServer(credentials));
  const accept = listener.accept.bind(listener);
  return Object.assign(listener, {
    async accept() {
      const plain = await accept();
      const startTls = await starting;
      return startTls(plain);
    },
  });
}

/**
 * How a client starts TLS, if it does.
 *
 * @throws {TypeError} where one that was to speak TLS would not, or where
 * `caCerts` are none.
 */
export async function tlsStarter(
  options: ConnectOptions,
  attempt: string,
): Promise<StartTls | undefined> {
  const { path, tls = false, caCerts } = options;
  if (tls && path !== undefined) {
    throw new TypeError(`${attempt} with tls: TLS is for TCP`);
  }
  if (!tls && caCerts !== undefined) {
    throw new TypeError(`${attempt} with caCerts but without tls`);
  }
  if (!tls) return undefined;
  const { tlsClient } = await import("./secure.ts");
  try {
    return tlsClient(options);
  } catch (error) {
    throw new TypeError(`${attempt}: ${reason(error)}`, { cause: error });
  }
}
