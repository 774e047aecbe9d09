/**
 * A running server: what it offers, and what it reports. Types only; `lib/echo.ts`
 * exports them.
 *
 * @module
 */

import type { FaultCounts, FaultEntry, Faults } from "./fault_options.ts";

/** A running server. The interface is that of `Deno.HttpServer`. */
export interface EchoServer<Addr extends Deno.Addr = Deno.NetAddr>
  extends AsyncDisposable {
  /** The address that the server listens on. */
  readonly addr: Addr;
  /** Resolves with the totals once the server and all connections are closed. */
  readonly finished: Promise<ServerStats>;
  /** Returns the statistics up to now. */
  stats(): ServerStats;
  /**
   * Replaces the faults. Connections that are accepted after the call have the new
   * faults from their first byte, and open connections from their next chunk. What
   * the old faults hold back is sent at once, in order, and unchanged: delayed
   * chunks, and up to 1 MiB that a stall holds back. In a scope of `injectFaults`,
   * the faults are those until the end of the scope. The entries of a list are
   * stacked in its order.
   *
   * @throws {RangeError} that names the option whose value is out of range.
   * @throws {TypeError} that names an unknown option, or one that another one needs.
   */
  setFaults(faults: Faults | readonly FaultEntry[] | undefined): void;
  /**
   * Replaces the faults in the same way, until the result is disposed. Then the
   * faults from before are back. Scopes may overlap: the last one that has not ended
   * is in force.
   *
   * @throws the errors of `setFaults`.
   */
  injectFaults(faults: Faults | readonly FaultEntry[]): Disposable;
  /**
   * Shuts the server down gracefully. It accepts no more connections and writes
   * back what it has read, at once: all faults end. It half-closes each connection
   * when the client pauses, or after half of `grace`, and waits until the client
   * closes its side.
   *
   * After `grace`, the remaining connections are closed. A connection that was
   * idle for 5 s, or on which the client has sent nothing, is closed after one
   * second of silence.
   *
   * Resolves like `finished`. Further calls have no effect.
   */
  shutdown(): Promise<ServerStats>;
  /** Keeps the process alive while the server runs. This is the default. */
  ref(): void;
  /** Lets the process end while the server runs. */
  unref(): void;
}

/** What a connection carried, or all connections of a server. */
export interface Traffic {
  /** Bytes read from clients. */
  readonly bytesRead: number;
  /** Bytes written to clients. */
  readonly bytesWritten: number;
  /** What a proxy has exchanged with its upstream. */
  readonly upstream?: UpstreamTraffic | undefined;
  /** How often each fault took effect, if there are faults or were any. */
  readonly faults?: FaultCounts | undefined;
}

/** The statistics of a server since it began to listen. */
export interface ServerStats extends Traffic {
  /** Connections that are open. */
  readonly open: number;
  /** The highest number of connections that were open at the same time. */
  readonly peak: number;
  /** Connections that were accepted. */
  readonly accepted: number;
  /** How many connections have ended for each reason. */
  readonly ended: { readonly [Reason in EndReason]?: number };
  /** Bytes that faults hold. */
  readonly heldBytes: number;
  /** Milliseconds until now, or until the server was closed. */
  readonly duration: number;
}

/** The bytes on the other side of a proxy. */
export interface UpstreamTraffic {
  /** Bytes read from the upstream. */
  readonly bytesRead: number;
  /** Bytes written to the upstream. */
  readonly bytesWritten: number;
}

/** A connection that a server accepted. */
export interface Connection {
  /** The number of the connection on this server, from 1. */
  readonly id: number;
  /** The client's address. */
  readonly remoteAddr: Deno.Addr;
}

/** A connection that was closed. */
export interface ClosedConnection extends Connection, Traffic {
  /** Milliseconds from accept to close. */
  readonly duration: number;
  /** Why the connection ended. */
  readonly reason: EndReason;
  /** The side that closed or reset its connection first, if one did. */
  readonly closedBy?: "client" | "upstream" | undefined;
  /** The error that ended the connection, if there was one. */
  readonly error?: unknown;
}

/**
 * Why a connection ended:
 *
 * - `closed`: the client closed its side. In a proxy, both sides were closed.
 * - `reset`: the client, the upstream or a fault reset the connection, or the network
 *   failed.
 * - `idle`: nothing was read or written for `idleTimeout`.
 * - `handshake`: the TLS handshake failed, or took longer than 10 s.
 * - `unreachable`: there was no connection to the upstream; see `error`.
 * - `fault`: a fault closed the connection: `limitData`, `closeAfter`,
 *   `closeOnAccept` or `down`.
 * - `shutdown`: the server shut down, and the client has got all that was for it.
 * - `aborted`: the server shut down, and closed the connection before that.
 */
export type EndReason =
  | "closed"
  | "reset"
  | "idle"
  | "handshake"
  | "unreachable"
  | "fault"
  | "shutdown"
  | "aborted";
