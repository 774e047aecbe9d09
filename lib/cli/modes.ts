/**
 * The modes of the client program. Each calls the library and prints the results
 * to stdout. Progress goes to stderr.
 *
 * ```sh
 * deno task client --ping --count 3
 * deno task client --load --duration 5s
 * ```
 *
 * @module
 */

import { exchange } from "../echo.ts";
import { load, type LoadOptions } from "../load.ts";
import { DEFAULT_DURATION_MS, DEFAULT_PING_SIZE } from "../net/defaults.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { ping, type PingOptions } from "../ping.ts";
import { pipe } from "../pipe.ts";
import { EXIT } from "./program.ts";
import { loadReport, pingReport, probeLine, progressLine } from "./report.ts";
import { onTerminationSignal } from "./signals.ts";
import { print, stdinStream, stdoutStream } from "./stdio.ts";
import {
  DEFAULT_COLUMNS,
  jsonLine,
  LiveLine,
  printable,
  printableLines,
  stderrTerminal,
  terminalColumns,
} from "./terminal.ts";

/** The options of all modes. */
export interface ModeOptions extends PingOptions, LoadOptions {
  /** Prints JSON, one object per line, instead of text. */
  json?: boolean | undefined;
}

/** Seconds from one line of progress to the next if stderr is not a terminal. */
const PROGRESS_INTERVAL_S = 10;

function printEvent(event: string, fields: object): void {
  print(jsonLine({ event, ...fields }));
}

/** A signal that the first Ctrl-C aborts. The second one ends the process. */
function abortOnSignal(reason?: () => Error): AbortSignal {
  const controller = new AbortController();
  onTerminationSignal(() => {
    if (controller.signal.aborted) Deno.exit(EXIT.failed);
    controller.abort(reason?.());
  });
  return controller.signal;
}

/** Ends a run on Ctrl-C, and when its output can no longer be written. */
class RunControl {
  readonly #outputClosed = new AbortController();
  /** Ends the run. */
  readonly signal: AbortSignal = AbortSignal.any([
    abortOnSignal(),
    this.#outputClosed.signal,
  ]);

  /** Runs `write` during the run. If it throws, the run is ended. */
  write(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#outputClosed.abort(error);
    }
  }

  /** @throws what `write` threw during the run. */
  throwIfOutputClosed(): void {
    this.#outputClosed.signal.throwIfAborted();
  }
}

/** Sends a message and prints its echo. */
export async function runMessage(
  message: string,
  { json, ...options }: ModeOptions,
): Promise<number> {
  const start = performance.now();
  const bytes = await exchange(message, options);
  const duration = performance.now() - start;
  // Decoded as a whole, so that no character is split between two reads.
  const echo = new TextDecoder().decode(bytes);
  if (json) {
    printEvent("echo", { size: bytes.length, duration, echo });
  } else {
    const text = Deno.stdout.isTerminal() ? printableLines(echo) : echo;
    print(`Received from server: ${text}`);
  }
  return EXIT.ok;
}

/** Sends stdin, and writes its echo to stdout. */
export async function runPipe(options: ModeOptions): Promise<number> {
  const start = performance.now();
  const summary = await pipe({
    ...options,
    input: stdinStream(),
    output: stdoutStream("the echo"),
    signal: abortOnSignal(() =>
      new Error(`Cannot pipe through ${formatEndpoint(options)}: interrupted`)
    ),
  });
  if (options.json) {
    // On stderr, because stdout is the echo.
    console.error(
      jsonLine({
        event: "summary",
        ...summary,
        duration: performance.now() - start,
      }),
    );
  }
  return EXIT.ok;
}

/** Sends probes, and prints each result and a summary. */
export async function runPing(options: ModeOptions): Promise<number> {
  const endpoint = printable(formatEndpoint(options));
  const { json, size = DEFAULT_PING_SIZE } = options;
  if (!json) print(`PING ${endpoint}: ${size} bytes of data`);
  const control = new RunControl();
  const summary = await ping({
    ...options,
    signal: control.signal,
    onProbe: (probe) =>
      control.write(() =>
        json
          ? printEvent("probe", { ...probe, error: probe.error?.message })
          : print(probeLine(endpoint, probe))
      ),
  });
  control.throwIfOutputClosed();
  if (json) printEvent("summary", summary);
  else print(`\n${pingReport(endpoint, summary)}`);
  return summary.received > 0 ? EXIT.ok : EXIT.failed;
}

/** Shows the progress of a load run on stderr. */
class ProgressDisplay {
  readonly #line = Deno.stderr.isTerminal()
    ? new LiveLine(stderrTerminal)
    : undefined;
  #seconds = 0;

  /** Redraws the line, or prints one every 10 seconds. */
  update(line: string): void {
    this.#seconds++;
    if (this.#line) this.#line.show(line);
    else if (this.#seconds % PROGRESS_INTERVAL_S === 0) console.error(line);
  }

  /** Removes the line that is redrawn. */
  clear(): void {
    this.#line?.clear();
  }
}

/** Sends messages on many connections, shows the progress, and prints a report. */
export async function runLoad(options: ModeOptions): Promise<number> {
  const endpoint = printable(formatEndpoint(options));
  const { json, count } = options;
  const { duration = count ? undefined : DEFAULT_DURATION_MS } = options;
  const progress = { messages: 0, errors: 0, duration, count };
  // The JSON on the same terminal shows the progress, and would mix with it.
  const display = json && Deno.stdout.isTerminal()
    ? undefined
    : new ProgressDisplay();
  const control = new RunControl();
  let started = false;
  const summary = await load({
    ...options,
    signal: control.signal,
    onStart: () => started = true,
    onInterval(interval) {
      progress.messages += interval.messages;
      progress.errors += interval.errors;
      control.write(() => {
        if (json) printEvent("interval", interval);
        display?.update(progressLine(interval, progress));
      });
    },
  });
  control.throwIfOutputClosed();
  display?.clear();
  if (!started) {
    throw new Error(
      `Cannot load ${endpoint}: interrupted before the load began`,
    );
  }
  if (json) {
    printEvent("summary", summary);
  } else {
    const columns = Deno.stdout.isTerminal()
      ? terminalColumns()
      : DEFAULT_COLUMNS;
    print(loadReport(endpoint, summary, columns));
  }
  const failed = Object.keys(summary.errors).length > 0 ||
    summary.unanswered > 0;
  return summary.messages > 0 && !failed ? EXIT.ok : EXIT.failed;
}
