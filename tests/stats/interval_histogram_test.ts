import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Histogram } from "../../lib/stats/histogram.ts";
import { IntervalHistogram } from "../../lib/stats/interval_histogram.ts";

describe("the histogram of an interval", () => {
  it("has percentiles to within 0.4 %, and the exact maximum", () => {
    const latencies = new IntervalHistogram();
    const values = Array.from({ length: 1_000 }, (_, i) => 0.05 * 1.01 ** i);
    for (const ms of values) latencies.record(ms);
    for (const p of [0.1, 10, 50, 90, 99]) {
      const exact = values[Math.ceil(10 * p) - 1]!;
      assertAlmostEquals(latencies.percentile(p) / exact, 1, 0.004);
    }
    assertEquals(latencies.max, values.at(-1));
  });

  it("holds what is shorter or longer than its buckets", () => {
    const latencies = new IntervalHistogram();
    for (const ms of [0, 1e-9, 1e9]) latencies.record(ms);
    assertEquals(latencies.max, 1e9);
    assertEquals(latencies.percentile(1) < 1e-5, true);
  });

  it("is all zeros if it is empty, also after it was cleared", () => {
    const latencies = new IntervalHistogram();
    latencies.record(3);
    latencies.clear();
    assertEquals([latencies.percentile(50), latencies.max], [0, 0]);
  });
});

describe("the percentile curve", () => {
  const curve = (count: number) => {
    const histogram = new Histogram();
    for (let i = 1; i <= count; i++) histogram.record(i);
    return histogram.percentiles();
  };

  it("goes from the shortest to the longest", () => {
    const points = curve(1_000);
    assertEquals(points[0], { percentile: 0, latency: 1 });
    assertEquals(points.at(-1), { percentile: 100, latency: 1_000 });
    assertAlmostEquals(
      points.find((p) => p.percentile === 50)!.latency,
      500,
      1,
    );
  });

  it("has the points that the count supports", () => {
    const second = (count: number) => curve(count).at(-2)?.percentile;
    assertEquals(
      [0, 1, 2, 100, 1_000, 9_999, 10_000].map(second),
      [undefined, 0, 50, 99, 99.9, 99.95, 99.99],
    );
  });
});
