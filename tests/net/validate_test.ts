import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MAX_DELAY_MS } from "../../lib/net/timeout.ts";
import {
  checkRange,
  DELAY,
  FRACTION,
  integerRange,
  NON_NEGATIVE,
  NON_NEGATIVE_INTEGER,
  POSITIVE,
  POSITIVE_INTEGER,
  POSITIVE_INTEGER_OR_INFINITY,
  type Range,
} from "../../lib/net/validate.ts";

const MAX = Number.MAX_SAFE_INTEGER;

describe("a range includes its bounds, and nothing beyond them:", () => {
  const cases: [string, Range, included: number[], excluded: number[]][] = [
    [
      "the integers from 3 to 5",
      integerRange(3, 5),
      [3, 4, 5],
      [2, 6, 3.5, NaN, Infinity],
    ],
    ["positive integers", POSITIVE_INTEGER, [1, MAX], [0, -1, 1.5, MAX + 1]],
    [
      "positive integers or Infinity",
      POSITIVE_INTEGER_OR_INFINITY,
      [1, Infinity],
      [0, 1.5, -Infinity, NaN],
    ],
    [
      "integers from 0",
      NON_NEGATIVE_INTEGER,
      [0, 1, MAX],
      [-1, 0.5, Infinity, NaN],
    ],
    ["positive numbers", POSITIVE, [1e-9, Infinity], [0, -1, NaN]],
    ["numbers from 0", NON_NEGATIVE, [0, 0.5, Infinity], [-1e-9, NaN]],
    [
      "delays",
      DELAY,
      [0, 0.5, MAX_DELAY_MS],
      [-1, MAX_DELAY_MS + 1, Infinity, NaN],
    ],
    ["fractions", FRACTION, [0, 0.5, 1], [-0.1, 1.1, NaN]],
  ];
  for (const [name, range, included, excluded] of cases) {
    it(name, () => {
      assertEquals(included.filter((value) => !range.includes(value)), []);
      assertEquals(excluded.filter((value) => range.includes(value)), []);
    });
  }
});

describe("checkRange", () => {
  const check = (options: Record<string, number | undefined>) =>
    checkRange(integerRange(1, 9), { action: "Cannot ping", options });

  it("accepts values in the range, and options that are not given", () => {
    check({ count: 1, size: 9, rate: undefined });
  });

  it("names the first option that is out of range, and the range", () => {
    const error = assertThrows(() => check({ a: 1, b: 0, c: 99 }), RangeError);
    assertEquals(
      error.message,
      "Cannot ping with b 0: expected a whole number from 1 to 9",
    );
  });

  it("names a range without an upper bound", () => {
    assertEquals(integerRange(2).expected, "a whole number, 2 or more");
  });
});
