import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Intervals, mergeIntervals } from "../../lib/stats/intervals.ts";

const START = Date.UTC(2026, 0, 1);

describe("the intervals of a run", () => {
  it("have latencies by when a message was due, replies by when they came", () => {
    const intervals = new Intervals();
    for (const due of [0, 500, 999, 1_000]) intervals.due(due);
    intervals.reply(0, 1);
    intervals.received(1);
    intervals.reply(500, 800);
    intervals.received(1_300);
    intervals.missing(999, 1_501);
    intervals.reply(1_000, 2);
    intervals.received(1_002);
    intervals.error(2_400);
    const list = intervals.list(2_500, START);
    assertEquals(
      list.map(({ received, due, missing, errors, max }) => [
        ...[received, due, missing, errors, max],
      ]),
      [[1, 3, 1, 0, 1_501], [2, 1, 0, 0, 2], [0, 0, 0, 1, null]],
    );
    assertAlmostEquals(list[0]!.p50!, 800, 4);
    assertEquals(list.map(({ elapsed }) => elapsed), [1_000, 2_000, 2_500]);
    assertEquals(list[2]!.timestamp, "2026-01-01T00:00:02.500Z");
    assertEquals(list[1]!.receivedPerSecond, 2);
  });

  it("have the schedule's own number of messages that were due", () => {
    const intervals = new Intervals((time) => Math.ceil(time / 4));
    assertEquals(intervals.list(1_500, START).map(({ due }) => due), [
      250,
      125,
    ]);
    // What was due at the full second belongs to the next one, to the last digit.
    intervals.reply(999.9999999999, 1);
    assertEquals(intervals.list(1_500, START)[1]!.missing, 124);
  });

  it("end with a part only if it is longer than 1 ms, or has something", () => {
    const intervals = new Intervals();
    assertEquals(intervals.list(1_000.5, START).length, 1);
    intervals.received(1_000.2);
    assertEquals(intervals.list(1_000.5, START).length, 2);
    assertEquals(new Intervals().list(0, START), []);
  });

  it("are merged without loss when there are too many", () => {
    const intervals = new Intervals(undefined, 4);
    for (let second = 0; second < 10; second++) {
      intervals.due(second * 1_000);
      intervals.reply(second * 1_000, second + 1);
      intervals.received(second * 1_000 + second + 1);
    }
    const list = intervals.list(10_000, START);
    assertEquals(list.map(({ received }) => received), [4, 4, 2]);
    assertEquals(list.map(({ elapsed }) => elapsed), [4_000, 8_000, 10_000]);
    assertEquals(list.map(({ max }) => max), [4, 8, 10]);
    // The median of 1 to 4, and not the highest of four medians.
    assertAlmostEquals(list[0]!.p50!, 2, 0.02);
  });
});

it("intervals are merged for a table, with the highest percentiles", () => {
  const intervals = new Intervals();
  for (const [second, ms] of [[0, 1], [1, 5], [3, 2]] as const) {
    intervals.due(second * 1_000);
    intervals.reply(second * 1_000, ms);
    intervals.received(second * 1_000 + ms);
  }
  const merged = mergeIntervals(intervals.list(5_000, START), 3);
  assertEquals(
    merged.map(({ elapsed, received, receivedPerSecond, max }) => [
      ...[elapsed, received, receivedPerSecond, max],
    ]),
    [[2_000, 2, 1, 5], [4_000, 1, 0.5, 2], [5_000, 0, 0, null]],
  );
});
