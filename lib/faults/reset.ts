/**
 * The faults `reset` and `resetAfter`: the peer gets a TCP reset.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/** Resets the connection when there is more than a number of bytes to send. */
export const reset: Stage = async function* (chunks, context) {
  let left = context.faults.reset ?? Infinity;
  for await (const chunk of chunks) {
    const { at } = chunk;
    if (chunk.bytes.length <= left) {
      left -= chunk.bytes.length;
      yield chunk;
      continue;
    }
    if (left > 0) yield { at, bytes: chunk.bytes.subarray(0, left) };
    yield context.released
      ? { ...chunk, bytes: chunk.bytes.subarray(left) }
      : { at, bytes: new Uint8Array(), end: { kind: "reset", fault: "reset" } };
  }
};

/** Resets the connection after a time, whatever other faults hold. */
export const resetAfter: Stage = (chunks, context) => {
  const { resetAfter = Infinity } = context.faults;
  context.at(
    context.since + resetAfter,
    () => context.end({ kind: "reset", fault: "resetAfter" }),
  );
  return chunks;
};
