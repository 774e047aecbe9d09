/**
 * Output on a terminal: its width, lines that fit it, a line that is redrawn, and
 * text from a peer without control characters.
 *
 * ```ts
 * import { LiveLine, printable, stderrTerminal, wrap } from "./terminal.ts";
 *
 * wrap("one two three", 8); // ["one two", "three"]
 * printable("\x1b[2Jtext"); // "\\x1b[2Jtext"
 * const line = new LiveLine(stderrTerminal);
 * line.show("50 %");
 * line.clear();
 * ```
 *
 * @module
 */

import {
  CONTROL_CHARS,
  escapeControl,
  escapeUnicode,
} from "../net/control_chars.ts";

/** The width of a terminal if it is unknown, and of the help text. */
export const DEFAULT_COLUMNS = 80;

/** The width of the terminal that a standard stream is connected to. */
export function terminalColumns(): number {
  try {
    // A terminal without a window, such as a serial line, has width 0.
    return Deno.consoleSize().columns || DEFAULT_COLUMNS;
  } catch {
    return DEFAULT_COLUMNS;
  }
}

/** What a live line is drawn on. */
export interface Terminal {
  /** Writes text unchanged. */
  write(text: string): void;
  /** Returns the current width. */
  columns(): number;
}

/** The terminal behind stderr. */
export const stderrTerminal: Terminal = {
  write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
  columns: terminalColumns,
};

/**
 * A line that is redrawn in place. It needs only the carriage return, which every
 * terminal has, and no escape sequences.
 */
export class LiveLine {
  readonly #terminal: Terminal;
  #length = 0;

  /** Draws nothing yet. */
  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Draws printable ASCII text in place of the text before it. */
  show(text: string): void {
    // The last column stays empty: some terminals wrap as soon as it is filled.
    const columns = Math.max(0, this.#terminal.columns() - 1);
    const line = text.slice(0, columns);
    const previous = Math.min(this.#length, columns);
    this.#terminal.write(`\r${line.padEnd(previous)}`);
    this.#length = line.length;
  }

  /** Leaves an empty line, with the cursor at its start. */
  clear(): void {
    if (this.#length === 0) return;
    this.show("");
    this.#terminal.write("\r");
  }
}

/** Lines of at most `width` characters. A longer word gets its own line. */
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

/**
 * A value as JSON in one line. It stays valid JSON with the same value: control
 * characters are escaped as `\u009b`, because JSON has no `\x9b`.
 */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(CONTROL_CHARS, escapeUnicode);
}
