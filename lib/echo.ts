/**
 * Both ends of the echo exchange (RFC 862), over TCP, TLS and Unix sockets: the
 * only place that opens a socket.
 *
 * A server, for as long as it is wanted:
 *
 * ```ts
 * import { serve } from "./echo.ts";
 * const server = serve({ onListen: () => console.log("Server listening") });
 * await server.finished;
 * ```
 *
 * An exchange with it, which returns only what it has verified:
 *
 * ```ts
 * import { exchange } from "./echo.ts";
 * const bytes = await exchange("Hello, server!");
 * console.log(new TextDecoder().decode(bytes));
 * ```
 *
 * Both at once, as in a test:
 *
 * ```ts
 * import { exchange, serve } from "./echo.ts";
 * await using server = serve({ port: 0 });
 * await exchange("ping", { port: server.addr.port });
 * ```
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { within } from "./deadline.ts";
import {
  DEFAULT_BACKLOG,
  DEFAULT_HOSTNAME,
  DEFAULT_PORT,
  DEFAULT_TIMEOUT_MS,
} from "./defaults.ts";
import {
  ConnectError,
  CutShortError,
  DiffersError,
  EchoError,
  HandshakeError,
  reason,
  RefusedError,
  ResetError,
  restate,
  TimedOutError,
} from "./errors.ts";
import { checkFaults } from "./faults.ts";
import { lifecycle, type Listener } from "./lifecycle.ts";
import type { ConnectOptions, EchoServer, ServeOptions } from "./options.ts";
import { grant, place, refusePortInHostname } from "./place.ts";
import {
  NOT_NEGATIVE,
  POSITIVE,
  refuseOutside,
  WHOLE,
  WHOLE_OR_ENDLESS,
} from "./ranges.ts";
import { roundTrip } from "./roundtrip.ts";
import { refuseOldDeno } from "./runtime.ts";
import { refuseLostTls, secured, type StartTls, tlsStarter } from "./tls.ts";
import { checkCredentials } from "./tls_credentials.ts";

export type * from "./options.ts";
export {
  ConnectError,
  CutShortError,
  DiffersError,
  EchoError,
  HandshakeError,
  RefusedError,
  ResetError,
  TimedOutError,
};

/**
 * Milliseconds between attempts while a server is waited for, doubled from the
 * first to the last: soon enough not to be noticed, seldom enough not to load.
 */
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 500;

/**
 * Listens and echoes every byte of every connection, all of them concurrently,
 * until it is shut down. A client that fails touches neither the others nor the
 * server.
 *
 * @throws {RangeError} if an option is out of its range.
 * @throws {TypeError} if the host name contains a port.
 * @throws {TypeError} if `cert` comes without `key`, or both with `path`.
 * @throws {Deno.errors.AddrInUse} if another server has that address.
 * @throws {Deno.errors.NotCapable} if a permission is missing; the message says
 * which.
 * @throws {Deno.errors.NotSupported} if this Deno is too old.
 * @throws {EchoError} if it cannot listen for another reason.
 */
export function serve(
  options: ServeOptions<Deno.UnixAddr> & { path: string },
): EchoServer<Deno.UnixAddr>;
/** The same on a TCP port. */
export function serve(options?: ServeOptions): EchoServer;
export function serve<Addr extends Deno.Addr>(
  options: ServeOptions<Addr> = {},
): EchoServer<Addr> {
  const attempt = `Cannot listen on ${place(options)}`;
  const { backlog, maxConnections, idleTimeout, grace } = options;
  refusePortInHostname("Cannot listen", options);
  refuseOutside(WHOLE, { attempt, options: { backlog } });
  refuseOutside(WHOLE_OR_ENDLESS, { attempt, options: { maxConnections } });
  refuseOutside(POSITIVE, { attempt, options: { idleTimeout } });
  refuseOutside(NOT_NEGATIVE, { attempt, options: { grace } });
  if (options.faults) checkFaults(options.faults);
  refuseLostTls(options, attempt);
  refuseOldDeno(attempt);
  try {
    return lifecycle(listen(options) as unknown as Listener<Addr>, options);
  } catch (error) {
    throw restate(error, attempt, grant(options));
  }
}

function listen(
  options: ServeOptions<never>,
): Pick<Deno.Listener<Deno.Conn>, "accept" | "close" | "ref" | "unref"> {
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
  return secured(Deno.listen(shared), { cert, key });
}

/**
 * Connects to a server, and goes on trying for as long as `wait` says.
 *
 * @throws {RefusedError} if nothing listens there.
 * @throws {HandshakeError} if no TLS session comes about.
 * @throws {ConnectError} if there is no connection for another reason.
 * @throws {TimedOutError} if an attempt takes longer than `timeout`.
 * @throws {RangeError} if an option is out of its range.
 * @throws {TypeError} if the host name contains a port.
 * @throws {TypeError} if `tls` comes with `path`, or `caCerts` without `tls` or
 * with a text that holds no certificate.
 * @throws {Deno.errors.NotCapable} if a permission is missing; the message says
 * which.
 * @throws {Deno.errors.NotSupported} if this Deno is too old.
 */
export async function connect(
  options: ConnectOptions = {},
): Promise<Deno.Conn> {
  const { wait = 0, timeout = DEFAULT_TIMEOUT_MS, signal } = options;
  const attempt = `Cannot connect to ${place(options)}`;
  refuseOldDeno(attempt);
  refusePortInHostname("Cannot connect", options);
  refuseOutside(POSITIVE, { attempt, options: { timeout } });
  refuseOutside(NOT_NEGATIVE, { attempt, options: { wait } });
  const startTls = await tlsStarter(options, attempt);
  const until = performance.now() + wait;
  const limits = {
    timeout,
    signal,
    late: () =>
      new TimedOutError(
        `${attempt}: no answer within ${timeout} ms`,
      ),
  };
  for (
    let pause = FIRST_RETRY_MS;;
    pause = Math.min(2 * pause, LAST_RETRY_MS)
  ) {
    try {
      return await within(
        (signal) => dial({ ...options, signal, startTls }),
        limits,
      );
    } catch (error) {
      const passing = error instanceof TimedOutError ||
        error instanceof ConnectError && !(error instanceof HandshakeError);
      const left = until - performance.now();
      if (!passing || left <= 0) throw error;
      await delay(Math.min(pause, left), signal && { signal });
    }
  }
}

async function dial(
  options: ConnectOptions & {
    signal: AbortSignal;
    startTls: StartTls | undefined;
  },
): Promise<Deno.Conn> {
  const { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT, path } = options;
  const { signal, startTls } = options;
  const attempt = `Cannot connect to ${place(options)}`;
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
      throw restate(error, attempt, grant(options));
    }
    const Class = error instanceof Deno.errors.ConnectionRefused
      ? RefusedError
      : ConnectError;
    throw new Class(`${attempt}: ${reason(error)}`, { cause: error });
  }
  try {
    conn.setNoDelay(true);
  } catch {
    // The server has reset it already (EINVAL on macOS); the first read tells.
  }
  return startTls ? await startTls(conn, signal) : conn;
}

/**
 * Sends a message (text as UTF-8), receives until as many bytes came back as
 * were sent, verifies each, closes, and returns them. It sends and receives at
 * the same time, so that no length can fill the buffers and block both ends.
 *
 * It ends with the last byte of the echo. A byte too many is seen if it arrives
 * together with that one, and missed if it comes later; `pipe()` reads to the
 * end of the stream.
 *
 * @throws {CutShortError} if the connection ends before that; a
 * {@linkcode ResetError} if it is reset.
 * @throws {DiffersError} if a byte is not the one that was sent, or one too many.
 * @throws {TimedOutError} if it takes longer than `timeout`.
 * @throws what {@linkcode connect} throws.
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
  const echo = await roundTrip(conn, sent, {
    attempt: `Cannot finish the exchange with ${place(options)}`,
    timeout,
    signal,
  });
  // TLS wants to be told of the end (RFC 8446, section 6.1); it may be too late.
  if (options.tls) await conn.closeWrite().catch(() => {});
  return echo;
}
