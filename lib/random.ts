/**
 * Chance that repeats.
 *
 * ```ts
 * import { random } from "./random.ts";
 * random(7, 1)() === random(7, 1)(); // true
 * ```
 *
 * @module
 */

/**
 * Random numbers from 0 to 1 (without it) that a seed repeats: SplitMix, with 32
 * bits (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
 */
export function random(...seeds: number[]): () => number {
  let state = 0;
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
  for (const seed of seeds) state = (next() * 2 ** 32) ^ seed;
  return next;
}
