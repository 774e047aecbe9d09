/**
 * How a proxy connects to its upstream for a client. It never forwards to itself.
 *
 * @module
 */

import { closeConn, type Conn } from "../net/conn.ts";
import { formatAddress } from "../net/endpoint.ts";
import { EchoError } from "../net/errors.ts";
import { OWN_ADDRESS } from "../net/own_address.ts";

/** What a dial needs of its session. */
export interface DialContext {
  /** The accepted connection. */
  client: Conn;
  /** Aborted when the session is closed. */
  signal: AbortSignal;
}

/** Connects to the upstream for a client. */
export type Dial = (context: DialContext) => Promise<Conn>;

/** A dial that connects with `connect`. */
export function upstreamDial(
  connect: (signal: AbortSignal) => Promise<Conn>,
): Dial {
  /** The connections that it has opened. What a name hides is noticed by them. */
  const own = new Set<string>();
  const rejectOwn = ({ remoteAddr, localAddr }: Conn) => {
    const ends = endsOf(remoteAddr, localAddr);
    if (ends && own.has(ends)) {
      throw new EchoError(`Cannot forward: ${OWN_ADDRESS}`);
    }
  };
  return async ({ client, signal }) => {
    rejectOwn(client);
    const conn = await connect(signal);
    const ends = endsOf(conn.localAddr, conn.remoteAddr);
    if (ends) {
      own.add(ends);
      const forget = () => own.delete(ends);
      signal.addEventListener("abort", forget, { once: true });
    }
    try {
      // The dial that the client came from may have succeeded meanwhile.
      rejectOwn(client);
    } catch (error) {
      closeConn(conn);
      throw error;
    }
    return conn;
  };
}

/** Both ends of a TCP connection, which tell it from all others. */
function endsOf(from: Deno.Addr, to: Deno.Addr): string | undefined {
  // An end of a Unix socket may have no name.
  if (from.transport !== "tcp") return undefined;
  return [from, to]
    .map((addr) => formatAddress(addr).replace(/^\[::ffff:(.*)\]/, "$1"))
    .join();
}
