import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { difference } from "../../lib/client/verify.ts";
import { pattern } from "../support/peers.ts";

/** The same bytes, at an offset in a larger buffer. */
function at(offset: number, bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(offset + bytes.length);
  buffer.set(bytes, offset);
  return buffer.subarray(offset);
}

// Long messages are compared word by word.
const LENGTHS = [255, 256, 257, 260, 1024, 1027];

describe("the first difference of long messages", () => {
  for (const length of LENGTHS) {
    it(`of ${length} bytes is found at every byte`, () => {
      const sent = pattern(length);
      for (let i = 0; i < length; i++) {
        const received = sent.slice();
        received[i]! ^= 0x80;
        assertEquals(difference(received, sent), i);
      }
      assertEquals(difference(sent.slice(), sent), -1);
    });

    it(`of ${length} bytes is looked for from an offset on, and not before`, () => {
      const sent = pattern(length);
      for (const from of [1, 2, 3, 4, 5, 8]) {
        const received = sent.slice();
        // Whatever was before it was looked at already.
        received.fill(0xff, 0, from);
        assertEquals(difference(received, sent, from), -1, `${from}`);
        received[from]! ^= 0x80;
        assertEquals(difference(received, sent, from), from);
      }
    });

    it(`of ${length} bytes does not depend on where they lie in memory`, () => {
      const sent = pattern(length);
      for (const [a, b] of [[1, 0], [0, 1], [1, 1], [2, 3], [4, 4]] as const) {
        const received = sent.slice();
        assertEquals(difference(at(a, received), at(b, sent)), -1);
        received[length - 1]! ^= 0x80;
        assertEquals(difference(at(a, received), at(b, sent)), length - 1);
      }
    });
  }
});

describe("the first difference of short messages", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  it("is -1 if all bytes are equal", () => {
    assertEquals(difference(bytes(1, 2), bytes(1, 2, 3)), -1);
    assertEquals(difference(bytes(), bytes()), -1);
  });
  it("is found at any position from an offset on", () => {
    assertEquals(difference(bytes(9, 2), bytes(1, 2)), 0);
    assertEquals(difference(bytes(9, 2, 9), bytes(1, 2, 3), 1), 2);
    assertEquals(difference(bytes(9, 2, 9), bytes(1, 2, 3), 1, 2), -1);
    for (let i = 0; i < 100; i++) {
      const sent = crypto.getRandomValues(new Uint8Array(100));
      const received = sent.slice();
      received[i]! ^= 1 << (i % 8);
      assertEquals(difference(received, sent), i);
    }
  });
  it("is the first surplus byte if more was received than sent", () => {
    assertEquals(difference(bytes(1, 2, 3), bytes(1, 2)), 2);
    assertEquals(difference(bytes(1, 2, 3), bytes(1), 2), 2);
  });
});
