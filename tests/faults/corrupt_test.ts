import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { corrupt } from "../../lib/faults/corrupt.ts";
import { prng } from "../../lib/faults/prng.ts";
import type { Chunk, StageContext } from "../../lib/faults/stage.ts";

/** Passes zeros, in chunks of these lengths, through the stage. */
async function corrupted(probability: number, lengths: number[]) {
  let changed = 0;
  const context = {
    faults: { corrupt: probability },
    random: () => prng(1, 2, 3),
    count: (_, by = 1) => void (changed += by),
  } as Partial<StageContext> as StageContext;
  async function* chunks(): AsyncGenerator<Chunk> {
    for (const length of lengths) {
      yield { at: 0, bytes: new Uint8Array(length) };
    }
  }
  const bytes: number[] = [];
  for await (const chunk of corrupt(chunks(), context)) {
    bytes.push(...chunk.bytes);
  }
  return { bytes, changed };
}

describe("corrupted bytes", () => {
  it("are the same however the stream is divided into chunks", async () => {
    const whole = await corrupted(0.1, [1_000]);
    const parts = await corrupted(0.1, [100, 1, 700, 199]);
    assertEquals(parts, whole);
    assert(whole.changed > 50 && whole.changed < 150);
    assertEquals(whole.changed, whole.bytes.filter((byte) => byte > 0).length);
  });

  it("are all, none or few, as the probability says", async () => {
    for (const [probability, count] of [[1, 1_000], [1e-17, 0], [5e-324, 0]]) {
      assertEquals((await corrupted(probability!, [1_000])).changed, count);
    }
  });
});
