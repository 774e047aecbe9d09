/**
 * The fault `corrupt`: bytes are changed, each with the same probability.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/** Changes bytes: the same ones however the stream is split into chunks. */
export const corrupt: Stage = async function* (chunks, context) {
  const { corrupt: probability = 0 } = context.faults;
  const random = context.random(1);
  /** The bytes before the next change, which are geometrically distributed. */
  const gap = () => {
    if (probability <= 0) return Infinity;
    // log1p, since 1 minus a tiny probability is 1, and its logarithm 0.
    return Math.floor(Math.log1p(-random()) / Math.log1p(-probability)) || 0;
  };
  let next = gap();
  for await (const chunk of chunks) {
    const { bytes } = chunk;
    for (; next < bytes.length; next += 1 + gap()) {
      bytes[next]! ^= 1 + Math.floor(random() * 255);
      context.count("corrupt");
    }
    next -= bytes.length;
    yield chunk;
  }
};
