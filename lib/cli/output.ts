/**
 * What the programs write: results to stdout, everything else to stderr, and
 * text from a peer without control characters.
 *
 * @module
 */

import {
  CONTROL_CHARS,
  escapeControl,
  escapeUnicode,
} from "../net/control_chars.ts";
import { describeError } from "../net/system_error.ts";

/** An error of a standard stream, after what was attempted. */
export function streamError(action: string, cause: unknown): Error {
  const reason = cause instanceof Deno.errors.BrokenPipe
    ? "it is closed"
    : describeError(cause);
  return new Error(`${action}: ${reason}`, { cause });
}

/**
 * Writes a line of results to stdout.
 *
 * @throws {Error} if it cannot be written. `console.log` would hide that.
 */
export function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    throw streamError("Cannot write to stdout", error);
  }
}

/** Writes a line to stderr. If that fails, the line is lost. */
export function writeStderr(line: string): void {
  try {
    console.error(line);
  } catch {
    // There is no other stream to report it on.
  }
}

/** `text` as one line, with control characters as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replace(CONTROL_CHARS, escapeControl);
}

/** Like `printable`, but keeps line breaks and tabs. */
export function printableLines(text: string): string {
  return text.replace(
    CONTROL_CHARS,
    (character) =>
      "\n\t".includes(character) ? character : escapeControl(character),
  );
}

/** Errors as their messages, and fractions to six decimals: to the nanosecond. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === "number" && !Number.isInteger(value)
    ? Number(value.toFixed(6))
    : value;
}

/**
 * A value as JSON in one line, with fractions to six decimals. It stays valid
 * JSON: control characters are escaped as `\u009b`, because JSON has no `\x9b`.
 */
export function jsonLine(value: object): string {
  return JSON.stringify(value, plain).replace(CONTROL_CHARS, escapeUnicode);
}

/** An event of the client as JSON, with the time unless `fields` has one. */
export function eventLine(event: string, fields: object): string {
  return jsonLine({ event, timestamp: new Date().toISOString(), ...fields });
}
