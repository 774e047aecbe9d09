import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Relay } from "../lib/relay.ts";
import { pattern } from "./peers.ts";

/** A connection on which `input` is received, and then the end. */
function received(input: Uint8Array, written: Uint8Array[]): Deno.Conn {
  let at = 0;
  return {
    read(buffer: Uint8Array) {
      if (at === input.length) return Promise.resolve(null);
      const chunk = input.subarray(at, at + buffer.length);
      buffer.set(chunk);
      at += chunk.length;
      return Promise.resolve(chunk.length);
    },
    write(bytes: Uint8Array) {
      written.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
  } as unknown as Deno.Conn;
}

describe("a relay", () => {
  for (const length of [1, 576, 577, 1000, 1024]) {
    it(`writes a first message of ${length} bytes back at once`, async () => {
      const written: Uint8Array[] = [];
      await new Promise((resolve) => {
        new Relay(received(pattern(length), written), resolve);
      });
      assertEquals(written, [pattern(length)]);
    });
  }

  it("that is idle ends without its peer, once that was told", async () => {
    let told = false;
    const conn = {
      read: () => new Promise(() => {}),
      closeWrite: () => Promise.resolve(void (told = true)),
    } as unknown as Deno.Conn;
    await new Promise<void>((resolve) => {
      new Relay(conn, () => resolve()).finish({ idle: true });
    });
    assertEquals(told, true);
  });
});
