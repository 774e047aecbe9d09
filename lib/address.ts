/**
 * Addresses as people write them: `127.0.0.1:12345`, `[::1]:12345`, or the path
 * of a Unix socket.
 *
 * ```ts
 * import { hostPort, splitHostPort } from "./address.ts";
 * hostPort("::1", 12345); // "[::1]:12345"
 * splitHostPort("[::1]:12345"); // { hostname: "::1", port: 12345 }
 * ```
 *
 * @module
 */

/** `HOST:PORT`, an IPv6 address in brackets (RFC 3986, section 3.2.2). */
export function hostPort(hostname: string, port: number): string {
  return hostname.includes(":") && !hostname.startsWith("[")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/**
 * The parts of `HOST:PORT`, or `undefined` where a text is not that. An IPv6
 * address without brackets has no port.
 */
export function splitHostPort(
  text: string,
): { hostname: string; port: number } | undefined {
  const match = /^(?:\[([^\]\s]*)\]|([^:/\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return undefined;
  return { hostname: match[1] ?? match[2] ?? "", port };
}

/** An address of Deno's as one word. */
export function showAddress(address: Deno.Addr): string {
  switch (address.transport) {
    case "tcp":
    case "udp":
      return hostPort(address.hostname, address.port);
    case "unix":
    case "unixpacket":
      return address.path || "unix socket";
    default:
      return `vsock:${address.cid}:${address.port}`;
  }
}
