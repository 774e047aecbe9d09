/**
 * The faults that close a connection: `limitData` and `closeAfter`.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/** Ends the stream after a number of bytes. */
export const limitData: Stage = async function* (chunks, context) {
  const fault = "limitData";
  let left = context.faults.limitData ?? Infinity;
  if (left === 0) context.end({ kind: "truncated", fault });
  for await (const chunk of chunks) {
    const { at } = chunk;
    const bytes = chunk.bytes.subarray(0, left);
    left -= bytes.length;
    if (left > 0) {
      yield chunk;
      continue;
    }
    if (bytes.length > 0) yield { at, bytes };
    yield context.released
      ? { ...chunk, bytes: chunk.bytes.subarray(bytes.length) }
      : { at, bytes: new Uint8Array(), end: { kind: "truncated", fault } };
  }
};

/** Ends the stream after a time, whatever other faults hold. */
export const closeAfter: Stage = (chunks, context) => {
  const fault = "closeAfter";
  const { closeAfter = Infinity } = context.faults;
  context.at(
    context.since + closeAfter,
    () => context.end({ kind: "truncated", fault }),
  );
  return chunks;
};
