import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LineQueue } from "../../lib/cli/line_queue.ts";
import { until } from "../support/peers.ts";

/** A stream whose writes are pending until the test accepts or rejects them. */
function slowStream() {
  const stream = {
    text: "",
    writes: 0,
    accept: (_count?: number) => {},
    fail: (_error: Error) => {},
    write(bytes: Uint8Array): Promise<number> {
      stream.writes++;
      return new Promise((resolve, reject) => {
        stream.accept = (count = bytes.length) => {
          stream.text += new TextDecoder().decode(bytes.subarray(0, count));
          resolve(Math.min(count, bytes.length));
        };
        stream.fail = reject;
      });
    },
  };
  return stream;
}

const formatDropped = (count: number) => `${count} dropped`;

describe("a queue of lines for a reader that may stop", () => {
  it("keeps their order if a write accepts only a part", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { formatDropped });
    for (const line of ["one", "two", "grüße"]) queue.push(line);
    for (const count of [2, 2, 1, 5, 100]) {
      stream.accept(count);
      const { writes } = stream;
      await until(() => stream.writes > writes || stream.text.endsWith("ße\n"));
    }
    assertEquals(stream.text, "one\ntwo\ngrüße\n");
    await queue.flush(1e6, 1e6);
  });

  it("drops lines beyond its limit, and reports their count", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { formatDropped, limit: 10 });
    queue.push("one"); // being written
    for (const line of ["two", "three", "four", "five"]) queue.push(line);
    stream.accept();
    await until(() => stream.writes === 2);
    queue.push("six");
    stream.accept();
    await until(() => stream.writes === 3);
    stream.accept();
    await queue.flush(1e6, 1e6);
    assertEquals(stream.text, "one\ntwo\nthree\n2 dropped\nsix\n");
  });

  it("drops lines whose write fails, and tries again with the next line", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { formatDropped });
    const full = new Error("No space left on device");
    queue.push("one");
    queue.push("two");
    stream.fail(full);
    await queue.flush(1e6, 1e6);
    queue.push("three");
    stream.fail(full);
    await queue.flush(1e6, 1e6);
    queue.push("four");
    stream.accept();
    await queue.flush(1e6, 1e6);
    assertEquals(stream.text, "3 dropped\nfour\n");
  });

  it("starts a new line after a write that failed in the middle of one", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { formatDropped });
    queue.push("one");
    stream.accept(2);
    await until(() => stream.writes === 2);
    stream.fail(new Error("No space left on device"));
    await queue.flush(1e6, 1e6);
    queue.push("two");
    stream.accept();
    await queue.flush(1e6, 1e6);
    assertEquals(stream.text, "on\n1 dropped\ntwo\n");
  });

  it("retries on a non-blocking stream", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { formatDropped });
    queue.push("one");
    stream.fail(new Deno.errors.WouldBlock("try again"));
    await until(() => stream.writes === 2);
    stream.accept();
    await queue.flush(1e6, 1e6);
    assertEquals(stream.text, "one\n");
  });

  it("has its last line in the end, also if it was full", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { formatDropped, limit: 10 });
    for (const line of ["one", "two", "three", "four"]) queue.push(line);
    queue.pushLast("summary");
    stream.accept();
    await until(() => stream.writes === 2);
    stream.accept();
    await queue.flush(1e6, 1e6);
    assertEquals(stream.text, "one\ntwo\nthree\nsummary\n1 dropped\n");
  });

  it("is flushed while the reader goes on, and no longer", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { formatDropped });
    queue.push("one");
    await queue.flush(1);
    assertEquals(stream.text, "");
    const flushed = queue.flush(100, 1e6);
    for (const writes of [2, 3]) {
      stream.accept(1);
      await until(() => stream.writes === writes);
    }
    await flushed;
    assertEquals(stream.text, "on");
    stream.accept();
  });
});
