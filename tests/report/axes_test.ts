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

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

/** Axes, the values that they hold, their labels, and those of their ticks. */
const AXES: [scale: Scale, values: number[], label: string, ticks: string][] = [
  [counts("n"), [], "n", "0 0.2 0.4 0.6 0.8 1"],
  [counts("n"), [43, NaN, Infinity], "n", "0 10 20 30 40 50"],
  [counts("n"), [8_123], "n", "0 2,000 4,000 6,000 8,000 10,000"],
  [counts("n"), [2e7], "n", "0 5M 10M 15M 20M"],
  [logCounts("n"), [1, 90], "n, log scale", "1 10 100"],
  [logCounts("n"), [1e9], "n, log scale", "1 100 10,000 1M 100M 10G"],
  [durations("t"), [0.03, 0.043], "t, µs", "0 10 20 30 40 50"],
  [durations("t"), [0.9, 0.2], "t, ms", "0 0.2 0.4 0.6 0.8 1"],
  [durations("t"), [300, 1_900], "t, s", "0 0.5 1 1.5 2"],
  [
    durations("t"),
    [0.3, 44],
    "t, log scale",
    "500 µs 1 ms 2 ms 5 ms 10 ms 20 ms 50 ms",
  ],
  [
    durations("t", "log"),
    [2, 3],
    "t, log scale",
    "2 ms 2.5 ms 3 ms 3.5 ms",
  ],
  [elapsed, [300], "time since the start, ms", "0 50 100 150 200 250 300"],
  [
    elapsed,
    [43 * SECOND],
    "time since the start, s",
    "0 5 10 15 20 25 30 35 40",
  ],
  [elapsed, [7.5 * MINUTE], "time since the start, min", "0 1 2 3 4 5 6 7"],
  [elapsed, [24 * HOUR], "time since the start, h", "0 3 6 9 12 15 18 21 24"],
  [percentiles, [50], "percentile", "0% 50% 90%"],
  [percentiles, [0, 99.95, 100], "percentile", "0% 50% 90% 99% 99.9%"],
];

describe("an axis", () => {
  for (const [scale, values, label, ticks] of AXES) {
    const axis = scale(values);

    it(`has ticks with units: ${label} of ${values}`, () => {
      assertEquals(axis.label, label);
      assertEquals(axis.ticks.map((tick) => tick.label).join(" "), ticks);
    });

    it(`has a place for all values: ${label} of ${values}`, () => {
      const places = axis.ticks.map(({ value }) => axis.at(value) ?? NaN);
      for (const [i, place] of places.entries()) {
        assert(place >= 0 && place <= 1, `${place}`);
        assert(i === 0 || place > places[i - 1]!, "in order");
      }
      assertEquals(axis.at(NaN), undefined);
      assertEquals(axis.at(Infinity), 1);
      assertEquals(axis.at(-1), 0);
    });
  }

  it("is linear, or gives each decade the same length", () => {
    const linear = durations("t")([1, 10]);
    assertAlmostEquals(linear.at(5)!, 0.5);
    const log = durations("t")([1, 10_000]);
    const decades = [1, 10, 100, 1_000].map((ms) => log.at(ms)!);
    assertAlmostEquals(decades[1]! - decades[0]!, decades[3]! - decades[2]!);
  });

  it("gives each nine of a percentile the same length", () => {
    const { at } = percentiles([99.9]);
    assertAlmostEquals(at(90)!, 1 / 3);
    assertAlmostEquals(at(99)!, 2 / 3);
    assertEquals(at(100), 1);
  });
});
