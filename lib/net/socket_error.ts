/**
 * Errors of `node:net` as the classes that Deno's own connections throw.
 *
 * ```ts
 * import { socketError } from "./socket_error.ts";
 *
 * const error = Object.assign(new Error(), { code: "ECONNRESET" });
 * socketError(error) instanceof Deno.errors.ConnectionReset; // true
 * ```
 *
 * @module
 */

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

/** The error of Deno for one of `node:net`, with the same `code`. */
export function socketError(cause: Error & { code?: string }): Error {
  const { code = "" } = cause;
  const Class = CLASSES[code];
  if (!Class) return cause;
  return Object.assign(new Class(cause.message, { cause }), { code });
}
