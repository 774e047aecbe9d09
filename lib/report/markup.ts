/**
 * HTML with escaping by construction: whatever is put into a template is
 * escaped, unless it was made by a template itself.
 *
 * ```ts
 * import { markup } from "./markup.ts";
 * markup`<p>${"1 < 2"}</p>`.toString(); // "<p>1 &lt; 2</p>"
 * ```
 *
 * @module
 */

// Control characters and the bidirectional and line-breaking controls of
// Unicode, which could reorder what a reader sees (CVE-2021-42574).
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Characters of one outside text that are shown. An error text can quote what
 * a server sent; a page is not to be filled by it.
 */
const MAX_TEXT = 500;

/** A piece of HTML that is already escaped. */
export class Markup {
  readonly #source: string;

  /** From source that is safe; use `markup` for everything else. */
  constructor(source: string) {
    this.#source = source;
  }

  /** The HTML source. */
  toString(): string {
    return this.#source;
  }
}

/** What a template takes; `undefined` and `false` leave nothing. */
export type Part =
  | Markup
  | string
  | number
  | undefined
  | false
  | readonly Part[];

function visible(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

/**
 * Text that is safe in elements and in quoted attributes. Control characters
 * are shown as escapes such as `\x1b`, a text too long ends in an ellipsis.
 */
export function escapeText(text: string): string {
  const clipped = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return clipped
    .toWellFormed()
    .replace(UNSAFE, visible)
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function render(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Markup) return part.toString();
  if (typeof part === "object") return part.map(render).join("");
  return escapeText(String(part));
}

/** A template whose values are escaped. */
export function markup(
  strings: TemplateStringsArray,
  ...parts: readonly Part[]
): Markup {
  return new Markup(
    strings.reduce((all, string, i) => all + render(parts[i - 1]) + string),
  );
}
