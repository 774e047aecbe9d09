/**
 * Keeps a proxy from being its own upstream: it would accept its own connections
 * until all files are used up. Known addresses are rejected at the start. What a name
 * hides is noticed at the first connection that comes from the proxy itself.
 *
 * ```ts
 * import { isOwnAddress } from "./loop.ts";
 *
 * isOwnAddress({ hostname: "::", port: 80 }, { hostname: "127.1", port: 80 }); // true
 * ```
 *
 * @module
 */

import { closeConn, type Conn } from "../net/conn.ts";
import { formatAddress } from "../net/endpoint.ts";
import { EchoError } from "../net/errors.ts";
import type { Dial } from "./session.ts";

/** A TCP address, as options have it. */
interface Address {
  hostname: string;
  port: number;
}

/** Why such an upstream is rejected. */
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

/** Whether a server that listens at `own` would reach itself at `target`. */
export function isOwnAddress(own: Address, target: Address): boolean {
  if (own.port !== target.port) return false;
  const here = canonical(own.hostname);
  const there = canonical(target.hostname);
  if (here === there) return true;
  if (WILDCARD.test(there)) return LOOPBACK.test(here) || WILDCARD.test(here);
  return WILDCARD.test(here) &&
    (LOOPBACK.test(there) || hostAddresses().includes(there));
}

/** A dial that fails for a client that is a connection of the same dial. */
export function rejectLoop(dial: Dial): Dial {
  const own = new Set<string>();
  const check = (client: Conn) => {
    const addresses = pair(client.remoteAddr, client.localAddr);
    if (!addresses || !own.has(addresses)) return;
    throw new EchoError(`Cannot forward: ${OWN_ADDRESS}`);
  };
  return async (client, context) => {
    check(client);
    const conn = await dial(client, context);
    const addresses = pair(conn.localAddr, conn.remoteAddr);
    if (!addresses) return conn;
    own.add(addresses);
    const forget = () => own.delete(addresses);
    context.signal.addEventListener("abort", forget, { once: true });
    try {
      // The client's own dial may have succeeded meanwhile.
      check(client);
    } catch (error) {
      closeConn(conn);
      throw error;
    }
    return conn;
  };
}

/** Both ends of a TCP connection, which tell it from all others. */
function pair(from: Deno.Addr, to: Deno.Addr): string | undefined {
  // An end of a Unix socket may have no name.
  if (from.transport !== "tcp") return undefined;
  return [from, to]
    .map((addr) => formatAddress(addr).replace(/^\[::ffff:(.*)\]/, "$1"))
    .join();
}
