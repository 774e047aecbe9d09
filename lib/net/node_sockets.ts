/**
 * Sockets of `node:net`, for connections that can be reset, and what the runtime has
 * below them (Node's `TCPWrap`), as far as this project uses it: types of the runtime
 * do not describe it. Only `lib/echo.ts` opens sockets with it.
 *
 * @module
 */

import type crypto from "node:crypto";
import type net from "node:net";
import type tls from "node:tls";
import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./defaults.ts";
import type { Endpoint } from "./endpoint.ts";

/** The modules of Node that are used. */
interface NodeModules {
  "node:crypto": typeof crypto;
  "node:net": typeof net & {
    /** The flag 4 is that for `SO_REUSEPORT`. */
    _createServerHandle(
      hostname: string,
      port: number,
      family: 4 | 6,
      fd: undefined,
      flags: number,
    ): ListenHandle | number;
  };
  "node:tls": typeof tls;
}

/**
 * A module of Node. The first call loads it, which takes about 50 ms: an import would
 * do so in programs that never use it.
 */
export function nodeModule<Name extends keyof NodeModules>(
  name: Name,
): NodeModules[Name] {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: Name): NodeModules[Name] };
  };
  return process.getBuiltinModule(name);
}

/** The handle of a TCP socket. Its methods return 0, or a negative error number. */
export interface TcpHandle {
  /** Receives a chunk; without one, the stream has ended or failed. */
  onread: (this: TcpHandle, chunk?: ArrayBuffer) => void;
  readStart(): number;
  readStop(): number;
  setNoDelay(enable: boolean): number;
  /** Closes the socket with a reset (`SO_LINGER` of 0 seconds). */
  reset(): number;
  close(): void;
  ref(): void;
  unref(): void;
  /** Writes the local address into an object. */
  getsockname(address: object): number;
  /** Writes the address of the peer into an object. */
  getpeername(address: object): number;
}

/** The handle of a socket that listens. */
export interface ListenHandle extends TcpHandle {
  /** Called when there is a connection. */
  onconnection?: () => void;
  /**
   * Listens. If it does already, it looks for connections anew, which it does not do
   * by itself after an error, or after the last connection was taken.
   */
  listen(backlog: number): number;
  /** Moves a connection into `client`, unless there is none. */
  accept(client: TcpHandle): number;
}

/** Binds a handle to an address. Returns a negative error number if that fails. */
export type Bind = () => ListenHandle | number;

/** The address that a method of a handle writes, if there is one. */
export function addressOf(
  write: (address: object) => number,
): Deno.NetAddr | undefined {
  const found = { address: "", port: 0 };
  if (write(found) !== 0) return undefined;
  return { transport: "tcp", hostname: found.address, port: found.port };
}

/** The handle of a socket. */
export function handleOf(socket: net.Socket): TcpHandle {
  return (socket as unknown as { _handle: TcpHandle })._handle;
}

/**
 * Binds a handle to an address, whose name it looks up at once, and returns it or a
 * negative error number.
 */
export function bindHandle(
  { hostname, port, reusePort }: {
    hostname: string;
    port: number;
    reusePort: boolean;
  },
): ListenHandle | number {
  return nodeModule("node:net")
    ._createServerHandle(hostname, port, 4, undefined, reusePort ? 4 : 0);
}

/** A socket on the handle of an accepted connection. */
export function socketOf(handle: TcpHandle): net.Socket {
  const { Socket } = nodeModule("node:net");
  const options = { handle, allowHalfOpen: true, manualStart: true };
  return new Socket(options as ConstructorParameters<typeof net.Socket>[0]);
}

/**
 * Opens a socket. An aborted signal closes it at once.
 *
 * @throws the error of Deno for that of the socket, or the signal's reason.
 */
export async function openSocket(
  { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT }: Endpoint,
  signal: AbortSignal,
): Promise<net.Socket> {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { connect } = nodeModule("node:net");
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
