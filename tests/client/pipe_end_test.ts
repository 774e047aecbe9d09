import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { pipe } from "../../lib/pipe.ts";
import { peer, read, utf8, write } from "../support/peers.ts";

describe("the end of a pipe's input", () => {
  it("is told to a server that answers only then", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn));
    });
    const out: Uint8Array[] = [];
    const piped = await pipe({
      port: server.port,
      input: ReadableStream.from([utf8("all of "), utf8("it")]),
      output: new WritableStream({ write: (piece) => void out.push(piece) }),
    });
    assertEquals(piped, { sent: 9, received: 9 });
    assertEquals(out.flatMap((piece) => [...piece]), [...utf8("all of it")]);
  });
});
