/**
 * Where an end of the exchange is, in the words of its options: for messages, and
 * for the permission that being there takes.
 *
 * ```ts
 * import { grant, place } from "./place.ts";
 * place({ port: 7 }); // 127.0.0.1:7
 * grant({ port: 7 }); // --allow-net=127.0.0.1:7
 * ```
 *
 * @module
 */

import { hostPort, splitHostPort } from "./address.ts";
import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./defaults.ts";
import type { ConnectOptions } from "./options.ts";

/** The options that say where an end of the exchange is. */
export type Place = Pick<ConnectOptions, "path" | "hostname" | "port">;

/** The same as one word. */
export function place(options: Place): string {
  const { path, hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT } = options;
  return path ?? hostPort(hostname, port);
}

/**
 * A port in the host name would end up in a look-up that fails with a riddle.
 *
 * @throws {TypeError} that says how to give both.
 */
export function refusePortInHostname(
  attempt: string,
  { hostname = DEFAULT_HOSTNAME, path }: Place,
): void {
  const parts = path === undefined ? splitHostPort(hostname) : undefined;
  if (!parts) return;
  throw new TypeError(
    `${attempt} with hostname "${hostname}": it contains a port; use hostname "${parts.hostname}" and port ${parts.port}`,
  );
}

/** A permission as it is granted, in quotes where a shell would read more in it. */
export function permission(kind: "net" | "read" | "write", to: string): string {
  const flag = `--allow-${kind}=${to}`;
  return /^[\w./:=-]+$/.test(flag) ? flag : `'${flag}'`;
}

/** The permissions without which an end of the exchange cannot be there. */
export function grant(options: Place): string {
  const { path } = options;
  if (path === undefined) return permission("net", place(options));
  return [
    permission("net", `unix:${path}`),
    permission("read", path),
    permission("write", path),
  ].join(" ");
}
