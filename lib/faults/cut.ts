/**
 * The faults that end a connection: `limitData` and `closeAfter` close it, `reset` and
 * `resetAfter` reset it.
 *
 * @module
 */

import type { End, Stage } from "./stage.ts";

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

/** Ends the connection after a time, whatever other faults hold. */
function endAfter(
  fault: "closeAfter" | "resetAfter",
  kind: End["kind"],
): Stage {
  return (chunks, context) => {
    const { [fault]: ms = Infinity } = context.faults;
    context.at(context.since + ms, () => context.end({ kind, fault }));
    return chunks;
  };
}

/** Closes the connection after a time. */
export const closeAfter: Stage = endAfter("closeAfter", "truncated");

/** Resets the connection after a time. */
export const resetAfter: Stage = endAfter("resetAfter", "reset");
