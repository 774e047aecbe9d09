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
import { openUnlessAborted } from "./net/abandon.ts";
import { Backoff } from "./net/backoff.ts";
import {
  DEFAULT_BACKLOG,
  DEFAULT_HOSTNAME,
  DEFAULT_PORT,
  DEFAULT_TIMEOUT_MS,
} from "./net/defaults.ts";
import { requireDeno } from "./net/deno_version.ts";
import {
  formatEndpoint,
  rejectPortInHostname,
  requiredPermissions,
} from "./net/endpoint.ts";
import {
  addContext,
  ConnectError,
  ConnectionRefusedError,
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
import type { SocketConn } from "./net/socket_conn.ts";
import { type Adopt, SocketListener } from "./net/socket_listener.ts";
import { describeError, systemError } from "./net/system_error.ts";
import { loadNet, REUSE_PORT } from "./net/tcp_handle.ts";
import { sleep, withTimeout } from "./net/timeout.ts";
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

/**
 * Milliseconds between attempts to connect: short enough that a server is found soon
 * after it starts, long enough to cost nothing.
 */
const RETRY_MS = { first: 20, last: 500 };

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
  const { _createServerHandle: bind } = loadNet();
  const flags = reusePort ? REUSE_PORT : 0;
  try {
    return new SocketListener(
      () => bind(hostname, port, 4, undefined, flags),
      { backlog, load: () => hasTls ? serverTls(options) : plainSockets() },
    );
  } catch (error) {
    // The error of Deno says why.
    Deno.listen(address).close();
    throw error;
  }
}

/** Loads how accepted connections become ones that can be reset. */
async function plainSockets(): Promise<Adopt> {
  const { SocketConn, socketOf } = await import("./net/socket_conn.ts");
  return (handle) => new SocketConn(socketOf(handle), handle);
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
  const deadline = performance.now() + wait;
  const backoff = new Backoff(RETRY_MS);
  const limits = {
    timeout,
    signal,
    onTimeout: () => new TimedOutError(`no answer within ${timeout} ms`),
  };
  for (;;) {
    try {
      return await withTimeout(async (signal) => {
        const conn = await dial(options, { signal, startTls, resettable });
        if (startTls) await handshake(conn as TlsConn, { options, signal });
        return conn;
      }, limits);
    } catch (error) {
      const left = deadline - performance.now();
      if (!isTransient(error) || left <= 0) {
        throw error instanceof HandshakeError
          ? error
          : addContext(action, error);
      }
      await sleep(Math.min(backoff.next(), left), signal);
    }
  }
}

/** Whether a later attempt may succeed. */
function isTransient(error: unknown): boolean {
  return error instanceof TimedOutError ||
    error instanceof ConnectError && !(error instanceof HandshakeError);
}

interface DialOptions {
  signal: AbortSignal;
  startTls: StartTls | undefined;
  resettable: boolean;
}

async function dial(
  options: ConnectOptions,
  { signal, startTls, resettable }: DialOptions,
): Promise<Deno.Conn> {
  try {
    if (options.path !== undefined) {
      return await openUnix(options.path, signal);
    }
    const conn = startTls || resettable
      ? await openSocket(options, { signal, startTls })
      : await openTcp(options, signal);
    if (!isSelf(conn)) return conn;
    conn.close();
    throw new Deno.errors.ConnectionRefused("connected to itself");
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (
      error instanceof Deno.errors.NotCapable || error instanceof RangeError
    ) {
      throw systemError(error, {
        action: `Cannot connect to ${formatEndpoint(options)}`,
        permissions: requiredPermissions(options),
      });
    }
    const Class = error instanceof Deno.errors.ConnectionRefused
      ? ConnectionRefusedError
      : ConnectError;
    throw new Class(describeError(error), { cause: error });
  }
}

/**
 * Whether the two ends are the same. The kernel may choose a port that nothing listens
 * on as the local one, and then connects it to itself (RFC 9293, section 3.5).
 */
function isSelf(
  { localAddr, remoteAddr }: Deno.Conn<Deno.NetAddr>,
): boolean {
  return localAddr.port === remoteAddr.port &&
    localAddr.hostname === remoteAddr.hostname;
}

/** Opens a Unix socket. It tries again while the server's backlog is full. */
async function openUnix(
  path: string,
  signal: AbortSignal,
): Promise<Deno.UnixConn> {
  for (const backoff = new Backoff(RETRY_MS);;) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await sleep(backoff.next(), signal);
    }
  }
}

async function openTcp(
  { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT }: ConnectOptions,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const conn = await openUnlessAborted(
    (signal) => Deno.connect({ hostname, port, signal }),
    signal,
  );
  try {
    // A message is not delayed to be combined with the next one (Nagle, RFC 896).
    conn.setNoDelay(true);
  } catch {
    // The server has reset the connection (EINVAL on macOS). The first read fails.
  }
  return conn;
}

/** Opens a connection that can be reset. Its TLS handshake may have begun. */
async function openSocket(
  { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT }: ConnectOptions,
  { signal, startTls }: Omit<DialOptions, "resettable">,
): Promise<SocketConn> {
  const [{ connect }, { connected, handleOf, SocketConn }] = await Promise.all([
    import("node:net"),
    import("./net/socket_conn.ts"),
  ]);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({ host, port, allowHalfOpen: true });
  await connected(socket, signal);
  return startTls ? startTls(socket) : new SocketConn(socket, handleOf(socket));
}

async function handshake(
  conn: TlsConn,
  { options, signal }: { options: ConnectOptions; signal: AbortSignal },
): Promise<void> {
  const abort = () => conn[Symbol.dispose]();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await conn.handshake();
  } catch (error) {
    conn[Symbol.dispose]();
    const what = `Cannot speak TLS with ${formatEndpoint(options)}`;
    throw new HandshakeError(`${what}: ${describeError(error)}`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener("abort", abort);
  }
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
