/**
 * Characters in the text of a peer that must not reach a terminal or a page as they
 * are, and their escapes.
 *
 * @module
 */

/**
 * C0 and C1 controls, DEL, and the bidirectional and line-breaking controls of
 * Unicode, with which "Trojan Source" (CVE-2021-42574) reorders lines.
 */
export const CONTROL_CHARS: RegExp =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** `\u009b`, which both JSON and JavaScript read. */
export function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** `\x1b` or `\u202e`. */
export function escapeControl(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : escapeUnicode(character);
}
