/**
 * The server and the client of the echo exchange (RFC 862), over TCP, TLS and Unix
 * sockets. This is the only module that opens sockets.
 *
 * A server that runs until it is shut down:
 *
 * ```ts
 * import { serve } from "./echo.ts";
 *
 * const server = serve({ onListen: () => console.log("Server listening") });
 * await server.finished;
 * ```
 *
 * An exchange, which returns only verified bytes:
 *
 * ```ts
 * import { exchange } from "./echo.ts";
 *
 * const bytes = await exchange("Hello, server!");
 * console.log(new TextDecoder().decode(bytes));
 * ```
 *
 * Both in a test:
 *
 * ```ts
 * import { exchange, serve } from "./echo.ts";
 *
 * await using server = serve({ port: 0 });
 * await exchange("ping", { port: server.addr.port });
 * ```
 *
 * @module
 */

import { roundTrip } from "./client/round_trip.ts";
import { setNoDelay } from "./net/conn.ts";
import {
  DEFAULT_BACKLOG,
  DEFAULT_HOSTNAME,
  DEFAULT_PORT,
  DEFAULT_TIMEOUT_MS,
} from "./net/defaults.ts";
import {
  dial,
  openUnlessAborted,
  openUnlessFull,
  retryFor,
} from "./net/dial.ts";
import { requireDeno } from "./net/deno_version.ts";
import {
  formatEndpoint,
  rejectPortInHostname,
  requiredPermissions,
} from "./net/endpoint.ts";
import {
  addContext,
  HandshakeError,
  TimedOutError,
  withContext,
} from "./net/errors.ts";
import type {
  ConnectOptions,
  ListenOptions,
  ServeOptions,
} from "./net/options.ts";
import type { EchoServer } from "./net/server.ts";
import { type Adopt, SocketListener } from "./net/socket_listener.ts";
import { systemError } from "./net/system_error.ts";
import { bindHandle } from "./net/tcp_handle.ts";
import { withTimeout } from "./net/timeout.ts";
import {
  checkConnectLimits,
  checkRange,
  PORT,
  POSITIVE_INTEGER,
} from "./net/validate.ts";
import { checkLimits, Server } from "./server/server.ts";
import { checkCredentials } from "./tls/credentials.ts";
import {
  checkServerTls,
  clientTls,
  established,
  serverTls,
  type StartTls,
} from "./tls/start_tls.ts";
import type { TlsConn } from "./tls/tls_conn.ts";

export {
  ConnectError,
  ConnectionRefusedError,
  ConnectionResetError,
  EchoError,
  HandshakeError,
  MismatchError,
  TimedOutError,
  UnexpectedEofError,
} from "./net/errors.ts";
export type { FaultCounts, FaultEntry, Faults } from "./net/fault_options.ts";
export type * from "./net/options.ts";
export type * from "./net/server.ts";

/** Starts a server that echoes every byte of every connection until it is shut
 * down. All connections are served concurrently. A connection that fails does not affect the
 * others.
 *
 * @throws {RangeError} if an option is out of range.
 * @throws {TypeError} if the host name contains a port, or if TLS needs other
 * options (`cert` without `key`, or TLS on a Unix socket).
 * @throws {Deno.errors.AddrInUse} if another server has that address.
 * @throws {Deno.errors.NotCapable} if a permission is missing; the message names it.
 * @throws {Deno.errors.NotSupported} if this version of Deno is too old.
 * @throws {EchoError} if it cannot listen for another reason.
 */
export function serve(
  options: ServeOptions<Deno.UnixAddr> & { path: string },
): EchoServer<Deno.UnixAddr>;
/** Listens on a TCP port. See the other overload for the errors. */
export function serve(options?: ServeOptions): EchoServer;
export function serve<Addr extends Deno.Addr>(
  options: ServeOptions<Addr> = {},
): EchoServer<Addr> {
  checkLimits(options, `Cannot listen on ${formatEndpoint(options)}`);
  const resettable = options.faults !== undefined;
  return new Server<Addr>({
    ...options,
    open: (addr) => listen<Addr>(options, { resettable, addr }),
  });
}

/** What the listener of a server must be able to do. */
interface Listening {
  /** Whether its connections can be reset, if they are of TCP. */
  resettable?: boolean;
  /** The address that an earlier listener got, to listen there again. */
  addr?: Deno.Addr | undefined;
}

/**
 * Opens the listener of a server: on a TCP port, with TLS if there are a `cert` and
 * a `key`, or on a Unix socket. Other servers are made with it, such as `proxy()`.
 * TLS connections, and those of a `resettable` TCP listener, have a method `reset()`.
 *
 * @throws the errors of {@linkcode serve}.
 */
export function listen<Addr extends Deno.Addr = Deno.NetAddr>(
  options: ListenOptions = {},
  { resettable = false, addr }: Listening = {},
): Deno.Listener<Deno.Conn, Addr> {
  const action = `Cannot listen on ${formatEndpoint(options)}`;
  requireDeno(action);
  rejectPortInHostname("Cannot listen", options);
  const { backlog } = options;
  const port = addr?.transport === "tcp" ? addr.port : options.port;
  checkRange(POSITIVE_INTEGER, { action, options: { backlog } });
  checkRange(PORT, { action, options: { port } });
  checkServerTls(options, action);
  try {
    return openListener(
      { ...options, port },
      resettable,
    ) as unknown as Deno.Listener<
      Deno.Conn,
      Addr
    >;
  } catch (error) {
    const permissions = requiredPermissions(options);
    throw systemError(error, { action, permissions });
  }
}

function openListener(
  options: ListenOptions,
  resettable: boolean,
): Deno.Listener<Deno.Conn> {
  const { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT } = options;
  const { path, cert, key, clientCa, reusePort = false } = options;
  const { backlog = DEFAULT_BACKLOG } = options;
  if (path !== undefined) return Deno.listen({ transport: "unix", path });
  const hasTls = cert !== undefined && key !== undefined;
  if (hasTls) checkCredentials({ cert, key, clientCa });
  const address = {
    hostname,
    port,
    tcpBacklog: backlog,
    ...(reusePort ? { reusePort } : {}),
  };
  if (!hasTls && !resettable) return Deno.listen(address);
  try {
    return new SocketListener(
      () => bindHandle({ hostname, port, reusePort }),
      { backlog, load: () => hasTls ? serverTls(options) : plainSockets() },
    );
  } catch (error) {
    // The error of Deno says why.
    Deno.listen(address).close();
    throw error;
  }
}

/** Returns how accepted connections become ones that can be reset. */
async function plainSockets(): Promise<Adopt> {
  const [{ socketOf }, { SocketConn }] = await loadSockets();
  return (handle) => new SocketConn(socketOf(handle));
}

/**
 * Connects to a server. If it fails, it retries for as long as `wait` says. TLS
 * connections, and `resettable` ones over TCP, have a method `reset()`.
 *
 * @throws {ConnectionRefusedError} if nothing listens there.
 * @throws {HandshakeError} if the TLS handshake fails.
 * @throws {ConnectError} if there is no connection for another reason.
 * @throws {TimedOutError} if an attempt takes longer than `timeout`.
 * @throws {RangeError} if an option is out of range.
 * @throws {TypeError} if the host name contains a port, or if TLS needs other
 * options (`tls` on a Unix socket, `caCerts` without `tls` or a certificate).
 * @throws {Deno.errors.NotCapable} if a permission is missing; the message names it.
 * @throws {Deno.errors.NotSupported} if this version of Deno is too old.
 */
export async function connect(
  options: ConnectOptions = {},
  { resettable = false }: { resettable?: boolean } = {},
): Promise<Deno.Conn> {
  const { wait = 0, timeout = DEFAULT_TIMEOUT_MS, signal } = options;
  const action = `Cannot connect to ${formatEndpoint(options)}`;
  requireDeno(action);
  rejectPortInHostname("Cannot connect", options);
  checkRange(PORT, { action, options: { port: options.port } });
  checkConnectLimits(options, action);
  const startTls = await clientTls(options, action);
  const limits = {
    timeout,
    signal,
    onTimeout: () => new TimedOutError(`no answer within ${timeout} ms`),
  };
  const attempt = () =>
    withTimeout(async (signal) => {
      const opening = { signal, startTls, resettable };
      const conn = await dial(options, () => open(options, opening));
      return startTls
        ? await established(conn as TlsConn, { options, signal })
        : conn;
    }, limits);
  try {
    return await retryFor(wait, { attempt, signal });
  } catch (error) {
    throw error instanceof HandshakeError ? error : addContext(action, error);
  }
}

interface OpenOptions {
  signal: AbortSignal;
  startTls: StartTls | undefined;
  resettable: boolean;
}

async function open(
  options: ConnectOptions,
  { signal, startTls, resettable }: OpenOptions,
): Promise<Deno.Conn> {
  const { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT, path } = options;
  if (path !== undefined) {
    const connecting = () => Deno.connect({ transport: "unix", path });
    return await openUnlessFull(connecting, signal);
  }
  if (startTls || resettable) {
    const [{ openSocket }, { SocketConn }] = await loadSockets();
    const socket = await openSocket(options, signal);
    return startTls ? startTls(socket) : new SocketConn(socket);
  }
  const conn = await openUnlessAborted(
    (signal) => Deno.connect({ hostname, port, signal }),
    signal,
  );
  setNoDelay(conn);
  return conn;
}

/** Loads the connections that can be reset, which takes 50 ms. */
function loadSockets() {
  return Promise.all([
    import("./net/node_sockets.ts"),
    import("./net/socket_conn.ts"),
  ]);
}

/**
 * Sends a message (text as UTF-8), receives and verifies its echo, closes the
 * connection, and returns the echo. It sends and receives at the same time, so a
 * long message cannot fill the buffers of both ends.
 *
 * It ends with the last byte of the echo. A surplus byte is noticed only if it
 * arrives together with that byte; `pipe()` reads to the end of the stream.
 *
 * @throws {UnexpectedEofError} if the server closes the connection early.
 * @throws {ConnectionResetError} if it resets the connection.
 * @throws {MismatchError} if a byte differs, or there is one too many.
 * @throws {TimedOutError} if it takes longer than `timeout`.
 * @throws the errors of {@linkcode connect}.
 */
export async function exchange(
  message: string | Uint8Array,
  options: ConnectOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const sent = typeof message === "string"
    ? new TextEncoder().encode(message)
    : message;
  const { timeout = DEFAULT_TIMEOUT_MS, signal } = options;
  using conn = await connect(options);
  const echo = await withContext(
    `Cannot finish the exchange with ${formatEndpoint(options)}`,
    () => roundTrip(conn, sent, { timeout, signal }),
  );
  // TLS ends with close_notify (RFC 8446, section 6.1). The server may be gone.
  if (options.tls) await conn.closeWrite().catch(() => {});
  return echo;
}
