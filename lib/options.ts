/**
 * What can be asked of either end of the exchange, and what a server tells of
 * itself. Types only; `lib/echo.ts` is where to get them from.
 *
 * @module
 */

import type { FaultCounts, Faults } from "./faults.ts";

export type { FaultCounts, Faults };

/**
 * Why a connection ended, for logs and counters:
 *
 * - `closed`: the client finished sending, and everything was written back.
 * - `reset`: the client or the fault `reset` reset the connection, or the network
 *   failed.
 * - `idle`: nothing was read or written for `idleTimeout`.
 * - `handshake`: no TLS session came about.
 * - `fault`: the fault `refuse` or `limitData` closed it.
 * - `shutdown`: the server shut down, and had written back all that it had read.
 * - `aborted`: the server ended before everything was written back.
 */
export type EndReason =
  | "closed"
  | "reset"
  | "idle"
  | "handshake"
  | "fault"
  | "shutdown"
  | "aborted";

/** A client that was taken. */
export interface Connection {
  /** Counts the connections of this server, from 1. */
  readonly id: number;
  /** The client's address. */
  readonly remoteAddr: Deno.Addr;
}

/** A client that is gone. */
export interface ClosedConnection extends Connection {
  /** Bytes read from the client. */
  readonly bytesRead: number;
  /** Bytes written back to it. */
  readonly bytesWritten: number;
  /** Milliseconds from accept to close. */
  readonly duration: number;
  /** What was done to it on purpose, and how often. */
  readonly faults?: FaultCounts | undefined;
  /** Why it ended. */
  readonly reason: EndReason;
  /** What broke it off, if something did. */
  readonly error?: unknown;
}

/** Figures of a server, from its start to now. */
export interface ServerStats {
  /** Connections open now. */
  readonly open: number;
  /** The most that were open at a time. */
  readonly peak: number;
  /** Connections taken. */
  readonly accepted: number;
  /** Bytes read from clients. */
  readonly bytesRead: number;
  /** Bytes written back to them. */
  readonly bytesWritten: number;
  /** Milliseconds since it began to listen, or from then to its end. */
  readonly duration: number;
  /** What was done to connections on purpose, and how often. */
  readonly faults?: FaultCounts | undefined;
}

/**
 * What `serve()` takes. `Addr` is what it listens on, by default TCP. What a
 * callback throws goes to `reportError()`, as with all callbacks of this
 * library: it ends the process, or fails the test, unless a listener for `error`
 * prevents that, and then the server goes on.
 */
export interface ServeOptions<Addr extends Deno.Addr = Deno.NetAddr> {
  /**
   * Address or host name to listen on.
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * Port to listen on; 0 for any free one, which `addr` then tells.
   * @default {12345}
   */
  port?: number | undefined;
  /** Path of a Unix socket to listen on, instead of an address and a port. */
  path?: string | undefined;
  /** Certificate chain, PEM: the exchange runs inside TLS. Needs `key`. */
  cert?: string | undefined;
  /** Private key of the certificate, PEM. */
  key?: string | undefined;
  /**
   * Lets other processes listen on the same port and share its clients. Deno
   * calls this unstable: it needs `--unstable-net`, or `"unstable": ["net"]` in
   * `deno.json`, and ends the process without.
   */
  reusePort?: boolean | undefined;
  /**
   * Clients that may wait to be taken; the system may allow fewer.
   * @default {4096}
   */
  backlog?: number | undefined;
  /**
   * Clients served at a time, a whole number or `Infinity`; the next ones wait
   * in the backlog.
   * @default {Infinity}
   */
  maxConnections?: number | undefined;
  /**
   * Milliseconds without a byte in either direction after which a client is
   * closed, up to a quarter more. RFC 862 knows no such limit.
   * @default {Infinity}
   */
  idleTimeout?: number | undefined;
  /**
   * Milliseconds that clients get to be served to the end after `shutdown()`.
   * @default {5000}
   */
  grace?: number | undefined;
  /** Misbehaves on purpose, to test clients with. */
  faults?: Faults | undefined;
  /** Ends the server at once when aborted. */
  signal?: AbortSignal | undefined;
  /**
   * Called once with the address that was bound. What it throws goes to
   * `reportError()`.
   */
  onListen?: ((addr: Addr) => void) | undefined;
  /**
   * Called for each client that was taken. What it throws goes to
   * `reportError()`.
   */
  onOpen?: ((connection: Connection) => void) | undefined;
  /**
   * Called for each client that is gone. What it throws goes to
   * `reportError()`.
   */
  onClose?: ((connection: ClosedConnection) => void) | undefined;
  /**
   * Called when no client can be taken for want of files or memory, at most once
   * a minute. What it throws goes to `reportError()`.
   */
  onShortage?: ((error: Error) => void) | undefined;
}

/** A running server; its surface is that of `Deno.HttpServer`. */
export interface EchoServer<Addr extends Deno.Addr = Deno.NetAddr>
  extends AsyncDisposable {
  /** The address that was bound. */
  readonly addr: Addr;
  /** Resolves with the totals when the server and all connections ended. */
  readonly finished: Promise<ServerStats>;
  /** The figures up to now. */
  stats(): ServerStats;
  /**
   * Takes no more clients and ends in order: what was read is written back, and
   * clients are sent the end of input; idle ones at once, busy ones when nothing
   * more comes in, at the latest after half of `grace`. Resolves as `finished`
   * does, once all clients have closed. Those that do not are closed after
   * `grace`, and after 1 s if they have been idle for 5 s or sent nothing yet.
   */
  shutdown(): Promise<ServerStats>;
  /** Keeps the process alive as long as it listens, as it does from the start. */
  ref(): void;
  /** Lets the process end although it listens. */
  unref(): void;
}

/** How to reach a server. */
export interface ConnectOptions {
  /**
   * Address or host name of the server.
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * Port of the server.
   * @default {12345}
   */
  port?: number | undefined;
  /** Path of the server's Unix socket, instead of an address and a port. */
  path?: string | undefined;
  /** Speaks TLS; the host name is checked against the certificate. */
  tls?: boolean | undefined;
  /** Certificates to trust beside the usual ones, PEM. */
  caCerts?: string[] | undefined;
  /**
   * Milliseconds that an attempt to connect may take, and then the exchange.
   * @default {10000}
   */
  timeout?: number | undefined;
  /**
   * Milliseconds to go on trying where nothing answers yet.
   * @default {0}
   */
  wait?: number | undefined;
  /** Ends it early, with the signal's own reason. */
  signal?: AbortSignal | undefined;
}
