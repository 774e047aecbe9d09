import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Histogram } from "../../lib/stats/histogram.ts";

const ZEROS = {
  min: 0,
  mean: 0,
  stddev: 0,
  p50: 0,
  p90: 0,
  p99: 0,
  p999: 0,
  max: 0,
};

describe("a histogram", () => {
  it("has percentiles with three significant digits", () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 10_000; i++) histogram.record(i / 100);
    const { min, mean, p50, p90, p99, p999, max } = histogram.summary();
    for (
      const [figure, is] of [
        [min, 0.01],
        [mean, 50.005],
        [p50, 50],
        [p90, 90],
        [p99, 99],
        [p999, 99.9],
        [max, 100],
      ] as const
    ) assertAlmostEquals(figure, is, is / 500);
  });

  it("has the standard deviation that ping(8) calls mdev", () => {
    const histogram = new Histogram();
    for (const ms of [1, 2, 3, 4]) histogram.record(ms);
    assertAlmostEquals(histogram.summary().stddev, Math.sqrt(1.25), 1e-9);
  });

  it("is all zeros if it is empty", () => {
    const histogram = new Histogram();
    assertEquals(histogram.summary(), ZEROS);
    assertEquals(histogram.buckets(), []);
    assertEquals(histogram.count, 0);
  });

  it("has adjacent buckets that count every value", () => {
    const histogram = new Histogram();
    const values = [0.0001, 0.001, 0.003, 0.1, 1, 50, 100_000];
    for (const ms of values) histogram.record(ms);
    const buckets = histogram.buckets();
    assertEquals(
      buckets.reduce((sum, { count }) => sum + count, 0),
      values.length,
    );
    for (const [i, { to }] of buckets.entries()) {
      if (buckets[i + 1]) assertEquals(buckets[i + 1]!.from, to);
    }
    for (const ms of values.slice(1)) {
      assert(
        buckets.some(({ from, to, count }) =>
          from <= ms && ms < to && count > 0
        ),
      );
    }
  });
});
