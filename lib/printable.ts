/**
 * Text that comes from elsewhere, made safe for a terminal: what would move the
 * cursor, change colours or reverse the reading order is shown as an escape
 * instead of being carried out.
 *
 * ```ts
 * import { printable } from "./printable.ts";
 * printable("\x1b[2Jgone"); // "\\x1b[2Jgone"
 * ```
 *
 * @module
 */

// C0 and C1 controls, DEL, and the bidirectional and line-breaking controls of
// Unicode (those that "Trojan Source", CVE-2021-42574, reorders lines with).
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** `\u009b`, which JSON and JavaScript both read. */
function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function escape(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : escapeUnicode(character);
}

/** `text` in one line, its control characters as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escape);
}

/** The same, but line breaks and tabs stay what they are. */
export function printableLines(text: string): string {
  return text.replace(
    UNSAFE,
    (character) => "\n\t".includes(character) ? character : escape(character),
  );
}

/**
 * A value as JSON in one line. It stays valid JSON with the same value: control
 * characters are escaped as `\u009b`, because JSON knows no `\x9b`.
 */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(UNSAFE, escapeUnicode);
}
