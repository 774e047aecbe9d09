/**
 * The fault `corrupt`: bytes are changed, each with the same probability.
 *
 * ```sh
 * deno task server --corrupt 0.001 --seed 7
 * ```
 *
 * @module
 */

import type { Sink, StageContext } from "./stage.ts";

/** Changes bytes; the stage is off if `corrupt` is not set. */
export function corrupt(next: Sink, context: StageContext): Sink {
  const { corrupt: probability = 0 } = context.faults;
  if (probability === 0) return next;
  const change = corrupter(probability, context.random(1));
  return {
    async write(chunk) {
      const { bytes, changed } = change(chunk);
      if (changed > 0) context.count("corrupt", changed);
      await next.write(bytes);
    },
  };
}

/**
 * Returns a function that copies the next bytes of a stream and changes some of
 * them. It changes the same bytes however the stream is split into chunks.
 */
export function corrupter(
  probability: number,
  random: () => number,
): (bytes: Uint8Array) => { bytes: Uint8Array; changed: number } {
  let position = 0;
  let next = gap();

  /** The bytes before the next change, which are geometrically distributed. */
  function gap(): number {
    if (probability <= 0) return Infinity;
    // log1p, since 1 minus a tiny probability is 1, and its logarithm 0.
    return Math.floor(Math.log1p(-random()) / Math.log1p(-probability)) || 0;
  }

  return (bytes) => {
    const copy = bytes.slice();
    const end = position + copy.length;
    let changed = 0;
    for (; next < end; next += 1 + gap()) {
      copy[next - position]! ^= 1 + Math.floor(random() * 255);
      changed++;
    }
    position = end;
    return { bytes: copy, changed };
  };
}
