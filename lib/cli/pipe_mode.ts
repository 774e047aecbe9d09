/**
 * The mode that sends stdin, and writes its verified echo to stdout.
 *
 * ```sh
 * seq 1 1000000 | deno task --quiet client - | md5sum
 * ```
 *
 * @module
 */

import { formatEndpoint } from "../net/endpoint.ts";
import { writeAll } from "../net/write_all.ts";
import { pipe } from "../pipe.ts";
import type { ModeInput } from "./client_flags.ts";
import { eventLine, printable, streamError, writeStderr } from "./output.ts";
import { abortOnSignal, EXIT } from "./signals.ts";

/**
 * Stdin as a stream. It reads only when it is read from. `onRead` is called before
 * the first read, which is when the connection is made.
 */
function stdinStream(onRead: () => void): ReadableStream<Uint8Array> {
  const reader = Deno.stdin.readable.getReader();
  let isFirst = true;
  return new ReadableStream({
    async pull(controller) {
      if (isFirst) onRead();
      isFirst = false;
      const { done, value } = await reader.read().catch((error) => {
        throw streamError("Cannot read stdin", error);
      });
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Stdout as a stream. */
function stdoutStream(): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      try {
        await writeAll(Deno.stdout, chunk);
      } catch (error) {
        throw streamError("Cannot write the echo to stdout", error);
      }
    },
  });
}

/** Sends stdin, and writes its echo to stdout. */
export async function runPipe({ options, values }: ModeInput): Promise<number> {
  const start = performance.now();
  const endpoint = printable(formatEndpoint(options));
  const summary = await pipe({
    ...options,
    input: stdinStream(() => {
      if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return;
      writeStderr(`connected to ${endpoint}, Ctrl-D ends the input`);
    }),
    output: stdoutStream(),
    signal: abortOnSignal(),
  });
  if (values.json) {
    const duration = performance.now() - start;
    writeStderr(eventLine("summary", { mode: "pipe", ...summary, duration }));
  }
  return EXIT.ok;
}
