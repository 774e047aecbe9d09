/**
 * A pseudorandom number generator that repeats with its seeds.
 *
 * @module
 */

/** Steps until every bit of a seed affects the whole state. */
const MIXING_STEPS = 12;

/**
 * Returns numbers from 0 (included) to 1 (excluded), the same ones for the same
 * seeds. Each seed is an integer of up to 53 bits. The generator is sfc32, whose
 * state of 128 bits keeps all seeds apart (Chris Doty-Humphrey, "PractRand").
 */
export function prng(...seeds: number[]): () => number {
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
