/**
 * Sockets of `node:net`, for connections that can be reset. Only `lib/echo.ts` opens
 * sockets with it. It loads `node:net`, so import it only when they are needed.
 *
 * @module
 */

import { connect, Socket } from "node:net";
import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./defaults.ts";
import type { Endpoint } from "./endpoint.ts";
import { socketError } from "./socket_error.ts";
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
