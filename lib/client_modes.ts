/**
 * What the client program does in each of its modes: the library's call in,
 * lines out. Results go to stdout, progress and errors to stderr.
 *
 * ```sh
 * deno task client --ping --count 3
 * deno task client --load --duration 5s
 * ```
 *
 * @module
 */

import { DEFAULT_DURATION_MS } from "./defaults.ts";
import { exchange } from "./echo.ts";
import { load, type LoadOptions } from "./load.ts";
import {
  DEFAULT_COLUMNS,
  LiveLine,
  stderrTerminal,
  terminalColumns,
} from "./live_line.ts";
import { DEFAULT_PING_SIZE, ping, type PingOptions } from "./ping.ts";
import { pipe } from "./pipe.ts";
import { place } from "./place.ts";
import { jsonLine, printable, printableLines } from "./printable.ts";
import { EXIT, print } from "./program.ts";
import { loadReport, pingReport, probeLine, progressLine } from "./report.ts";
import { onEnding } from "./signals.ts";
import { stdinStream, stdoutStream } from "./stdio.ts";

/** What the user asked for: of any mode, and where the server is. */
export interface Request extends PingOptions, LoadOptions {
  /** JSON lines instead of text. */
  json?: boolean | undefined;
}

/** Seconds between lines of progress where they cannot be redrawn. */
const PROGRESS_EVERY = 10;

function show(event: string, fields: object): void {
  print(jsonLine({ event, ...fields }));
}

/** Aborted by the first signal; the next one ends the process. */
function untilEnding(reason?: () => Error): AbortSignal {
  const controller = new AbortController();
  onEnding(() => {
    if (controller.signal.aborted) Deno.exit(EXIT.failed);
    controller.abort(reason?.());
  });
  return controller.signal;
}

/** Sends a message and prints its echo. */
export async function runMessage(
  message: string,
  { json, ...options }: Request,
): Promise<number> {
  const start = performance.now();
  const bytes = await exchange(message, options);
  // Decoded as a whole, so that no character is lost between two reads.
  const echo = new TextDecoder().decode(bytes);
  if (json) {
    show("echo", {
      size: bytes.length,
      duration: performance.now() - start,
      echo,
    });
  } else {
    const shown = Deno.stdout.isTerminal() ? printableLines(echo) : echo;
    print(`Received from server: ${shown}`);
  }
  return EXIT.ok;
}

/** Pipes stdin through the server to stdout. */
export async function runPipe(options: Request): Promise<number> {
  const start = performance.now();
  const count = await pipe({
    ...options,
    input: stdinStream(),
    output: stdoutStream("the echo"),
    signal: untilEnding(() =>
      new Error(`Cannot pipe on through ${place(options)}: interrupted`)
    ),
  });
  if (options.json) {
    // stdout has the echo itself.
    console.error(
      JSON.stringify({
        event: "summary",
        ...count,
        duration: performance.now() - start,
      }),
    );
  }
  return EXIT.ok;
}

/** Pings until there were enough probes, or the user has had enough. */
export async function runPing(options: Request): Promise<number> {
  const where = printable(place(options));
  const { json } = options;
  const { size = DEFAULT_PING_SIZE } = options;
  if (!json) print(`PING ${where}: ${size} bytes of data`);
  const unheard = new AbortController();
  const summary = await ping({
    ...options,
    signal: AbortSignal.any([untilEnding(), unheard.signal]),
    onProbe(probe) {
      try {
        if (json) show("probe", { ...probe, error: probe.error?.message });
        else print(probeLine(where, probe));
      } catch (error) {
        // Nobody takes the results any more.
        unheard.abort(error);
      }
    },
  });
  unheard.signal.throwIfAborted();
  if (json) show("summary", summary);
  else print(`\n${pingReport(where, summary)}`);
  return summary.received > 0 ? EXIT.ok : EXIT.failed;
}

/** Loads the server, shows how it goes, and reports. */
export async function runLoad(options: Request): Promise<number> {
  const where = printable(place(options));
  const { json, count } = options;
  const { duration = count ? undefined : DEFAULT_DURATION_MS } = options;
  const progress = { messages: 0, errors: 0, duration, count };
  // JSON on the same terminal says it all, and would run into the line.
  const silent = json && Deno.stdout.isTerminal();
  const live = Deno.stderr.isTerminal() ? new LiveLine(stderrTerminal) : null;
  let seconds = 0;
  let started = false;
  const unheard = new AbortController();
  const summary = await load({
    ...options,
    signal: AbortSignal.any([untilEnding(), unheard.signal]),
    onStart: () => started = true,
    onSecond(second) {
      progress.messages += second.messages;
      progress.errors += second.errors;
      const line = progressLine(second, progress);
      try {
        if (json) show("second", second);
        if (silent) return;
        if (live) live.show(line);
        else if (++seconds % PROGRESS_EVERY === 0) console.error(line);
      } catch (error) {
        // Nobody takes the results any more.
        unheard.abort(error);
      }
    },
  });
  unheard.signal.throwIfAborted();
  live?.clear();
  if (!started) {
    throw new Error(`Cannot load ${where}: interrupted before the load began`);
  }
  if (json) {
    show("summary", summary);
  } else {
    const columns = Deno.stdout.isTerminal()
      ? terminalColumns()
      : DEFAULT_COLUMNS;
    print(loadReport(where, summary, columns));
  }
  const failed = Object.keys(summary.errors).length > 0 ||
    summary.unanswered > 0;
  return summary.messages > 0 && !failed ? EXIT.ok : EXIT.failed;
}
