import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Backoff } from "../../lib/net/backoff.ts";

describe("a backoff", () => {
  for (
    const [random, pauses] of [
      [0, [25, 50, 100, 150, 150]],
      [1, [50, 100, 200, 300, 300]],
    ] as const
  ) {
    it(`doubles up to its last pause, with ${random} as the random number`, () => {
      const backoff = new Backoff({
        first: 50,
        last: 300,
        random: () => random,
      });
      assertEquals(Array.from({ length: 5 }, () => backoff.next()), [
        ...pauses,
      ]);
    });
  }

  it("starts over after a reset", () => {
    const backoff = new Backoff({ first: 50, last: 300, random: () => 1 });
    assertEquals([backoff.next(), backoff.next()], [50, 100]);
    backoff.reset();
    assertEquals([backoff.next(), backoff.next()], [50, 100]);
  });

  it("differs from one client to another", () => {
    const pauses = Array.from(
      { length: 100 },
      () => new Backoff({ first: 50, last: 300 }).next(),
    );
    assert(pauses.every((pause) => 25 <= pause && pause <= 50));
    assert(new Set(pauses).size > 50);
  });
});
