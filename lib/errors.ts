/**
 * What can go wrong in an exchange, each with a class of its own, so that a
 * caller can tell a server that is not there from one that lies.
 *
 * ```ts
 * import { CutShortError, exchange } from "./echo.ts";
 * try {
 *   await exchange("Hello, server!");
 * } catch (error) {
 *   if (error instanceof CutShortError) console.error(error.received);
 * }
 * ```
 *
 * @module
 */

/** Every error of an exchange that is not the caller's own. */
export class EchoError extends Error {
  /** Made by this project's own functions, with a sentence as its message. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No connection could be made; `cause` is what Deno said. */
export class ConnectError extends EchoError {}

/** Nothing listens at that address. */
export class RefusedError extends ConnectError {}

/** The connection was there, but no TLS session came about. */
export class HandshakeError extends ConnectError {}

/** The time was up before the connection, or the whole echo, was there. */
export class TimedOutError extends EchoError {}

/** The connection ended before every byte had come back. */
export class CutShortError extends EchoError {
  /** Bytes that came back, all of them as they were sent. */
  readonly received: number;
  /** Bytes that were to come back. */
  readonly expected: number;

  /** Made by the exchange, which knows both counts. */
  constructor(
    message: string,
    options: { received: number; expected: number; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.received = options.received;
    this.expected = options.expected;
  }
}

/** The same, by a TCP reset (RFC 9293, section 3.5.3) rather than a close. */
export class ResetError extends CutShortError {}

/** A byte came back that is not the one that was sent in its place. */
export class DiffersError extends EchoError {
  /** Where: bytes before it in the message, counted from 0. */
  readonly offset: number;
  /** The byte that was sent there; `undefined` where none was. */
  readonly sent: number | undefined;
  /** The byte that came back. */
  readonly received: number;

  /** Made by the exchange, which has both bytes. */
  constructor(
    message: string,
    at: { offset: number; sent: number | undefined; received: number },
  ) {
    super(message);
    this.offset = at.offset;
    this.sent = at.sent;
    this.received = at.received;
  }
}

/** Names an error for the count by kind: `RefusedError` is `refused`. */
export function kindOf(error: unknown): string {
  const name = error instanceof Error ? error.name : "Error";
  return name.replace(/Error$/, "").replace(
    /[A-Z]/g,
    (letter, at) => `${at ? " " : ""}${letter.toLowerCase()}`,
  );
}

// Each operating system has its own words for these, and Deno its own guess at
// the flag that is missing.
const REASONS = [
  [Deno.errors.NotCapable, "permission not granted"],
  [Deno.errors.ConnectionRefused, "connection refused"],
  [Deno.errors.AddrInUse, "address already in use"],
  [Deno.errors.AddrNotAvailable, "cannot assign requested address"],
  [Deno.errors.PermissionDenied, "permission denied"],
] as const;

/** How a failed look-up begins on Unix, and Windows' number for it. */
const LOOKUP = /^failed to lookup address|\(os error 1100[1-4]\)/;

/**
 * What the operating system or Deno said, in the middle of a sentence: without
 * its number and its capital.
 */
export function reason(error: unknown): string {
  for (const [Class, words] of REASONS) {
    if (error instanceof Class) return words;
  }
  const said = error instanceof Error ? error.message : String(error);
  if (LOOKUP.test(said)) return "the host name does not resolve";
  // Deno's file functions add what they were called with after the number.
  const plain = said.replace(/ \(os error \d+\).*$/s, "");
  return plain.charAt(0).toLowerCase() + plain.slice(1);
}

/**
 * The same class of error as Deno's, in words that say what was attempted: its
 * own name neither the address nor the permission to the letter.
 */
export function restate(error: unknown, attempt: string, grant: string): Error {
  const why = `${attempt}: ${reason(error)}`;
  const options = { cause: error };
  if (error instanceof Deno.errors.NotCapable) {
    // A compiled program has the permissions that it was compiled with, which
    // is the network at any address.
    const kinds = new Set(grant.match(/--allow-(read|write)/g) ?? [grant]);
    const what = Deno.build.standalone
      ? `compile it with ${[...kinds].join(" ")}`
      : `run again with ${grant}`;
    return new Deno.errors.NotCapable(`${why}: ${what}`, options);
  }
  for (
    const Class of [
      Deno.errors.AddrInUse,
      Deno.errors.AddrNotAvailable,
      Deno.errors.PermissionDenied,
      Deno.errors.NotFound,
      RangeError,
      TypeError,
    ]
  ) {
    if (error instanceof Class) return new Class(why, options);
  }
  return new EchoError(why, options);
}
