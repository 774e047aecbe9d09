import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Latencies } from "../../lib/stats/latencies.ts";

function latencies(
  replies: readonly number[],
  missing: readonly number[] = [],
): Latencies {
  const all = new Latencies();
  for (const ms of replies) all.replies.record(ms);
  for (const ms of missing) all.missing.record(ms);
  return all;
}

const hundred = Array.from({ length: 100 }, (_, i) => i + 1);

describe("latencies of which all came back", () => {
  it("are known exactly", () => {
    const all = latencies(hundred);
    const { min, mean, p90, p99, max, atLeast } = all.summary();
    assertEquals([min, mean, max, atLeast], [1, 50.5, 100, []]);
    assertAlmostEquals(p90!, 90, 0.1);
    assertAlmostEquals(p99!, 99, 0.1);
    assertEquals(all.percentile(100), { atLeast: 100, atMost: 100 });
  });

  it("leave out what too few of them support", () => {
    const few = latencies([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const { p50, p90, p99, max } = few.summary();
    assertEquals([p50 !== null, p90 !== null, p99, max], [
      true,
      true,
      null,
      10,
    ]);
    assertEquals([few.supports(99.9), few.percentile(99.9)], [false, null]);
    assertEquals(
      few.curve().map(({ percentile }) => percentile),
      [0, 10, 25, 50, 75, 87.5, 90, 100],
    );
  });

  it("are nothing if there are none", () => {
    const none = latencies([]);
    assertEquals(Object.values(none.summary()), [
      ...Array(8).fill(null),
      [],
    ]);
    assertEquals([none.curve(), none.mean(), none.percentile(0)], [
      [],
      null,
      null,
    ]);
  });
});

describe("latencies of which some are missing", () => {
  it("count a missing one with the time that it waited, at least", () => {
    // 10 of 100 had waited for 500 ms: from p90 on nothing is certain.
    const all = latencies(hundred.slice(0, 90), Array(10).fill(500));
    const { p50, p90, p99, max, min, stddev, atLeast } = all.summary();
    assertEquals([min, max], [1, 500]);
    assertAlmostEquals(p50!, 50, 0.1);
    assertAlmostEquals(p90!, 90, 0.1);
    assertAlmostEquals(p99!, 500, 0.5);
    assertEquals(stddev, latencies(hundred.slice(0, 90)).summary().stddev);
    assertEquals(atLeast.toSorted(), ["max", "mean", "p99"]);
    assertEquals(all.percentile(99)!.atMost, Infinity);
    assertEquals(all.mean()!.atMost, Infinity);
  });

  it("are not better for a message that had waited for a short time", () => {
    // Nobody knows when it had come back.
    const all = latencies(hundred.slice(0, 9), [0.001]);
    assertEquals(all.percentile(90)!.atMost, 9);
    assertEquals(all.percentile(100), { atLeast: 9, atMost: Infinity });
    assertEquals(all.mean()!.atLeast < 5, true);
    assertEquals(all.summary().min, 1);
  });

  it("are only a lower bound if nothing came back", () => {
    const { min, mean, p50, max, atLeast } = latencies([], [5, 5]).summary();
    assertEquals([min, mean, max], [null, null, 5]);
    assertAlmostEquals(p50!, 5, 0.01);
    assertEquals(atLeast, ["p50", "max"]);
  });
});
