/**
 * Runs correct and hostile clients against one server: clients that exchange
 * messages, stream, send nothing, disconnect early, never read, or send no TLS to
 * a TLS server. They also run through a proxy, whose faults change all the time.
 * Every byte of the correct clients is verified, and no connection may be open at
 * the end.
 *
 * ```sh
 * deno task soak # for one minute
 * ```
 *
 * @module
 */

import { exchange, type Faults, serve, type ServerStats } from "../lib/echo.ts";
import { proxy } from "../lib/proxy.ts";
import { ca, cert, key } from "./support/certificates.ts";
import { pattern, portOf, read, utf8, write } from "./support/peers.ts";

/** The result of a soak test. */
export interface SoakResult {
  /** Exchanges in which every byte came back. */
  exchanges: number;
  /** Connections of hostile clients. */
  hostile: number;
  /** Errors of the correct clients. Must be empty. */
  errors: unknown[];
  /** The totals of the plain server, the TLS server and the proxy. */
  totals: ServerStats[];
}

/** Faults that delay bytes, and change or lose none. */
const HARMLESS: readonly Faults[] = [
  {},
  { latency: 5, jitter: 5 },
  { slicer: 700 },
  { bandwidth: 5_000_000 },
  { stall: 10_000 },
  { stallAfter: 20 },
  { latency: 2, slicer: 1_000, slicerDelay: 1, toxicity: 0.5 },
];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs all clients for `ms` milliseconds. */
export async function soak(ms: number): Promise<SoakResult> {
  const plain = serve({ port: 0, idleTimeout: 5_000 });
  const secure = serve({ port: 0, cert, key, idleTimeout: 5_000 });
  const between = proxy({
    port: 0,
    upstream: { port: portOf(plain) },
    idleTimeout: 5_000,
  });
  const through = { port: portOf(between) };
  const tls = { tls: true, caCerts: [ca], port: portOf(secure) };
  const to = { port: portOf(plain) };
  const end = performance.now() + ms;
  const result: SoakResult = {
    exchanges: 0,
    hostile: 0,
    errors: [],
    totals: [],
  };

  async function correct(talk: () => Promise<unknown>): Promise<void> {
    while (performance.now() < end) {
      try {
        await talk();
        result.exchanges++;
      } catch (error) {
        result.errors.push(error);
        return;
      }
    }
  }

  async function hostile(
    port: number,
    talk: (conn: Deno.TcpConn) => Promise<unknown>,
  ): Promise<void> {
    while (performance.now() < end) {
      using conn = await Deno.connect({ port });
      await talk(conn).catch(() => {});
      result.hostile++;
    }
  }

  async function changeFaults(): Promise<void> {
    for (let i = 0; performance.now() < end; i++) {
      const faults = (by: number) => HARMLESS[(i * by) % HARMLESS.length]!;
      between.setFaults({ downstream: faults(1), upstream: faults(3) });
      await pause(100);
    }
    between.setFaults(undefined);
  }

  const long = pattern(2_000_000);
  const someLength = () => Math.floor(Math.random() * 20_000);
  await Promise.all([
    ...Array.from(
      { length: 20 },
      () => correct(() => exchange(pattern(someLength()), to)),
    ),
    correct(() => exchange(long, to)),
    correct(() => exchange(long, tls)),
    correct(() => exchange("secret", tls)),
    changeFaults(),
    ...Array.from(
      { length: 5 },
      () => correct(() => exchange(pattern(someLength()), through)),
    ),
    correct(() => exchange(long, through)),
    hostile(through.port, () => pause(5)),
    hostile(through.port, (conn) => write(conn, long)),
    // Disconnects with unread echo, which resets the connection.
    hostile(to.port, async (conn) => {
      await write(conn, pattern(200_000));
    }),
    hostile(to.port, () => pause(5)),
    // Never reads, so the server stops reading too.
    hostile(to.port, async (conn) => {
      const flooding = write(conn, long).catch(() => {});
      await pause(50);
      conn.close();
      await flooding;
    }),
    hostile(to.port, async (conn) => {
      await write(conn, utf8("half"));
      await conn.closeWrite();
      await read(conn);
    }),
    hostile(to.port, async (conn) => {
      for (const byte of utf8("one by one")) {
        await write(conn, Uint8Array.of(byte));
        await pause(1);
      }
      await read(conn, 10);
    }),
    hostile(tls.port, (conn) => write(conn, utf8("no TLS at all\r\n\r\n"))),
    hostile(tls.port, () => pause(5)),
  ]);
  const last = await between.shutdown();
  result.totals = [await plain.shutdown(), await secure.shutdown(), last];
  return result;
}

if (import.meta.main) {
  const { exchanges, hostile, errors, totals } = await soak(60_000);
  console.log({ exchanges, hostile, errors, totals });
  if (errors.length > 0 || totals.some(({ open }) => open > 0)) Deno.exit(1);
}
