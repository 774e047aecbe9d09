/**
 * What the runtime has below the sockets of `node:net` (Node's `TCPWrap`), as far as
 * this project uses it. Types of the runtime do not describe it.
 *
 * @module
 */

import type { Socket } from "node:net";

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
export function handleOf(socket: Socket): TcpHandle {
  return (socket as unknown as { _handle: TcpHandle })._handle;
}

/**
 * Binds a handle to an address, whose name it looks up at once, and returns it or a
 * negative error number. It loads `node:net`, which takes 50 ms.
 */
export function bindHandle(
  { hostname, port, reusePort }: {
    hostname: string;
    port: number;
    reusePort: boolean;
  },
): ListenHandle | number {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): NetModule };
  };
  return process.getBuiltinModule("node:net")
    ._createServerHandle(hostname, port, 4, undefined, reusePort ? 4 : 0);
}

/** What the types of `node:net` do not describe. */
interface NetModule {
  /** The flag 4 is that for `SO_REUSEPORT`. */
  _createServerHandle(
    hostname: string,
    port: number,
    family: 4 | 6,
    fd: undefined,
    flags: number,
  ): ListenHandle | number;
}
