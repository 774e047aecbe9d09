import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readableOf, writableOf } from "../../lib/net/conn.ts";
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
