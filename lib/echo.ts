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
import { describeError, systemError } from "./net/system_error.ts";
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
  checkTlsOptions,
  type StartTls,
  tlsListener,
  tlsStarter,
} from "./tls/start_tls.ts";

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
  return new Server<Addr>({
    ...options,
    open: (addr) => listen<Addr>(reopening(options, addr)),
  });
}

/** The options to listen again at the address that was chosen the first time. */
export function reopening<Options extends ListenOptions>(
  options: Options,
  addr: Deno.Addr | undefined,
): Options {
  return addr?.transport === "tcp" ? { ...options, port: addr.port } : options;
}

/**
 * Opens the listener of a server: on a TCP port, with TLS if there are a `cert` and
 * a `key`, or on a Unix socket. Other servers are made with it, such as `proxy()`.
 *
 * @throws the errors of {@linkcode serve}.
 */
export function listen<Addr extends Deno.Addr = Deno.NetAddr>(
  options: ListenOptions = {},
): Deno.Listener<Deno.Conn, Addr> {
  const action = `Cannot listen on ${formatEndpoint(options)}`;
  requireDeno(action);
  rejectPortInHostname("Cannot listen", options);
  checkRange(PORT, { action, options: { port: options.port } });
  checkRange(POSITIVE_INTEGER, {
    action,
    options: { backlog: options.backlog },
  });
  checkTlsOptions(options, action);
  try {
    return openListener(options) as unknown as Deno.Listener<Deno.Conn, Addr>;
  } catch (error) {
    const permissions = requiredPermissions(options);
    throw systemError(error, { action, permissions });
  }
}

function openListener(options: ListenOptions): Deno.Listener<Deno.Conn> {
  const { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT } = options;
  const { path, cert, key, reusePort } = options;
  const { backlog: tcpBacklog = DEFAULT_BACKLOG } = options;
  if (path !== undefined) return Deno.listen({ transport: "unix", path });
  const shared = {
    hostname,
    port,
    tcpBacklog,
    ...(reusePort === undefined ? {} : { reusePort }),
  };
  if (cert === undefined || key === undefined) return Deno.listen(shared);
  checkCredentials({ cert, key });
  return tlsListener(Deno.listen(shared), { cert, key });
}

/**
 * Connects to a server. If it fails, it retries for as long as `wait` says.
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
): Promise<Deno.Conn> {
  const { wait = 0, timeout = DEFAULT_TIMEOUT_MS, signal } = options;
  const action = `Cannot connect to ${formatEndpoint(options)}`;
  requireDeno(action);
  rejectPortInHostname("Cannot connect", options);
  checkConnectLimits(options, action);
  const startTls = await tlsStarter(options, action);
  const deadline = performance.now() + wait;
  const backoff = new Backoff(RETRY_MS);
  const limits = {
    timeout,
    signal,
    onTimeout: () => new TimedOutError(`no answer within ${timeout} ms`),
  };
  for (;;) {
    try {
      return await withTimeout(
        (signal) => dial(options, { signal, startTls }),
        limits,
      );
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

async function dial(
  options: ConnectOptions,
  { signal, startTls }: {
    signal: AbortSignal;
    startTls: StartTls | undefined;
  },
): Promise<Deno.Conn> {
  const { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT, path } = options;
  let conn: Deno.TcpConn;
  try {
    if (path !== undefined) {
      return await Deno.connect({ transport: "unix", path });
    }
    conn = await Deno.connect({ hostname, port, signal });
  } catch (error) {
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
  try {
    // A message is not delayed to be combined with the next one (Nagle, RFC 896).
    conn.setNoDelay(true);
  } catch {
    // The server has reset the connection (EINVAL on macOS). The first read fails.
  }
  if (!startTls) return conn;
  return await withContext(
    `Cannot speak TLS with ${formatEndpoint(options)}`,
    () => startTls(conn, signal),
  );
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
