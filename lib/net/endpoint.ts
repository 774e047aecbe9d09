/**
 * Endpoints: addresses as text, and the permissions to use them.
 *
 * @module
 */

import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./defaults.ts";
import type { ConnectOptions } from "./options.ts";
import { systemError } from "./system_error.ts";

/** The options that name an endpoint. */
export type Endpoint = Pick<ConnectOptions, "path" | "hostname" | "port">;

/** `HOST:PORT`, an IPv6 address in brackets (RFC 3986, section 3.2.2). */
export function joinHostPort(hostname: string, port: number): string {
  // Callers without types may pass anything, which the message then shows.
  const name = `${hostname}`;
  return name.includes(":") && !name.startsWith("[")
    ? `[${name}]:${port}`
    : `${name}:${port}`;
}

/**
 * The parts of `HOST:PORT`, or `undefined` for any other text. An IPv6 address
 * without brackets has no port.
 */
export function splitHostPort(
  text: string,
): { hostname: string; port: number } | undefined {
  const match = /^(?:\[([^\]\s]*)\]|([^:/\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return undefined;
  return { hostname: match[1] ?? match[2] ?? "", port };
}

/** The endpoint of an address that Deno returned. */
export function formatAddress(address: Deno.Addr): string {
  switch (address.transport) {
    case "tcp":
    case "udp":
      return joinHostPort(address.hostname, address.port);
    case "unix":
    case "unixpacket":
      return address.path || "unix socket";
    default:
      return `vsock:${address.cid}:${address.port}`;
  }
}

/** The endpoint that options name: `HOST:PORT`, or the path of a Unix socket. */
export function formatEndpoint(options: Endpoint): string {
  const { path, hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT } = options;
  return path ?? joinHostPort(hostname, port);
}

/**
 * Rejects a host name that is no text, or that contains a port: its lookup would fail
 * with a misleading error.
 *
 * @throws {TypeError} that says how to give both.
 */
export function rejectPortInHostname(
  action: string,
  { hostname = DEFAULT_HOSTNAME, path }: Endpoint,
): void {
  if (typeof hostname !== "string") {
    throw new TypeError(`${action} with hostname ${hostname}: expected a text`);
  }
  const parts = path === undefined ? splitHostPort(hostname) : undefined;
  if (!parts) return;
  throw new TypeError(
    `${action} with hostname "${hostname}": it contains a port; use hostname "${parts.hostname}" and port ${parts.port}`,
  );
}

/** The kinds of permission that an endpoint may need. */
const KINDS = ["net", "read", "write"] as const;

/** A permission flag, quoted if a shell needs it. */
export function permissionFlag(
  kind: typeof KINDS[number],
  ...targets: string[]
): string {
  const flag = `--allow-${kind}=${targets.join(",")}`;
  return /^[\w./:=,-]+$/.test(flag) ? flag : `'${flag}'`;
}

/** The permissions that listening on an endpoint, or connecting to it, needs. */
function permissionsOf(
  endpoint: Endpoint,
): [kind: typeof KINDS[number], target: string][] {
  const { path } = endpoint;
  if (path === undefined) return [["net", formatEndpoint(endpoint)]];
  return [["net", `unix:${path}`], ["read", path], ["write", path]];
}

/** The permission flags that using all endpoints needs. */
export function requiredPermissions(...endpoints: Endpoint[]): string {
  const permissions = endpoints.flatMap(permissionsOf);
  return KINDS.flatMap((kind) => {
    const targets = permissions.filter(([name]) => name === kind)
      .map(([, target]) => target);
    return targets.length > 0 ? [permissionFlag(kind, ...targets)] : [];
  }).join(" ");
}

/**
 * Requests the permissions to use all endpoints, before anything is opened. On a
 * terminal, Deno asks the user for those that are missing, unless it runs with
 * `--no-prompt`, or `ask` is false.
 *
 * @throws {Deno.errors.NotCapable} if one is missing; the message names them all.
 */
export function requestPermissions(
  endpoints: readonly Endpoint[],
  action: string,
  { ask = true }: { ask?: boolean } = {},
): void {
  const look = ask ? "requestSync" : "querySync";
  const granted = endpoints.flatMap(permissionsOf).every(([name, target]) =>
    Deno.permissions[look](
      name === "net" ? { name, host: target } : { name, path: target },
    ).state === "granted"
  );
  if (granted) return;
  throw systemError(new Deno.errors.NotCapable("permission not granted"), {
    action,
    permissions: requiredPermissions(...endpoints),
  });
}
