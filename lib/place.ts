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

import { hostPort } from "./address.ts";
import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./defaults.ts";

/** Where an end of the exchange is, as one word. */
export function place(
  options: { path?: string; hostname?: string; port?: number },
): string {
  const { path, hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT } = options;
  return path ?? hostPort(hostname, port);
}

/** The permissions without which an end of the exchange cannot be there. */
export function grant(options: { path?: string }): string {
  const { path } = options;
  return path === undefined
    ? `--allow-net=${place(options)}`
    : `--allow-net=unix:${path} --allow-read=${path} --allow-write=${path}`;
}
