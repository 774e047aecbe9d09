import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readableOf, writableOf, writeAll } from "../../lib/net/conn.ts";
import { FakeConn } from "../support/fakes.ts";
import { pattern, utf8 } from "../support/peers.ts";

describe("the streams of a connection", () => {
  it("read up to the end of input, and then close the connection", async () => {
    const conn = new FakeConn();
    const text = new Response(readableOf(conn)).text();
    conn.feed(utf8("hello, "));
    conn.feed(utf8("you"));
    conn.end();
    assertEquals(await text, "hello, you");
    assert(conn.closed);
  });

  it("read nothing before it is requested", async () => {
    const conn = new FakeConn();
    const stream = readableOf(conn);
    assertEquals(conn.buffers.length, 0);
    await stream.cancel();
    assert(conn.closed);
  });

  it("write all of each chunk, and then close the connection", async () => {
    const conn = new FakeConn({ bytesPerWrite: 3 });
    await ReadableStream.from([pattern(10)]).pipeTo(writableOf(conn));
    assertEquals(conn.output, pattern(10));
    assert(conn.closed);
  });

  it("close the connection when writing is aborted", async () => {
    const conn = new FakeConn();
    await writableOf(conn).abort();
    assert(conn.closed);
  });
});

describe("writeAll", () => {
  for (const bytesPerWrite of [1, 3, 99, 100, 101]) {
    it(`writes each byte once, ${bytesPerWrite} bytes at a time`, async () => {
      const conn = new FakeConn({ bytesPerWrite });
      const counts: number[] = [];
      await writeAll(conn, pattern(100), (count) => counts.push(count));
      assertEquals(conn.output, pattern(100));
      assertEquals(counts, conn.writes.map(({ length }) => length));
    });
  }

  it("does not write an empty chunk", async () => {
    const conn = new FakeConn();
    await writeAll(conn, new Uint8Array());
    assertEquals(conn.writes, []);
  });

  it("throws what a write throws", async () => {
    const conn = new FakeConn();
    conn.close();
    await assertRejects(
      () => writeAll(conn, pattern(1)),
      Deno.errors.BadResource,
    );
  });
});
