import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
  assertStrictEquals,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { HeldBytes } from "../../lib/faults/held_bytes.ts";
import { Link } from "../../lib/faults/link.ts";
import { Copy } from "../../lib/server/copy.ts";
import { settle } from "../support/fake_clock.ts";
import { FakeConn, type FakeConnOptions } from "../support/fakes.ts";
import { pattern, utf8 } from "../support/peers.ts";

const copies: Copy[] = [];

/** A copy between fake connections, which is stopped after the test. */
function started(options?: FakeConnOptions) {
  const source = new FakeConn();
  const destination = new FakeConn(options);
  const events: string[] = [];
  const link = new Link(destination, {
    held: new HeldBytes(Infinity),
    onLinkEnd() {},
    onLinkError() {},
  });
  const copy = new Copy(source, link, {
    onEnd: (_, { kind, error = "" }) => void events.push(`${kind}${error}`),
    onSourceEnd: () => void events.push("over"),
    onWriteError: (_, error) => void events.push(`write: ${error}`),
  });
  copies.push(copy);
  copy.start();
  return { source, destination, link, copy, events };
}

afterEach(() => {
  for (const copy of copies.splice(0)) copy.stop();
});

/** Sends chunks as large as the buffers that they are read into. */
async function stream(conn: FakeConn, reads: number): Promise<Uint8Array> {
  for (let i = 0; i < reads; i++) {
    conn.feed(new Uint8Array(conn.buffers.at(-1)!.length));
    await settle(2);
  }
  return conn.buffers.at(-1)!;
}

describe("a copy", () => {
  for (const bytesPerWrite of [1, 3, 7, 100]) {
    it(`writes every byte if a write accepts ${bytesPerWrite}`, async () => {
      const { source, destination, link, copy } = started({ bytesPerWrite });
      let total = 0;
      for (const length of [1, 8, 300, 301]) {
        source.feed(pattern(length));
        await settle(350);
        assertEquals(destination.output.subarray(total), pattern(length));
        total += length;
        assertEquals([copy.bytesRead, link.bytesWritten], [total, total]);
      }
      assertEquals(source.writes, []);
    });
  }

  for (const length of [1, 576, 577, 1000, 1024]) {
    it(`writes a first message of ${length} bytes in one chunk`, async () => {
      const { source, destination } = started();
      source.feed(pattern(length));
      await settle();
      assertEquals(destination.writes, [pattern(length)]);
    });
  }

  it("reads again only after everything is written", async () => {
    const { source, link, copy } = started({ neverReads: true });
    source.feed(utf8("one"));
    source.feed(utf8("two"));
    await settle();
    assertEquals(source.buffers.length, 1);
    assertEquals([copy.bytesRead, link.bytesWritten], [3, 0]);
    assertEquals(copy.isWaiting, false);
  });

  it("reports the end of input after the last chunk, and does no more", async () => {
    const { source, destination, events } = started();
    source.feed(utf8("last"));
    source.end();
    await settle();
    assertEquals(events, ["eof", "over"]);
    assertEquals(destination.output, utf8("last"));
    assertEquals(destination.ended, false);
    assertEquals(source.buffers.length, 2);
  });

  it("reports which side has failed", async () => {
    const one = started();
    one.source.fail("broken");
    await settle();
    assertEquals(one.events, ["resetbroken", "over"]);

    const two = started();
    two.destination.write = () => Promise.reject("broken");
    two.source.feed(utf8("lost"));
    await settle();
    assertEquals(two.events, ["write: broken"]);
    assertEquals([two.copy.bytesRead, two.link.bytesWritten], [4, 0]);
  });

  it("drops the rest after that, and tells when the source ends", async () => {
    const { source, destination, link, copy, events } = started({
      bytesPerWrite: 2,
    });
    const write = destination.write.bind(destination);
    destination.write = (bytes) =>
      destination.writes.length === 1 ? Promise.reject("full") : write(bytes);
    source.feed(utf8("lost"));
    await settle();
    source.feed(utf8("dropped"));
    source.end();
    await settle();
    assertEquals(events, ["write: full", "over"]);
    assertEquals(destination.output, utf8("lo"));
    assertEquals([copy.bytesRead, link.bytesWritten], [4, 2]);
  });

  it("finishes after the current chunk, and drops what follows", async () => {
    const { source, destination, link, copy, events } = started();
    const written = Promise.withResolvers<number>();
    destination.write = () => written.promise;
    source.feed(utf8("a"));
    await settle();
    copy.finish();
    assertEquals(events, []);
    written.resolve(1);
    await settle();
    assertEquals(events, ["eof"]);
    source.feed(utf8("b"));
    await settle();
    assertEquals([copy.bytesRead, link.bytesWritten], [1, 1]);
    source.end();
    await settle();
    assertEquals(events, ["eof", "over"]);
  });

  it("finishes at once while it waits for data", async () => {
    const { copy, events } = started();
    copy.finish();
    copy.finish();
    assertEquals(events, ["eof"]);
    await settle();
  });

  for (const when of ["reading", "writing"] as const) {
    it(`reports nothing once it is stopped, here while ${when}`, async () => {
      const { source, destination, copy, events } = started({
        neverReads: true,
      });
      if (when === "writing") source.feed(utf8("x"));
      await settle();
      copy.stop();
      copy.stop();
      if (when === "reading") source.feed(utf8("x"));
      await settle();
      source.fail();
      destination.close();
      await settle();
      assertEquals(events, []);
      assertEquals([copy.isOver, source.buffers.length], [true, 1]);
    });
  }

  it("counts what was written although it was stopped meanwhile", async () => {
    const { source, destination, link, copy } = started();
    const written = Promise.withResolvers<number>();
    destination.write = () => written.promise;
    source.feed(utf8("abc"));
    await settle();
    copy.stop();
    written.resolve(3);
    await settle();
    assertEquals([copy.bytesRead, link.bytesWritten], [3, 3]);
  });

  it("knows whether another has read later", async () => {
    const [one, two] = [started(), started()];
    assertEquals([one.copy.lastRead, two.copy.lastRead], [0, 0]);
    one.source.feed(utf8("request"));
    await settle();
    assert(one.copy.lastRead > two.copy.lastRead);
    two.source.feed(utf8("reply"));
    await settle();
    assert(two.copy.lastRead > one.copy.lastRead);
  });
});

describe("the buffer of a copy", () => {
  it("is small while messages are small", async () => {
    const { source } = started();
    for (let i = 0; i < 20; i++) {
      source.feed(pattern(512));
      await settle(2);
    }
    for (const { length } of source.buffers) assertLessOrEqual(length, 2_048);
  });

  it("grows while reads fill it, up to 1 MiB", async () => {
    const { length } = await stream(started().source, 20);
    assertGreaterOrEqual(length, 128 * 1024);
    assertLessOrEqual(length, 1024 * 1024);
  });

  it("is small again after a stream has paused", async () => {
    const { source } = started();
    await stream(source, 20);
    source.feed(utf8("the last chunk"));
    await settle();
    assertLess(source.buffers.at(-1)!.length, 64 * 1024);
  });

  it("is reused by the next stream", async () => {
    const first = started();
    const large = await stream(first.source, 20);
    first.source.feed(utf8("the last chunk"));
    await settle();
    const next = await stream(started().source, 20);
    assertStrictEquals(next.buffer, large.buffer);
  });
});
