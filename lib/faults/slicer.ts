/**
 * The faults `slicer` and `slicerDelay`: chunks are passed on in slices of a
 * few bytes, with a pause between them.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/** Slices chunks. */
export const slicer: Stage = async function* (chunks, context) {
  const { slicer: size = Infinity, slicerDelay = 0 } = context.faults;
  for await (const chunk of chunks) {
    let rest = chunk.bytes;
    while (rest.length > size && !context.released) {
      context.count("slicer");
      yield { at: chunk.at, bytes: rest.subarray(0, size) };
      rest = rest.subarray(size);
      if (slicerDelay > 0) await context.until(performance.now() + slicerDelay);
    }
    if (!chunk.end) context.count("slicer");
    yield { ...chunk, bytes: rest };
  }
};
