/**
 * Errors of `node:net` as the classes that Deno's own connections throw.
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
