/**
 * Sockets of `node:net`, for connections that can be reset, and their errors as Deno's
 * own connections throw them. Only `lib/echo.ts` opens sockets with it. It loads `node:net`, so import it only when they are needed.
 *
 * @module
 */

import { connect, Socket } from "node:net";
import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./defaults.ts";
import type { Endpoint } from "./endpoint.ts";
import type { TcpHandle } from "./tcp_handle.ts";

/** A socket on the handle of an accepted connection. */
export function socketOf(handle: TcpHandle): Socket {
  const options = { handle, allowHalfOpen: true, manualStart: true };
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}

/**
 * Opens a socket. An aborted signal closes it at once.
 *
 * @throws the error of Deno for that of the socket, or the signal's reason.
 */
export async function openSocket(
  { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT }: Endpoint,
  signal: AbortSignal,
): Promise<Socket> {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port, allowHalfOpen: true });
  const abort = () => {
    reject(signal.reason);
    socket.destroy();
  };
  socket.on("error", (error) => reject(socketError(error)));
  socket.on("connect", resolve);
  // What is received waits for the first read of the connection.
  socket.pause();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await promise;
    return socket;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const { errors } = Deno;

const CLASSES: Record<
  string,
  new (message: string, options: ErrorOptions) => Error
> = {
  EACCES: errors.PermissionDenied,
  EADDRINUSE: errors.AddrInUse,
  EADDRNOTAVAIL: errors.AddrNotAvailable,
  ECONNABORTED: errors.ConnectionAborted,
  ECONNREFUSED: errors.ConnectionRefused,
  ECONNRESET: errors.ConnectionReset,
  EPIPE: errors.BrokenPipe,
  ERR_SOCKET_CLOSED: errors.BadResource,
  ETIMEDOUT: errors.TimedOut,
};

/** What Deno says where it has no class of its own. */
const MESSAGES: Record<string, string> = {
  EHOSTUNREACH: "No route to host",
  EMFILE: "Too many open files",
  ENETUNREACH: "Network is unreachable",
  ENFILE: "Too many open files in system",
};

/** The error of Deno for one of `node:net`, with the same `code`. */
export function socketError(cause: Error & { code?: string }): Error {
  const { code = "" } = cause;
  const Class = CLASSES[code];
  if (!Class && !MESSAGES[code]) return cause;
  const message = MESSAGES[code] ?? cause.message;
  return Object.assign(new (Class ?? Error)(message, { cause }), { code });
}
