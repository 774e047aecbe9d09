/**
 * The faults `slicer` and `slicerDelay`: chunks are passed on in slices of a
 * few bytes, with a pause between them.
 *
 * ```sh
 * deno task server --slicer 10 --slicer-delay 5ms
 * ```
 *
 * @module
 */

import type { Sink, StageContext } from "./stage.ts";

/** Slices chunks; the stage is off if `slicer` is not set. */
export function slicer(next: Sink, context: StageContext): Sink {
  const { slicer: size, slicerDelay = 0 } = context.faults;
  if (size === undefined) return next;
  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length; at += size) {
        if (context.ended()) return;
        if (at > 0 && slicerDelay > 0) await context.pause(slicerDelay);
        await next.write(chunk.subarray(at, at + size));
        context.count("slicer");
      }
    },
  };
}
