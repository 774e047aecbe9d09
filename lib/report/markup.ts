/**
 * HTML with escaping by construction: whatever is put into a template is
 * escaped, unless it was made by a template itself.
 *
 * @module
 */

import { CONTROL_CHARS, escapeControl } from "../net/control_chars.ts";

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Characters of a text that are shown: a server must not fill the page. */
const MAX_TEXT = 500;

/** HTML that is already escaped. For everything else there is `markup`. */
export class Markup {
  constructor(readonly source: string) {}
}

/** What a template takes; `undefined` and `false` leave nothing. */
type Part = Markup | string | number | undefined | false | readonly Part[];

/** Shows control characters as `\x1b`, and ends what is too long with `…`. */
function escapeText(text: string): string {
  const clipped = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return clipped
    .toWellFormed()
    .replace(CONTROL_CHARS, escapeControl)
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function render(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Markup) return part.source;
  if (typeof part === "object") return part.map(render).join("");
  return escapeText(String(part));
}

/** A template whose values are escaped, in elements and in quoted attributes. */
export function markup(
  strings: TemplateStringsArray,
  ...parts: readonly Part[]
): Markup {
  return new Markup(
    strings.reduce((all, string, i) => all + render(parts[i - 1]) + string),
  );
}
