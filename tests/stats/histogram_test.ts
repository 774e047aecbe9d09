import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { prng } from "../../lib/faults/prng.ts";
import { Histogram, neededFor } from "../../lib/stats/histogram.ts";

function histogram(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const ms of values) histogram.record(ms);
  return histogram;
}

/** Values over six decades. */
function random(count: number, seed: number): number[] {
  const chance = prng(seed);
  return Array.from({ length: count }, () => 10 ** (6 * chance() - 3));
}

describe("a histogram", () => {
  it("has any percentile by its nearest rank, to 0.05 %", () => {
    for (const count of [1, 2, 7, 1_000, 9_999]) {
      const values = random(count, count);
      const sorted = values.toSorted((a, b) => a - b);
      const measured = histogram(values);
      for (const p of [0, 1, 33.3, 50, 90, 95, 99, 99.9, 99.97, 100]) {
        const rank = Math.max(1, Math.ceil(+(count * p / 100).toFixed(9)));
        const expected = sorted[rank - 1]!;
        assertAlmostEquals(
          measured.percentile(p)!,
          expected,
          expected * 5e-4,
          `p${p} of ${count}`,
        );
      }
    }
  });

  it("does not report one slow message of a thousand as p99.9", () => {
    for (const thousands of [1, 2, 3, 10, 77]) {
      const values = [
        ...Array(999 * thousands).fill(1),
        ...Array(thousands).fill(500),
      ];
      assertAlmostEquals(histogram(values).percentile(99.9)!, 1, 1e-3);
    }
  });

  it("has the exact mean and deviation, however far from zero", () => {
    const { mean, deviation, min, max } = histogram([60_000, 60_000.001]);
    assertAlmostEquals(deviation, 0.0005, 1e-9);
    assertAlmostEquals(mean, 60_000.0005, 1e-9);
    assertEquals([min, max], [60_000, 60_000.001]);
    assertAlmostEquals(histogram([1, 2, 3, 4]).deviation, Math.sqrt(1.25));
  });

  it("adds up as if all had been recorded in one", () => {
    const [a, b] = [random(1_000, 1), random(300, 2)];
    const sum = histogram(a);
    sum.add(histogram(b));
    sum.add(new Histogram());
    const one = histogram([...a, ...b]).toJSON();
    const { mean, deviation, ...rest } = sum.toJSON();
    assertAlmostEquals(mean!, one.mean!, 1e-9);
    assertAlmostEquals(deviation!, one.deviation!, 1e-9);
    const { mean: _, deviation: __, ...expected } = one;
    assertEquals(rest, expected);
    assertThrows(() => sum.add(histogramOf7Bits()), RangeError, "7 bits");
  });

  it("counts a value several times", () => {
    const once = new Histogram();
    once.record(3, 4);
    once.record(5, 0.5e9);
    assertEquals(once.count, 0.5e9 + 4);
    assertEquals(once.percentile(50), 5);
  });

  it("can be written to JSON", () => {
    assertEquals(JSON.parse(JSON.stringify(histogram([1, 1, 2]))), {
      bits: 10,
      count: 3,
      min: 1,
      max: 2,
      mean: 4 / 3,
      deviation: histogram([1, 1, 2]).deviation,
      counts: [[20 << 10, 2], [21 << 10, 1]],
    });
  });

  it("has nothing to say if it is empty", () => {
    const empty = new Histogram();
    assertEquals([empty.count, empty.percentile(50)], [0, null]);
    assertEquals([empty.mean, empty.deviation, empty.max], [0, 0, 0]);
    assertEquals(empty.buckets(), []);
  });

  it("has adjacent buckets that count every value", () => {
    const values = [1e-9, 0.0001, 0.001, 0.003, 0.1, 1, 1.49, 1.5, 1e5, 1e9];
    const buckets = histogram(values).buckets();
    const sum = buckets.reduce((sum, { count }) => sum + count, 0);
    assertEquals(sum, values.length);
    for (const [i, { to }] of buckets.entries()) {
      if (buckets[i + 1]) assertEquals(buckets[i + 1]!.from, to);
    }
    for (const ms of values.slice(1, -1)) {
      const bucket = buckets.find(({ from, to }) => from <= ms && ms < to);
      assert(bucket!.count > 0, `${ms}`);
    }
  });
});

function histogramOf7Bits(): Histogram {
  const other = new Histogram(7);
  other.record(1);
  return other;
}

it("a percentile needs 1 / (1 - p) messages", () => {
  const needed = [0, 50, 90, 95, 99, 99.9, 99.99, 99.97].map(neededFor);
  assertEquals(needed, [1, 2, 10, 20, 100, 1_000, 10_000, 3_334]);
});
