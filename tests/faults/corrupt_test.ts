import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { corrupter } from "../../lib/faults/corrupt.ts";
import { prng } from "../../lib/faults/prng.ts";

describe("corrupted bytes", () => {
  it("are the same however the stream is divided into chunks", () => {
    const bytes = new Uint8Array(1_000);
    const whole = corrupter(0.1, prng(1, 2, 3))(bytes);
    const change = corrupter(0.1, prng(1, 2, 3));
    const parts = [100, 1, 700, 199].map((n) => change(new Uint8Array(n)));
    assertEquals(parts.flatMap(({ bytes }) => [...bytes]), [...whole.bytes]);
    assert(whole.changed > 50 && whole.changed < 150);
    assertEquals(whole.changed, whole.bytes.filter((byte) => byte > 0).length);
  });

  it("are all, none or few, as the probability says", () => {
    const changed = (probability: number) =>
      corrupter(probability, prng(1, 1, 1))(new Uint8Array(1_000)).changed;
    assertEquals([1, 0, 1e-17, 5e-324].map(changed), [1_000, 0, 0, 0]);
  });
});
