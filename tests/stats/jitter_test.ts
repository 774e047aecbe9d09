import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Jitter } from "../../lib/stats/jitter.ts";

function jitterOf(...times: number[]): number {
  const jitter = new Jitter();
  for (const ms of times) jitter.record(ms);
  return jitter.mean;
}

describe("jitter", () => {
  it("is the mean absolute difference of successive round trips", () => {
    assertEquals(jitterOf(1, 4, 2), 2.5);
    assertAlmostEquals(jitterOf(0.1, 0.3, 0.2, 0.2), 0.1, 1e-12);
  });

  it("is 0 while there are fewer than two", () => {
    assertEquals(jitterOf(), 0);
    assertEquals(jitterOf(5), 0);
  });

  it("is 0 where all take the same time, whatever that is", () => {
    assertEquals(jitterOf(7, 7, 7), 0);
  });

  it("depends on their order, as the standard deviation does not", () => {
    assertEquals(jitterOf(1, 1, 9, 9), 8 / 3);
    assertEquals(jitterOf(1, 9, 1, 9), 8);
  });
});
