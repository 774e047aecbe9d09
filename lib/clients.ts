/**
 * What a server knows of the connections it has: what each has carried, and which
 * of them are idle. What happens to them is `lib/lifecycle.ts`'s business.
 *
 * ```sh
 * deno task server --idle-timeout 5s --verbose
 * ```
 *
 * @module
 */

import type { FaultCounts } from "./faults.ts";
import type { FaultyConn } from "./misbehave.ts";
import type { Connection, EndReason } from "./options.ts";
import type { Relay } from "./relay.ts";

/** A connection and what is known of it. */
export interface Client extends Connection {
  /** As accepted, or as it misbehaves. */
  conn: Deno.Conn | FaultyConn;
  /** When it was accepted, on the process's clock. */
  readonly since: number;
  /** Missing until a TLS session has come about. */
  relay?: Relay | undefined;
  /** Set where this end decides that it is over. */
  reason?: EndReason | undefined;
  /** Bytes in both directions when the idle were last looked for, and when. */
  carried: number;
  carriedAt: number;
}

/** What a client's connection has carried; held back is not written. */
export function carriedBy(
  { relay, conn }: Client,
): { bytesRead: number; bytesWritten: number } {
  const { bytesRead = 0, bytesWritten = 0 } = relay ?? {};
  return { bytesRead, bytesWritten: "sent" in conn ? conn.sent : bytesWritten };
}

/** Whether everything that was read from a client was written back. */
export function isWhole(client: Client): boolean {
  const { bytesRead, bytesWritten } = carriedBy(client);
  return bytesRead === bytesWritten;
}

/** Adds counts of faults to others. */
export function add(counts: FaultCounts | undefined, to: FaultCounts): void {
  for (const [key, count] of Object.entries(counts ?? {})) {
    const name = key as keyof FaultCounts;
    to[name] = (to[name] ?? 0) + count;
  }
}

/**
 * Milliseconds without a byte after which a client counts as idle at a shutdown:
 * it has read its echo by then, or does not read at all.
 */
const IDLE_MS = 5_000;

/**
 * Whether a client has no echo left to read, as far as is known at `now`. When
 * it was active is known from the looks for the idle.
 */
export function isIdle(client: Client, now: number): boolean {
  const { bytesRead, bytesWritten } = carriedBy(client);
  const carried = bytesRead + bytesWritten;
  return bytesRead === bytesWritten && (carried === 0 ||
    (carried === client.carried && now - client.carriedAt >= IDLE_MS));
}

/** The idle are looked for this often in their time, but see `sweepEvery`. */
const SWEEPS_PER_TIMEOUT = 4;

/** Milliseconds from one look to the next. */
export function sweepEvery(idleTimeout: number): number {
  const ms = idleTimeout / SWEEPS_PER_TIMEOUT;
  return Math.min(Math.max(ms, 5), 1_000);
}

/**
 * The clients that have carried nothing for so long, as far as the looks before
 * this one tell.
 */
export function* idleOf(
  clients: Iterable<Client>,
  idleTimeout: number,
): Generator<Client> {
  const now = performance.now();
  for (const client of clients) {
    const { bytesRead, bytesWritten } = carriedBy(client);
    const carried = bytesRead + bytesWritten;
    if (carried !== client.carried) {
      client.carried = carried;
      client.carriedAt = now;
    } else if (now - client.carriedAt >= idleTimeout) {
      yield client;
    }
  }
}
