import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ReadQueue } from "../../lib/tls/read_queue.ts";

describe("a read queue", () => {
  it("fills buffers from chunks of any size, in order", async () => {
    const queue = new ReadQueue();
    for (const chunk of [[1, 2, 3], [4], [5, 6]]) {
      queue.push(Uint8Array.from(chunk));
    }
    queue.end();
    const bytes: number[] = [];
    for (const size of [2, 3, 9]) {
      const into = new Uint8Array(size);
      bytes.push(...into.subarray(0, await queue.read(into) ?? 0));
    }
    assertEquals(bytes, [1, 2, 3, 4, 5, 6]);
    assertEquals(await queue.read(new Uint8Array(1)), null);
  });

  it("gives a chunk to the read that waits, and keeps the rest", async () => {
    const queue = new ReadQueue();
    const into = new Uint8Array(2);
    const reading = queue.read(into);
    assert(queue.waiting);
    queue.push(Uint8Array.of(1, 2, 3));
    assert(!queue.waiting);
    assertEquals([await reading, [...into]], [2, [1, 2]]);
    assertEquals([await queue.read(into), into[0]], [1, 3]);
  });

  it("ends a read that waits", async () => {
    const queue = new ReadQueue();
    const reading = queue.read(new Uint8Array(1));
    queue.end();
    assertEquals(await reading, null);
  });

  it("fails a read that waits, and later ones after the last chunk", async () => {
    const queue = new ReadQueue();
    const reading = queue.read(new Uint8Array(1));
    queue.fail(new RangeError("broken"));
    await assertRejects(() => reading, RangeError);
    queue.push(Uint8Array.of(1));
    assertEquals(await queue.read(new Uint8Array(1)), 1);
    await assertRejects(() => queue.read(new Uint8Array(1)), RangeError);
  });

  it("rejects a second read at the same time", async () => {
    const queue = new ReadQueue();
    const reading = queue.read(new Uint8Array(1));
    await assertRejects(
      () => queue.read(new Uint8Array(1)),
      Deno.errors.Busy,
    );
    queue.end();
    await reading;
  });
});
