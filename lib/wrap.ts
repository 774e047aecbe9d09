/**
 * Text as lines of limited width, broken between words.
 *
 * ```ts
 * import { wrap } from "./wrap.ts";
 * wrap("one two three", 8); // ["one two", "three"]
 * ```
 *
 * @module
 */

/** Lines of at most `width` characters; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
