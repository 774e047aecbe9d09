/**
 * Servers of both kinds, the echo and the proxy, for tests of what holds for each,
 * and what their peers see.
 *
 * @module
 */

import { type ClosedConnection, serve } from "../../lib/echo.ts";
import type { FaultEntry, Faults } from "../../lib/net/fault_options.ts";
import {
  type DirectedFaults,
  proxy,
  type ProxyOptions,
  type ProxyServer,
} from "../../lib/proxy.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { echo, peer } from "./peers.ts";
import { withTimeLimit } from "./time_limit.ts";

/** The kinds of server that take faults. */
export const KINDS = ["echo", "proxy"] as const;
/** A kind of server. */
export type Kind = typeof KINDS[number];

/** The options that both kinds take. */
export type SessionOptions =
  & Partial<Omit<ProxyOptions, "faults">>
  & { faults?: Faults | DirectedFaults | readonly FaultEntry[] | undefined };

/** A running server of a kind. */
export interface Session extends AsyncDisposable {
  readonly server: ProxyServer;
  readonly port: number;
  /** The connections that it has closed. */
  readonly closed: ClosedConnection[];
  /** Connects a client. */
  connect(): Promise<Deno.TcpConn>;
}

/**
 * Starts a server of a kind on a free port. The upstream of a proxy treats its
 * connections as `upstream` says, by default as an echo server. Without a `grace`
 * it ends at once.
 */
export function start(
  kind: Kind,
  options: SessionOptions = {},
  upstream: (conn: Deno.TcpConn) => Promise<void> = echo,
): Session {
  const closed: ClosedConnection[] = [];
  const behind = kind === "proxy" ? peer(upstream) : undefined;
  const all = {
    port: 0,
    grace: 0,
    onClose: (one: ClosedConnection) => void closed.push(one),
    ...options,
  } as ProxyOptions;
  const server = behind
    ? proxy({ ...all, upstream: options.upstream ?? { port: behind.port } })
    : serve(all as Parameters<typeof serve>[0]) as ProxyServer;
  const { port } = server.addr;
  return {
    server,
    port,
    closed,
    connect: () => Deno.connect({ port }),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await behind?.[Symbol.asyncDispose]();
    },
  };
}

/**
 * Runs a test of a session in which only the test moves the time, and ends the
 * session.
 */
export async function clocked(
  kind: Kind,
  options: SessionOptions,
  body: (session: Session, clock: FakeClock) => Promise<void>,
  upstream?: (conn: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  using clock = new FakeClock();
  const session = start(kind, options, upstream);
  const end = async () => {
    const ending = Promise.resolve(session[Symbol.asyncDispose]());
    await clock.advance(10);
    await soon(ending);
  };
  try {
    await body(session, clock);
  } catch (error) {
    await end().catch(() => {});
    throw error;
  }
  await end();
}

/** The bytes that a server has read of what it sends to its clients. */
export function bytesDue({ server }: Session): number {
  const { bytesRead, upstream } = server.stats();
  return upstream?.bytesRead ?? bytesRead;
}

/** What a peer has received, and how it has ended. */
export interface Seen {
  bytes: Uint8Array;
  end: "eof" | "reset" | "nothing";
  /** When the first byte and the end came, as `performance.now()` has it. */
  first: number;
  last: number;
}

/**
 * Only reads, to the end of a connection, or until `enough` resolves: then there
 * was no end.
 */
export async function see(
  conn: Deno.Conn,
  enough: Promise<unknown> = new Promise(() => {}),
): Promise<Seen> {
  const chunks: Uint8Array[] = [];
  let over = false;
  let first = NaN;
  const reading = (async (): Promise<Seen["end"]> => {
    const buffer = new Uint8Array(65_536);
    try {
      for (let n; (n = await conn.read(buffer)) !== null;) {
        if (chunks.length === 0) first = performance.now();
        if (!over) chunks.push(buffer.slice(0, n));
      }
      return "eof";
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset || over) return "reset";
      throw error;
    }
  })();
  const end = await Promise.race([reading, enough.then(() => "nothing")]);
  over = true;
  const bytes = await new Blob(chunks as BlobPart[]).arrayBuffer();
  const last = performance.now();
  return { bytes: new Uint8Array(bytes), end: end as Seen["end"], first, last };
}

/** Resolves once `condition` holds, or rejects after `within` milliseconds. */
export async function eventually(
  what: string,
  condition: () => boolean,
  within = 20_000,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const deadline = performance.now() + within;
  const timer = setInterval(() => {
    if (condition()) resolve();
    else if (performance.now() > deadline) {
      reject(new Error(`not within ${within} ms: ${what}`));
    }
  }, 1);
  try {
    await promise;
  } finally {
    clearInterval(timer);
  }
}

/**
 * What `work` resolves with, or rejects after some thousand turns of the event loop.
 * It is a time limit for tests whose clock stands still.
 */
export async function soon<T>(work: Promise<T>): Promise<T> {
  const never = settle(5_000).then(() => {
    throw new Error("nothing happened");
  });
  return await Promise.race([work, never]);
}

/** What `work` resolves with, or rejects after `limit` milliseconds. */
export async function within<T>(
  limit: number,
  work: Promise<T> | (() => Promise<T>),
): Promise<T> {
  let result: T;
  await withTimeLimit(async () => {
    result = await (typeof work === "function" ? work() : work);
  }, limit);
  return result!;
}
