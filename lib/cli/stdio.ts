/**
 * The standard streams of a program. Their errors say what was attempted.
 *
 * ```ts ignore
 * import { stdinStream, stdoutStream } from "./stdio.ts";
 *
 * await stdinStream().pipeTo(stdoutStream("the copy"));
 * // Error: Cannot write the copy to stdout: no space left on device
 * ```
 *
 * @module
 */

import { describeError } from "../net/system_error.ts";
import { writeAll } from "../net/write_all.ts";

function streamError(action: string, cause: unknown): Error {
  const reason = cause instanceof Deno.errors.BrokenPipe
    ? "it is closed"
    : describeError(cause);
  return new Error(`${action}: ${reason}`, { cause });
}

/** Stdin as a stream. It reads only when it is read from. */
export function stdinStream(): ReadableStream<Uint8Array> {
  const reader = Deno.stdin.readable.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read().catch((error) => {
        throw streamError("Cannot read stdin", error);
      });
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Stdout as a stream. `content` names what is written, for its errors. */
export function stdoutStream(content: string): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      try {
        await writeAll(Deno.stdout, chunk);
      } catch (error) {
        throw streamError(`Cannot write ${content} to stdout`, error);
      }
    },
  });
}

/**
 * Writes a line of results to stdout.
 *
 * @throws {Error} if it cannot be written. `console.log` would hide that.
 */
export function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    throw streamError("Cannot write to stdout", error);
  }
}

/** Writes a line to stderr. If that fails, the line is lost. */
export function writeStderr(line: string): void {
  try {
    console.error(line);
  } catch {
    // There is no other stream to report it on.
  }
}
