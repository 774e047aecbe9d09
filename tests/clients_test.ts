import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Client, idleOf, isIdle } from "../lib/clients.ts";
import type { Relay } from "../lib/relay.ts";

/** A client that was accepted at 0, and what its relay has carried. */
function client(bytesRead: number, bytesWritten: number): Client {
  return {
    id: 1,
    remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    conn: {} as Deno.Conn,
    since: 0,
    relay: { bytesRead, bytesWritten } as Relay,
    carried: bytesRead + bytesWritten,
    carriedAt: 0,
  };
}

describe("a client counts as idle", () => {
  it("before it has sent anything", () => {
    assertEquals(isIdle(client(0, 0), 0), true);
  });

  it("5 s after its last byte, and no earlier", () => {
    assertEquals(isIdle(client(9, 9), 4_999), false);
    assertEquals(isIdle(client(9, 9), 5_000), true);
  });

  it("not while it is owed an echo", () => {
    assertEquals(isIdle(client(9, 0), 60_000), false);
  });

  it("not when it was active since the last look", () => {
    const active = client(9, 9);
    active.relay = { bytesRead: 10, bytesWritten: 10 } as Relay;
    assertEquals(isIdle(active, 60_000), false);
    // This look sees that, and takes its own time for that of the activity.
    assertEquals([...idleOf([active], Infinity)], []);
    assertEquals(isIdle(active, active.carriedAt + 4_999), false);
    assertEquals(isIdle(active, active.carriedAt + 5_000), true);
  });
});
