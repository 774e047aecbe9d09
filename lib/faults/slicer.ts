/**
 * The faults `slicer`, `slicerVariation` and `slicerDelay`: chunks are passed on in
 * slices of a few bytes, with a pause between them.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/** The finest timer, in milliseconds. Shorter pauses are saved up until one is due. */
const TIMER_MS = 1;

/** Slices chunks. */
export const slicer: Stage = async function* (chunks, context) {
  const { slicer = Infinity, slicerVariation = 0 } = context.faults;
  const { slicerDelay = 0 } = context.faults;
  const random = context.random(3);
  const next = () => {
    const variation = Math.round((2 * random() - 1) * slicerVariation);
    return Math.max(1, slicer + variation);
  };
  let size = next();
  let due = 0;
  for await (const chunk of chunks) {
    let rest = chunk.bytes;
    while (rest.length > size && !context.released) {
      context.count("slicer");
      yield { at: chunk.at, bytes: rest.subarray(0, size) };
      rest = rest.subarray(size);
      size = next();
      const now = performance.now();
      due = Math.max(due, now) + slicerDelay;
      if (due - now >= TIMER_MS) await context.until(due);
    }
    if (!chunk.end) context.count("slicer");
    yield { ...chunk, bytes: rest };
  }
};
