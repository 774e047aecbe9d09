import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { writeAll } from "../../lib/net/write_all.ts";
import { FakeConn } from "../support/fakes.ts";
import { pattern } from "../support/peers.ts";

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
