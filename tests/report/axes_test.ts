import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  counts,
  durations,
  elapsed,
  logCounts,
  percentiles,
  type Scale,
} from "../../lib/report/axes.ts";

const HOUR = 3_600_000, since = "time since the start";

/** Axes, the values that they hold, and their labels: `label: ticks`. */
const AXES: [scale: Scale, values: number[], labels: string][] = [
  [counts("n"), [], "n: 0 0.2 0.4 0.6 0.8 1"],
  [counts("n"), [43, NaN, Infinity], "n: 0 10 20 30 40 50"],
  [counts("n"), [8_123], "n: 0 2,000 4,000 6,000 8,000 10,000"],
  [counts("n"), [2e7], "n: 0 5M 10M 15M 20M"],
  [logCounts("n"), [1, 90], "n, log scale: 1 10 100"],
  [logCounts("n"), [1e9], "n, log scale: 1 100 10,000 1M 100M 10G"],
  [durations("t"), [0.03, 0.043], "t, µs: 0 10 20 30 40 50"],
  [durations("t"), [0.9, 0.2], "t, ms: 0 0.2 0.4 0.6 0.8 1"],
  [durations("t"), [300, 1_900], "t, s: 0 0.5 1 1.5 2"],
  [durations("t"), [2, 60], "t, log scale: 2 ms 5 ms 10 ms 20 ms 50 ms"],
  [durations("t", "log"), [2, 3], "t, log scale: 2 ms 2.5 ms 3 ms 3.5 ms"],
  [elapsed, [300], `${since}, ms: 0 50 100 150 200 250 300`],
  [elapsed, [100_000], `${since}, s: 0 15 30 45 60 75 90`],
  [elapsed, [HOUR / 8], `${since}, min: 0 1 2 3 4 5 6 7`],
  [elapsed, [24 * HOUR], `${since}, h: 0 3 6 9 12 15 18 21 24`],
  [percentiles, [50], "percentile: 0% 50% 90%"],
  [percentiles, [0, 99.95, 100], "percentile: 0% 50% 90% 99% 99.9%"],
];

describe("an axis", () => {
  for (const [scale, values, labels] of AXES) {
    it(`has ticks with units, in order: ${values}, ${labels}`, () => {
      const { label, ticks, at } = scale(values);
      const text = ticks.map((tick) => tick.label).join(" ");
      assertEquals(`${label}: ${text}`, labels);
      const places = ticks.map(({ value }) => at(value)!);
      assertEquals(places, places.toSorted((a, b) => a - b));
      assert(places.every((place) => place >= 0 && place <= 1));
      assertEquals([at(NaN), at(Infinity), at(-1)], [undefined, 1, 0]);
    });
  }

  it("is linear, or gives each decade or nine the same length", () => {
    assertAlmostEquals(durations("t")([1, 10]).at(5)!, 0.5);
    const { at } = durations("t")([1, 10_000]);
    assertAlmostEquals(at(10)! - at(1)!, at(1_000)! - at(100)!);
    assertAlmostEquals(percentiles([99.9]).at(90)!, 1 / 3);
    assertAlmostEquals(percentiles([99.9]).at(99)!, 2 / 3);
  });
});
