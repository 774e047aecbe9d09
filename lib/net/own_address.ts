/**
 * Whether a proxy would be its own upstream: it would accept its own connections until
 * all files are used up.
 *
 * @module
 */

import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./defaults.ts";
import type { Endpoint } from "./endpoint.ts";

/** Why an upstream is rejected that leads back to the proxy. */
export const OWN_ADDRESS = "it is where this server listens";

const LOOPBACK = /^127\.|^::1$/;
/** Listening there is listening at all addresses, and connecting to them one's own. */
const WILDCARD = /^(0\.0\.0\.0|::)$/;

/** The one spelling of an address: that of URLs, in which `127.1` is `127.0.0.1`. */
function canonical(hostname: string): string {
  const name = hostname.replace(/^\[|\]$/g, "").replace(
    /^::ffff:(?=.*\.)/i,
    "",
  );
  if (name.toLowerCase() === "localhost") return "127.0.0.1";
  const url = URL.parse(`http://${name.includes(":") ? `[${name}]` : name}`);
  return url?.hostname.replace(/^\[|\]$/g, "") ?? name;
}

/** The addresses of this host, as far as the permissions show them. */
function hostAddresses(): string[] {
  const wanted = { name: "sys", kind: "networkInterfaces" } as const;
  if (Deno.permissions.querySync(wanted).state !== "granted") return [];
  return Deno.networkInterfaces().map(({ address }) => canonical(address));
}

/** Whether a server that listens at `own` reaches itself at `target`. */
export function isOwnEndpoint(own: Endpoint, target: Endpoint): boolean {
  if (own.path !== undefined || target.path !== undefined) {
    return own.path === target.path;
  }
  const { port = DEFAULT_PORT } = own;
  if (port !== (target.port ?? DEFAULT_PORT)) return false;
  const here = canonical(own.hostname ?? DEFAULT_HOSTNAME);
  const there = canonical(target.hostname ?? DEFAULT_HOSTNAME);
  if (here === there) return true;
  if (WILDCARD.test(there)) return LOOPBACK.test(here) || WILDCARD.test(here);
  return WILDCARD.test(here) &&
    (LOOPBACK.test(there) || hostAddresses().includes(there));
}
