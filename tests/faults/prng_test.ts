import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { prng } from "../../lib/faults/prng.ts";

const first = (...seeds: number[]) => {
  const next = prng(...seeds);
  return Array.from({ length: 4 }, next).join();
};

describe("random numbers", () => {
  it("repeat with the same seeds", () => {
    for (const seeds of [[0], [7, 1], [2 ** 53 - 1, 3, 2]]) {
      assertEquals(first(...seeds), first(...seeds));
    }
  });

  it("differ for every bit of a 53-bit seed", () => {
    const seeds = Array.from({ length: 53 }, (_, bit) => 2 ** bit);
    seeds.push(0, 2 ** 32 + 1, 2 ** 53 - 1, 2 ** 53 - 1 - 2 ** 32);
    assertEquals(new Set(seeds.map((seed) => first(seed))).size, seeds.length);
  });

  it("differ for each seed and each position of a seed", () => {
    const all = [[1, 2, 3], [1, 3, 2], [3, 2, 1], [1, 2], [1, 2, 4], [2, 2, 3]];
    assertEquals(new Set(all.map((seeds) => first(...seeds))).size, all.length);
  });

  it("are distributed evenly, also for consecutive seeds", () => {
    const count = 20_000;
    const next = prng(1);
    const series = Array.from({ length: count }, next);
    const firsts = Array.from({ length: count }, (_, seed) => prng(seed)());
    for (const numbers of [series, firsts]) {
      assert(numbers.every((x) => x >= 0 && x < 1));
      const mean = numbers.reduce((sum, x) => sum + x, 0) / count;
      // Six standard deviations of the mean.
      assertAlmostEquals(mean, 0.5, 6 * Math.sqrt(1 / 12 / count));
      const bins = new Array(10).fill(0);
      for (const x of numbers) bins[Math.floor(x * 10)]++;
      for (const bin of bins) assertAlmostEquals(bin, 2_000, 6 * 45);
    }
  });
});
