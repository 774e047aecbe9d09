/**
 * The modes of the client program that send what the user gives: a message, or
 * stdin. `--ping` and `--load` have modules of their own.
 *
 * ```sh
 * deno task client "Hello again"
 * seq 1 1000000 | deno task --quiet client - | md5sum
 * ```
 *
 * @module
 */

import { exchange } from "../echo.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { pipe } from "../pipe.ts";
import { EXIT } from "./program.ts";
import { abortOnSignal, printEvent } from "./run_control.ts";
import type { ModeOptions } from "./run_options.ts";
import { print, stdinStream, stdoutStream } from "./stdio.ts";
import { jsonLine, printableLines } from "./terminal.ts";

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
