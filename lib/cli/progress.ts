/**
 * The progress of a run on stderr: a line that is redrawn in place, or on anything
 * but a terminal a line now and then.
 *
 * @module
 */

import { writeStderr } from "./output.ts";

/** Seconds from one line of progress to the next if stderr is not a terminal. */
const INTERVAL_S = 10;

/** The width of the terminal if it is unknown. */
const DEFAULT_COLUMNS = 80;

/** The width of the terminal that a standard stream is connected to. */
function terminalColumns(): number {
  try {
    // A terminal without a window, such as a serial line, has width 0.
    return Deno.consoleSize().columns || DEFAULT_COLUMNS;
  } catch {
    return DEFAULT_COLUMNS;
  }
}

/**
 * Returns what draws printable ASCII text in place of the text before it; "" leaves
 * an empty line with the cursor at its start. It needs only the carriage return,
 * which every terminal has, and no escape sequences.
 */
export function liveLine(
  write: (text: string) => void,
  columns: () => number = terminalColumns,
): (text: string) => void {
  let before = 0;
  return (text) => {
    // The last column stays empty: some terminals wrap as soon as it is filled.
    const width = Math.max(0, columns() - 1);
    const line = text.slice(0, width);
    if (line.length + before === 0) return;
    write(`\r${line.padEnd(Math.min(before, width))}${line ? "" : "\r"}`);
    before = line.length;
  };
}

/** Returns what shows the progress each second, and is called with "" in the end. */
export function progressDisplay(): (line: string) => void {
  if (Deno.stderr.isTerminal()) {
    return liveLine((text) =>
      void Deno.stderr.writeSync(new TextEncoder().encode(text))
    );
  }
  let seconds = 0;
  return (line) => {
    if (line && ++seconds % INTERVAL_S === 0) writeStderr(line);
  };
}
