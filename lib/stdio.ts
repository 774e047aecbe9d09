/**
 * The standard streams of a program, whose errors say what was attempted.
 *
 * ```ts ignore
 * import { stdinStream, stdoutStream } from "./stdio.ts";
 * await stdinStream().pipeTo(stdoutStream("the copy"));
 * // Error: Cannot write the copy to stdout: no space left on device
 * ```
 *
 * @module
 */

import { reason } from "./errors.ts";

/** What the system said about a standard stream, with what was attempted. */
export function streamError(attempt: string, cause: unknown): Error {
  const why = cause instanceof Deno.errors.BrokenPipe
    ? "it is closed"
    : reason(cause);
  return new Error(`${attempt}: ${why}`, { cause });
}

/** All of stdin. */
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
    cancel: (why) => reader.cancel(why),
    // What nobody has asked for yet is left where it is.
  }, { highWaterMark: 0 });
}

/** Stdout, which takes `what`. */
export function stdoutStream(what: string): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(piece) {
      try {
        for (let at = 0; at < piece.length;) {
          at += await Deno.stdout.write(piece.subarray(at));
        }
      } catch (error) {
        throw streamError(`Cannot write ${what} to stdout`, error);
      }
    },
  });
}
