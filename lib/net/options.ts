/**
 * The options of servers and clients. Types only; `lib/echo.ts` exports them.
 *
 * @module
 */

import type { FaultEntry, Faults } from "./fault_options.ts";
import type { ClosedConnection, Connection } from "./server.ts";

/** The options of `listen()`, which all servers take too. */
export interface ListenOptions {
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
  /**
   * Certificates in PEM format of the authorities that issue certificates to clients.
   * A client without a certificate of one of them is refused. Requires `cert`.
   */
  clientCa?: string | undefined;
  /**
   * Application protocols that the server speaks, the best one first (ALPN, RFC
   * 7301), such as `["h2", "http/1.1"]`; 1 to 255 bytes each. A client that offers
   * only others is refused. Requires `cert`.
   */
  alpnProtocols?: string[] | undefined;
}

/**
 * The options of `serve()`. `Addr` is the type of address that it listens on: TCP
 * by default.
 *
 * An error that a callback throws is passed to `reportError()`. Without a listener
 * for `error` events, it ends the process or fails the test; with one that calls
 * `preventDefault()`, the server continues.
 */
export interface ServeOptions<Addr extends Deno.Addr = Deno.NetAddr>
  extends ListenOptions {
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

  /**
   * Faults to inject into connections, for tests of clients. See `setFaults`. A
   * server that gets them, even `{}`, can reset connections truly; see `reset`.
   */
  faults?: Faults | readonly FaultEntry[] | undefined;
  /**
   * Bytes that faults may hold for all connections together, 1 or more. Over it,
   * nothing is read from those with faults until some of it was sent.
   * @default {67108864}
   */
  maxHeldBytes?: number | undefined;

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
   * Whether to use TLS. The server's certificate must be valid for `serverName`.
   * The other options of this group require it.
   * @default {false}
   */
  tls?: boolean | undefined;
  /** Certificates in PEM format to trust in addition to the default ones. */
  caCerts?: string[] | undefined;
  /**
   * Name or address to ask the server for (SNI, RFC 6066), and to verify its
   * certificate against: where it is reached by another name.
   * @default `hostname`
   */
  serverName?: string | undefined;
  /**
   * Certificate chain in PEM format that the client presents if the server asks for
   * one. Requires `key`.
   */
  cert?: string | undefined;
  /** Private key of the certificate in PEM format. Requires `cert`. */
  key?: string | undefined;
  /**
   * Application protocols to offer, the best one first (ALPN, RFC 7301); 1 to 255
   * bytes each. A server that speaks none of them may refuse.
   */
  alpnProtocols?: string[] | undefined;

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
