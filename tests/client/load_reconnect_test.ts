import { assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { load } from "../../lib/load.ts";
import { peer, read, write } from "../support/peers.ts";

describe("load, at a server that breaks off each message", () => {
  it("pauses before it connects again", async () => {
    let accepted = 0;
    await using server = peer(async (conn) => {
      accepted++;
      await write(conn, (await read(conn, 512)).subarray(0, 1));
    });
    const duration = 1_000;
    await load({ port: server.port, connections: 1, duration, warmup: 0 });
    // Without a pause it is thousands. A slow machine has fewer.
    assertGreaterOrEqual(accepted, 2);
    assertLessOrEqual(accepted, 100);
  });
});
