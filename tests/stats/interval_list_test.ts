import { assertEquals, assertLessOrEqual } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { IntervalList } from "../../lib/stats/interval_list.ts";

function interval(second: number) {
  return {
    elapsed: 1_000 * second,
    timestamp: new Date(1_000 * second).toISOString(),
    messages: second,
    messagesPerSecond: second,
    errors: 1,
    p50: second,
    p99: 2 * second,
    max: 3 * second,
  };
}

describe("a list of intervals", () => {
  it("are kept as they are while they are few", () => {
    const intervals = new IntervalList(4);
    const all = [1, 2, 3, 4].map(interval);
    for (const one of all) intervals.add(one);
    assertEquals(intervals.list(), all);
  });

  it("are merged with their neighbours when they are too many", () => {
    const intervals = new IntervalList(4);
    for (let i = 1; i <= 5; i++) intervals.add(interval(i));
    assertEquals(intervals.list(), [
      { ...interval(2), messages: 3, messagesPerSecond: 1.5, errors: 2 },
      { ...interval(4), messages: 7, messagesPerSecond: 3.5, errors: 2 },
      interval(5),
    ]);
  });

  it("have the one under way at the end, and keep only what is added", () => {
    const intervals = new IntervalList(2);
    assertEquals(intervals.list(interval(1)), [interval(1)]);
    for (const second of [1, 2, 3]) intervals.add(interval(second));
    const merged = { ...interval(4), messages: 7, messagesPerSecond: 3.5 };
    assertEquals(intervals.list(interval(4)).at(-1), { ...merged, errors: 2 });
    assertEquals(intervals.list().at(-1), interval(3));
  });

  it("stay few, lose nothing, and cover the same time each", () => {
    const intervals = new IntervalList(4);
    for (let i = 1; i <= 101; i++) {
      intervals.add(interval(i));
      const list = intervals.list();
      assertLessOrEqual(list.length, 4);
      assertEquals(list.at(-1)!.elapsed, 1_000 * i);
      assertEquals(
        intervals.list(interval(i + 1)).at(-1)!.elapsed,
        1_000 * (i + 1),
      );
      assertEquals(list.reduce((sum, { errors }) => sum + errors, 0), i);
    }
    assertEquals(
      intervals.list().map(({ elapsed }) => elapsed),
      [32_000, 64_000, 96_000, 101_000],
    );
  });
});
