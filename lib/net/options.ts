/**
 * The options of servers and clients, and what a server reports. Types only;
 * `lib/echo.ts` exports them.
 *
 * ```ts
 * import type { ConnectOptions } from "../echo.ts";
 *
 * export const options: ConnectOptions = { port: 7, timeout: 1000 };
 * ```
 *
 * @module
 */

import type { FaultCounts, Faults } from "./fault_options.ts";

export type { FaultCounts, Faults };

/**
 * The options of `serve()`. `Addr` is the type of address that it listens on: TCP
 * by default.
 *
 * An error that a callback throws is passed to `reportError()`. Without a listener
 * for `error` events, it ends the process or fails the test; with one that calls
 * `preventDefault()`, the server continues.
 */
export interface ServeOptions<Addr extends Deno.Addr = Deno.NetAddr> {
  // The address.

  /**
   * IP address or host name to listen on.
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * Port to listen on. With 0 the system chooses a free port; see `addr`.
   * @default {12345}
   */
  port?: number | undefined;
  /** Path of a Unix socket to listen on, instead of `hostname` and `port`. */
  path?: string | undefined;
  /**
   * Allows other processes to listen on the same port. The system distributes
   * connections among them. Deno calls this unstable: without `--unstable-net`,
   * or `"unstable": ["net"]` in `deno.json`, it ends the process.
   * @default {false}
   */
  reusePort?: boolean | undefined;
  /**
   * Connections that the kernel queues until they are accepted, 1 or more. The
   * system may limit the number.
   * @default {4096}
   */
  backlog?: number | undefined;

  // TLS.

  /** Certificate chain in PEM format, for TLS. Requires `key`. */
  cert?: string | undefined;
  /** Private key of the certificate in PEM format. Requires `cert`. */
  key?: string | undefined;

  // Limits.

  /**
   * Open connections at a time, 1 or more, or `Infinity`. Further connections
   * wait in the backlog.
   * @default {Infinity}
   */
  maxConnections?: number | undefined;
  /**
   * Milliseconds after which a connection is closed if no byte was read or
   * written, more than 0. It is closed up to a quarter later. RFC 862 has no
   * such limit.
   * @default {Infinity}
   */
  idleTimeout?: number | undefined;
  /**
   * Milliseconds that `shutdown()` waits for open connections, 0 or more.
   * @default {5000}
   */
  grace?: number | undefined;
  /** Aborting the signal closes the server and all connections at once. */
  signal?: AbortSignal | undefined;

  // Faults.

  /** Faults to inject into connections, for tests of clients. */
  faults?: Faults | undefined;

  // Callbacks.

  /** Called once with the address that the server listens on. */
  onListen?: ((addr: Addr) => void) | undefined;
  /** Called for each accepted connection, before its TLS handshake. */
  onOpen?: ((connection: Connection) => void) | undefined;
  /** Called for each connection after it is closed. */
  onClose?: ((connection: ClosedConnection) => void) | undefined;
  /**
   * Called when no connection can be accepted, for example because there are too
   * many open files. The server tries again. Called at most once a minute.
   */
  onAcceptError?: ((error: Error) => void) | undefined;
}

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
   * Shuts the server down gracefully. It accepts no more connections and writes
   * back what it has read. It half-closes each connection when the client pauses,
   * or after half of `grace`, and waits until the client closes its side.
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

/** The statistics of a server since it began to listen. */
export interface ServerStats {
  /** Connections that are open. */
  readonly open: number;
  /** The highest number of connections that were open at the same time. */
  readonly peak: number;
  /** Connections that were accepted. */
  readonly accepted: number;
  /** Bytes read from all connections. */
  readonly bytesRead: number;
  /** Bytes written to all connections. */
  readonly bytesWritten: number;
  /** Milliseconds until now, or until the server was closed. */
  readonly duration: number;
  /** How often each fault took effect, if the server injects faults. */
  readonly faults?: FaultCounts | undefined;
}

/** A connection that a server accepted. */
export interface Connection {
  /** The number of the connection on this server, from 1. */
  readonly id: number;
  /** The client's address. */
  readonly remoteAddr: Deno.Addr;
}

/** A connection that was closed. */
export interface ClosedConnection extends Connection {
  /** Bytes read from the client. */
  readonly bytesRead: number;
  /** Bytes written back to the client. */
  readonly bytesWritten: number;
  /** How often each fault took effect, if faults were injected. */
  readonly faults?: FaultCounts | undefined;
  /** Milliseconds from accept to close. */
  readonly duration: number;
  /** Why the connection ended. */
  readonly reason: EndReason;
  /** The error that ended the connection, if there was one. */
  readonly error?: unknown;
}

/**
 * Why a connection ended:
 *
 * - `closed`: the client closed its side, and everything was written back.
 * - `reset`: the client or the fault `reset` reset the connection, or the network
 *   failed.
 * - `idle`: nothing was read or written for `idleTimeout`.
 * - `handshake`: the TLS handshake failed, or took longer than 10 s.
 * - `fault`: the fault `closeOnAccept` or `limitData` closed the connection.
 * - `shutdown`: the server shut down, and had written back all that it had read.
 * - `aborted`: the connection was closed before everything was written back.
 */
export type EndReason =
  | "closed"
  | "reset"
  | "idle"
  | "handshake"
  | "fault"
  | "shutdown"
  | "aborted";

/** The options of `connect()`, which all client functions take too. */
export interface ConnectOptions {
  // The address.

  /**
   * IP address or host name of the server.
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * Port of the server.
   * @default {12345}
   */
  port?: number | undefined;
  /** Path of the server's Unix socket, instead of `hostname` and `port`. */
  path?: string | undefined;

  // TLS.

  /**
   * Whether to use TLS. The server's certificate must be valid for `hostname`.
   * @default {false}
   */
  tls?: boolean | undefined;
  /** Certificates in PEM format to trust in addition to the default ones. */
  caCerts?: string[] | undefined;

  // Limits.

  /**
   * Milliseconds for each attempt to connect, and again for the exchange, more
   * than 0. An exchange that takes longer fails with a `TimedOutError`.
   * @default {10000}
   */
  timeout?: number | undefined;
  /**
   * Milliseconds during which a failed attempt to connect is repeated, 0 or more.
   * @default {0}
   */
  wait?: number | undefined;
  /** Aborting the signal ends the call with the signal's reason. */
  signal?: AbortSignal | undefined;
}
