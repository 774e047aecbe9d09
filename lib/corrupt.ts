/**
 * Changes some bytes of a stream, each with the same probability.
 *
 * ```ts
 * import { corrupter } from "./corrupt.ts";
 * const change = corrupter(0.01, Math.random);
 * change(new Uint8Array(1000)).changed; // about 10
 * ```
 *
 * @module
 */

/**
 * Makes a function that copies the next bytes of a stream and changes some. How
 * the stream is cut into pieces makes no difference to which.
 */
export function corrupter(
  probability: number,
  chance: () => number,
): (bytes: Uint8Array) => { bytes: Uint8Array; changed: number } {
  let position = 0;
  let next = gap();

  /** Bytes up to the next change, which are geometrically distributed. */
  function gap(): number {
    if (probability <= 0) return Infinity;
    // log1p, since 1 less a tiny probability is 1, whose logarithm is 0.
    return Math.floor(Math.log1p(-chance()) / Math.log1p(-probability)) || 0;
  }

  return (bytes) => {
    const copy = bytes.slice();
    const end = position + copy.length;
    let changed = 0;
    for (; next < end; next += 1 + gap()) {
      copy[next - position]! ^= 1 + Math.floor(chance() * 255);
      changed++;
    }
    position = end;
    return { bytes: copy, changed };
  };
}
