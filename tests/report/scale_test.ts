import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { percentileScale } from "../../lib/report/percentile_scale.ts";
import {
  latencyScale,
  linearScale,
  logScale,
  positiveRange,
  type Scale,
  suitableScale,
} from "../../lib/report/scale.ts";
import { timeScale } from "../../lib/report/time_scale.ts";

const format = String;

function values(scale: Scale): number[] {
  return scale.ticks.map(({ value }) => value);
}

/** Labels, with ordinary blanks. */
function labels(scale: Scale): string[] {
  return scale.ticks.map(({ label }) => label.replaceAll("\u00a0", " "));
}

/** Numbers that a broken summary could hold. */
const ODD = [0, -1, NaN, Infinity, -Infinity, 5e-324, 1e-12, 1.8e308, 1e300];

describe("a linear scale", () => {
  it("has ticks at multiples of 1, 2 or 5 from 0 to beyond its maximum", () => {
    assertEquals(values(linearScale(43, { format })), [0, 10, 20, 30, 40, 50]);
    assertEquals(values(linearScale(0.3, { format })), [0, 0.1, 0.2, 0.3]);
    assertEquals(values(linearScale(8_000, { format, steps: 4 })), [
      0,
      2_000,
      4_000,
      6_000,
      8_000,
    ]);
  });

  it("maps 0 to 0, its last tick to 1, and what is beyond into the range", () => {
    const scale = linearScale(43, { format });
    assertEquals([0, 25, 50, 80, -3].map(scale.at), [0, 0.5, 1, 1, 0]);
  });
});

describe("a log scale", () => {
  it("has powers of ten over many decades", () => {
    assertEquals(values(logScale(0.03, 250, { format })), [0.1, 1, 10, 100]);
  });

  it("has 1, 2 and 5 over few, of which 2 and 5 give way", () => {
    const { ticks } = logScale(7, 80, { format });
    assertEquals(ticks.map(({ value }) => value), [5, 10, 20, 50, 100]);
    assertEquals(
      ticks.filter(({ minor }) => !minor).map(({ label }) => label),
      [
        "10",
        "100",
      ],
    );
  });

  it("gives equal ratios equal lengths", () => {
    const { at } = logScale(1, 1_000, { format });
    assertAlmostEquals(at(10)!, 1 / 3, 1e-12);
    assertAlmostEquals(at(100)!, 2 / 3, 1e-12);
  });

  it("has no place for 0 and less", () => {
    const { at } = logScale(1, 1_000, { format });
    assertEquals([0, -1, NaN].map(at), [undefined, undefined, undefined]);
  });

  it("has a length even for one value", () => {
    for (const value of [1, 0.02, 7, 5e5]) {
      const scale = logScale(value, value, { format });
      assert(values(scale).length > 0, `${value} has ticks`);
      assert(scale.at(value)! >= 0 && scale.at(value)! < 1);
    }
  });
});

describe("a scale that suits its values", () => {
  it("is logarithmic only if they differ by much", () => {
    assertEquals(suitableScale([1, 10], { format }).log, false);
    assertEquals(suitableScale([1, 100], { format }).log, true);
  });

  it("does not let zeros decide", () => {
    assertEquals(suitableScale([0, 0, 5], { format }).log, false);
    assertEquals(positiveRange([0, 3, undefined, NaN, 5, Infinity]), {
      min: 3,
      max: 5,
    });
    assertEquals(positiveRange([0]), undefined);
  });

  it("labels all latencies of a linear axis in one unit", () => {
    assertEquals(labels(latencyScale([0.2, 0.9])), [
      "0",
      "0.2 ms",
      "0.4 ms",
      "0.6 ms",
      "0.8 ms",
      "1 ms",
    ]);
    assertEquals(labels(latencyScale([300, 1_400])), [
      "0",
      "0.5 s",
      "1 s",
      "1.5 s",
    ]);
  });

  it("labels each latency of a log axis in its own", () => {
    assertEquals(labels(latencyScale([0.05, 2_000])), [
      "100 µs",
      "1 ms",
      "10 ms",
      "100 ms",
      "1 s",
    ]);
  });
});

describe("a scale of time", () => {
  it("has the steps of a clock and ends with the run", () => {
    assertEquals(labels(timeScale(10_000)), [
      "0",
      "2 s",
      "4 s",
      "6 s",
      "8 s",
      "10 s",
    ]);
    assertEquals(labels(timeScale(400)), [
      "0",
      "100 ms",
      "200 ms",
      "300 ms",
      "400 ms",
    ]);
    assertEquals(labels(timeScale(3_600_000)).at(-1), "60 min");
    assertEquals(labels(timeScale(3 * 3_600_000)).slice(0, 3), [
      "0",
      "0:30 h",
      "1:00 h",
    ]);
    assertEquals(labels(timeScale(86_400_000)).at(-1), "24 h");
    assertEquals(timeScale(10_500).at(10_500), 1);
  });
});

describe("a scale of percentiles", () => {
  it("gives each nine the same length", () => {
    const { at } = percentileScale(99.99);
    for (const [i, percentile] of [0, 90, 99, 99.9, 99.99].entries()) {
      assertAlmostEquals(at(percentile)!, i / 4, 1e-9);
    }
  });

  it("is labelled in percentiles", () => {
    assertEquals(labels(percentileScale(99.99)), [
      "0 %",
      "50 %",
      "90 %",
      "99 %",
      "99.9 %",
      "99.99 %",
    ]);
  });

  it("reaches at least to 90 %, and puts 100 % at its end", () => {
    assertEquals(labels(percentileScale(0)), ["0 %", "50 %", "90 %"]);
    assertEquals(percentileScale(99).at(100), 1);
  });
});

describe("every scale", () => {
  it("yields places from 0 to 1 and few ticks, whatever it is given", () => {
    for (const a of ODD) {
      for (const b of ODD) {
        for (
          const scale of [
            linearScale(a, { format }),
            logScale(a, b, { format }),
            suitableScale([a, b], { format }),
            latencyScale([a, b]),
            timeScale(a),
            percentileScale(a),
          ]
        ) {
          assert(scale.ticks.length <= 12, `${a} ${b}: ticks`);
          assert(values(scale).every(Number.isFinite), `${a} ${b}: values`);
          for (const value of ODD) {
            const at = scale.at(value);
            assert(
              at === undefined || at >= 0 && at <= 1,
              `${a} ${b}: ${value} at ${at}`,
            );
          }
        }
      }
    }
  });
});
