/**
 * What serves a connection: the echo's relay, or the proxy's forwarder. A server
 * knows nothing of the protocol, and its handlers nothing of the server.
 *
 * @module
 */

import type { FaultEvents } from "../faults/faulty_conn.ts";
import type { Direction } from "../net/fault_options.ts";
import type { EndReason, ServerStats } from "../net/server.ts";

/** A connection as its handler uses it. Faults may replace `conn` at any time. */
export interface ServedConn {
  /** The connection of the next operation. */
  readonly conn: Deno.Conn;
  /** Bytes that were written to `conn`, and that faults hold back. */
  readonly pending: number;
}

/** What a handler has carried. */
export type HandlerTraffic = Pick<
  ServerStats,
  "bytesRead" | "bytesWritten" | "upstream"
>;

/**
 * Serves a connection. Its counters stay at their last values once the
 * connection is closed.
 */
export interface Handler {
  /** Bytes carried so far. Bytes that faults hold back are not written. */
  traffic(): HandlerTraffic;
  /** Whether everything that was read was written. */
  readonly isWhole: boolean;
  /** Whether the client was sent the end of input. */
  readonly halfClosed: boolean;
  /**
   * Half-closes the connection when the client pauses, and ends when the client
   * has closed its side too. An `idle` client has received all that was written.
   */
  drain(options: { idle: boolean }): void;
  /** Half-closes the connection without waiting for a pause. */
  halfClose(): void;
  /** The client's connection was cut by a fault: what it still sends is dropped. */
  onCut?(): void;
  /** The client's connection was reset by a fault. Reads and writes fail, too. */
  onReset?(): void;
  /** Releases what the handler holds, other than the client's connection. */
  close?(): void;
}

/** What a handler may ask of the connection that it serves. */
export interface HandlerContext {
  /**
   * The handler has ended, with the error that ended it, if there is one. Called
   * once, at the earliest in the next microtask. Closes the client's connection.
   */
  onClosed(error?: unknown, reason?: EndReason): void;
  /** Injects the faults of a direction into another connection. */
  attach(
    conn: Deno.Conn,
    options: FaultEvents & { direction: Direction },
  ): ServedConn;
}

/** Starts to serve a connection. */
export type CreateHandler = (
  client: ServedConn,
  context: HandlerContext,
) => Handler;
