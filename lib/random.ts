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

/** Steps after which every bit of a seed has touched all of the state. */
const MIXING_STEPS = 12;

/**
 * Random numbers from 0 to 1 (without it) that seeds repeat, each an integer of
 * up to 53 bits: sfc32, whose 128 bits of state tell them all apart (Chris
 * Doty-Humphrey, "PractRand").
 */
export function random(...seeds: number[]): () => number {
  let a = 0, b = 0, c = 0, counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (const seed of seeds) {
    a ^= seed;
    b ^= Math.floor(seed / 2 ** 32);
    for (let step = 0; step < MIXING_STEPS; step++) next();
  }
  return next;
}
