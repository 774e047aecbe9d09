/**
 * The errors of an exchange, each with its own class, so that a caller can tell
 * a server that is down from one that sends wrong bytes.
 *
 * Low-level code throws them with a fact as the message, such as "closed by the
 * server after 7 of 14 bytes". The public functions add what was attempted, once,
 * with `withContext`.
 *
 * @module
 */

/** Any error of an exchange, other than wrong options. */
export class EchoError extends Error {
  /** The message starts in lower case and has no full stop. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No connection could be made; `cause` is the error that Deno threw. */
export class ConnectError extends EchoError {}

/** Nothing listens at that address. */
export class ConnectionRefusedError extends ConnectError {}

/** A connection was made, but the TLS handshake failed. */
export class HandshakeError extends ConnectError {}

/** Connecting, or the whole exchange, took longer than `timeout`. */
export class TimedOutError extends EchoError {}

/** The connection ended before every byte came back. */
export class UnexpectedEofError extends EchoError {
  /** Bytes that came back, all of them equal to what was sent. */
  readonly received: number;
  /** Bytes that were sent. */
  readonly expected: number;

  /** Takes both counts. */
  constructor(
    message: string,
    options: ErrorOptions & { received: number; expected: number },
  ) {
    super(message, options);
    this.received = options.received;
    this.expected = options.expected;
  }
}

/** The connection was reset (RFC 9293, section 3.5.3) before every byte came back. */
export class ConnectionResetError extends UnexpectedEofError {}

/** A byte came back that differs from the byte that was sent. */
export class MismatchError extends EchoError {
  /** The position of the byte in the message, from 0. */
  readonly offset: number;
  /** The byte that was sent; `undefined` if none was sent at that position. */
  readonly sent: number | undefined;
  /** The byte that came back. */
  readonly received: number;

  /** Takes the position and both bytes. */
  constructor(
    message: string,
    options: ErrorOptions & {
      offset: number;
      sent: number | undefined;
      received: number;
    },
  ) {
    super(message, options);
    this.offset = options.offset;
    this.sent = options.sent;
    this.received = options.received;
  }
}

/**
 * The same error with what was attempted in front of its message. Errors of other
 * classes are returned unchanged. `cause` stays what it was, or becomes `error`.
 */
export function addContext(action: string, error: unknown): unknown {
  if (!(error instanceof EchoError)) return error;
  const Class = error.constructor as new (
    message: string,
    options: ErrorOptions,
  ) => EchoError;
  return new Class(`${action}: ${error.message}`, {
    ...error,
    cause: error.cause ?? error,
  });
}

/** Runs `work`; what it throws gets `action` in front, as with `addContext`. */
export async function withContext<T>(
  action: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw addContext(action, error);
  }
}

/**
 * The key of an error in counts by kind: `MismatchError` is `mismatch`, and
 * `TimedOutError` is `timeout`.
 */
export function errorKind(error: unknown): string {
  if (error instanceof TimedOutError) return "timeout";
  const name = error instanceof Error ? error.name : "Error";
  const kind = name.replace(/Error$/, "") || name;
  return kind.charAt(0).toLowerCase() + kind.slice(1);
}
