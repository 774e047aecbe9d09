/**
 * Clients of every kind at one server for a while: those that talk, stream, say
 * nothing, break off, never read, or speak no TLS to a TLS server. Every byte of
 * the well-behaved is verified, and nothing may be left open in the end.
 *
 * ```sh
 * deno task soak # one minute
 * ```
 *
 * @module
 */

import { exchange, serve, type ServerStats } from "../lib/echo.ts";
import { ca, cert, key } from "./certificates.ts";
import { pattern, portOf, read, utf8, write } from "./peers.ts";

/** What a soak came to. */
export interface Soaked {
  /** Exchanges in which every byte came back. */
  exchanges: number;
  /** Clients that behaved badly, each of them once a round. */
  hostile: number;
  /** What went wrong with the well-behaved; must be empty. */
  errors: unknown[];
  /** The totals of the plain server and of the TLS one. */
  totals: ServerStats[];
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs for `ms` milliseconds. */
export async function soak(ms: number): Promise<Soaked> {
  const plain = serve({ port: 0, idleTimeout: 5_000 });
  const secure = serve({ port: 0, cert, key, idleTimeout: 5_000 });
  const tls = { tls: true, caCerts: [ca], port: portOf(secure) };
  const to = { port: portOf(plain) };
  const end = performance.now() + ms;
  const result: Soaked = { exchanges: 0, hostile: 0, errors: [], totals: [] };

  async function good(talk: () => Promise<unknown>): Promise<void> {
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

  async function bad(
    port: number,
    talk: (conn: Deno.TcpConn) => Promise<unknown>,
  ): Promise<void> {
    while (performance.now() < end) {
      using conn = await Deno.connect({ port });
      await talk(conn).catch(() => {});
      result.hostile++;
    }
  }

  const long = pattern(2_000_000);
  const someLength = () => Math.floor(Math.random() * 20_000);
  await Promise.all([
    ...Array.from(
      { length: 20 },
      () => good(() => exchange(pattern(someLength()), to)),
    ),
    good(() => exchange(long, to)),
    good(() => exchange(long, tls)),
    good(() => exchange("secret", tls)),
    // Breaks off with echoes unread, which resets the connection.
    bad(to.port, async (conn) => {
      await write(conn, pattern(200_000));
    }),
    bad(to.port, () => pause(5)),
    // Never reads; the server stops reading from it.
    bad(to.port, async (conn) => {
      const flooding = write(conn, long).catch(() => {});
      await pause(50);
      conn.close();
      await flooding;
    }),
    bad(to.port, async (conn) => {
      await write(conn, utf8("half"));
      await conn.closeWrite();
      await read(conn);
    }),
    bad(to.port, async (conn) => {
      for (const byte of utf8("dribbled")) {
        await write(conn, Uint8Array.of(byte));
        await pause(1);
      }
      await read(conn, 8);
    }),
    bad(tls.port, (conn) => write(conn, utf8("no TLS at all\r\n\r\n"))),
    bad(tls.port, () => pause(5)),
  ]);
  result.totals = await Promise.all([plain.shutdown(), secure.shutdown()]);
  return result;
}

if (import.meta.main) {
  const { exchanges, hostile, errors, totals } = await soak(60_000);
  console.log({ exchanges, hostile, errors, totals });
  if (errors.length > 0 || totals.some(({ open }) => open > 0)) Deno.exit(1);
}
