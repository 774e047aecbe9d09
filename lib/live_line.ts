/**
 * A line on a terminal that is drawn over itself, at most as wide as the
 * terminal is at that moment. It does so without escape sequences, so that a
 * terminal that knows none shows it too.
 *
 * ```ts
 * import { LiveLine, stderrTerminal } from "./live_line.ts";
 * const line = new LiveLine(stderrTerminal);
 * line.show("50 %");
 * line.clear();
 * ```
 *
 * @module
 */

/** Where a line is drawn. */
export interface Terminal {
  /** Writes text as it is. */
  write(text: string): void;
  /** How wide it is now. */
  columns(): number;
}

/** Columns where the width of a terminal is not known. */
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

/** The terminal behind stderr. */
export const stderrTerminal: Terminal = {
  write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
  columns: terminalColumns,
};

/** A line that replaces itself. */
export class LiveLine {
  readonly #terminal: Terminal;
  #length = 0;

  /** Draws nothing until there is something to show. */
  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Draws a text of printable ASCII in place of the last one. */
  show(text: string): void {
    // The last column stays empty: some terminals wrap as soon as it is filled.
    const room = Math.max(0, this.#terminal.columns() - 1);
    const line = text.slice(0, room);
    const residue = Math.min(this.#length, room);
    this.#terminal.write(`\r${line.padEnd(residue)}`);
    this.#length = line.length;
  }

  /** Leaves an empty line, and the cursor at its beginning. */
  clear(): void {
    if (this.#length === 0) return;
    this.show("");
    this.#terminal.write("\r");
  }
}
