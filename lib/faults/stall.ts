/**
 * The faults `stall` and `stallAfter`: nothing more is passed on, until the faults
 * are replaced.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/** Stalls after a number of bytes. */
export const stall: Stage = async function* (chunks, context) {
  let left = context.faults.stall ?? Infinity;
  for await (const chunk of chunks) {
    const bytes = chunk.bytes.subarray(0, left);
    left -= bytes.length;
    if (left > 0) {
      yield chunk;
      continue;
    }
    if (bytes.length > 0) yield { at: chunk.at, bytes };
    context.count("stall");
    await context.until(Infinity);
    yield { ...chunk, bytes: chunk.bytes.subarray(bytes.length) };
  }
};

/** Stalls after a time. */
export const stallAfter: Stage = async function* (chunks, context) {
  const { stallAfter = Infinity } = context.faults;
  const time = context.since + stallAfter;
  context.at(time, () => context.count("stallAfter"));
  for await (const chunk of chunks) {
    if (performance.now() >= time) await context.until(Infinity);
    yield chunk;
  }
};
