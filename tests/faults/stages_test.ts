import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { corrupter } from "../../lib/faults/corrupt.ts";
import { latency } from "../../lib/faults/latency.ts";
import { MAX_QUEUED } from "../../lib/faults/stage.ts";
import { sleep } from "../../lib/net/timeout.ts";
import { FakeClock } from "../support/fake_clock.ts";

describe("the stage latency", () => {
  it("lets every writer that waits for space continue", async () => {
    using clock = new FakeClock();
    const sizes: number[] = [];
    const stage = latency({
      write: (chunk) => Promise.resolve(void sizes.push(chunk.length)),
    }, {
      faults: { latency: 100 },
      acceptedAt: 0,
      signal: new AbortController().signal,
      random: () => () => 0.5,
      count() {},
      end: () => Promise.resolve(),
      ended: () => false,
      released: () => false,
      pause: (ms) => sleep(ms),
      after() {},
      fail() {},
    });
    const half = MAX_QUEUED / 2;
    await stage.write(new Uint8Array(half));
    await clock.advance(50);
    const writes = [half, half + 1, 2].map((size) =>
      stage.write(new Uint8Array(size))
    );
    await clock.advance(50);
    assertEquals(sizes, [half]);
    await clock.advance(200);
    await Promise.all(writes);
    assertEquals(sizes.sort(), [half, half, half + 1, 2].sort());
  });
});

describe("the stage corrupt", () => {
  const changed = (random: number, sizes: number[]) => {
    const change = corrupter(0.5, () => random);
    return sizes.flatMap((size) => [...change(new Uint8Array(size)).bytes]);
  };

  it("changes the bytes at the positions that are drawn", () => {
    const expected = [0, 0, 205, 0, 0, 205, 0, 0, 205, 0];
    for (const sizes of [[10], [2, 1, 7], [3, 3, 4], [1, 4, 0, 5]]) {
      assertEquals(changed(0.8, sizes), expected, `${sizes}`);
    }
  });

  it("never replaces a byte by the same byte", () => {
    assertEquals(changed(0, [3]), [1, 1, 1]);
  });
});
