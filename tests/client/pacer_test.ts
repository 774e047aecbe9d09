import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Pacer } from "../../lib/client/pacer.ts";

describe("a pacer", () => {
  it("announces each message once, when it is due, connections in turn", () => {
    const pacer = new Pacer({ rate: 1_000, connections: 3 });
    assertEquals(pacer.nextDue, 0);
    assertEquals([pacer.announce(0), pacer.announce(0.9)], [0, -1]);
    assertEquals(pacer.nextDue, 1);
    const late = [3.5, 3.5, 3.5, 3.5].map((now) => pacer.announce(now));
    assertEquals(late, [1, 2, 0, -1]);
  });

  it("keeps its rate without a drift", () => {
    const pacer = new Pacer({ rate: 30_000, connections: 7 });
    assertAlmostEquals(pacer.dueAt(30_000 * 3_600), 3_600_000, 1e-6);
  });

  it("ends with its count", () => {
    const pacer = new Pacer({ rate: 1_000, connections: 2, count: 3 });
    assertEquals([0, 0, 0, 0].map(() => pacer.announce(9)), [0, 1, 0, -1]);
    assertEquals([pacer.nextDue, pacer.dueBy(9)], [Infinity, 3]);
    assertEquals(pacer.take(1, 9), 9);
    assert(Number.isNaN(pacer.take(1, 9)));
  });

  it("tells how many are due by a time", () => {
    const pacer = new Pacer({ rate: 1_000, connections: 2 });
    assertEquals([-1, 0, 0.9, 1, 9.5].map((now) => pacer.dueBy(now)), [
      0,
      1,
      1,
      2,
      10,
    ]);
  });

  it("gives no message before it is due", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    assertEquals(pacer.take(0, 0), 0);
    pacer.replied(0, 1);
    assert(Number.isNaN(pacer.take(0, 9.9)));
    assertEquals([pacer.take(0, 10), pacer.maxLag], [10, 0]);
  });

  it("counts what waited for an echo from when it was due", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    assertEquals(pacer.take(0, 0), 0);
    // The server takes 35 ms: three messages have fallen due meanwhile.
    pacer.replied(0, 35);
    assertEquals(pacer.take(0, 35), 10);
    pacer.replied(0, 36);
    assertEquals(pacer.take(0, 36), 20);
    assertEquals(pacer.maxLag, 0);
  });

  it("charges the client for what it sent late on a free connection", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    assertEquals(pacer.take(0, 4), 4);
    assertEquals(pacer.maxLag, 4);
  });

  it("tells how late it was asked, whether the connection was free or not", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    pacer.announce(0);
    pacer.take(0, 0);
    pacer.announce(17);
    assertEquals(pacer.maxLag, 7);
  });

  it("counts what it was told of more than 3 ms late", () => {
    const pacer = new Pacer({ rate: 1_000, connections: 2, warmup: 2 });
    pacer.announce(9);
    pacer.announce(9);
    assertEquals(pacer.delayed, 0, "those of the warm-up");
    for (const now of [5, 6, 7, 9]) pacer.announce(now);
    assertEquals(pacer.delayed, 1);
  });

  it("charges the client for what waited behind its own delay", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    // This client stands still for 25 ms, and the server takes 1 ms.
    assertEquals(pacer.take(0, 25), 25);
    pacer.replied(0, 26);
    // Sent in time, the message before it had come back at 1 ms.
    assertEquals(pacer.take(0, 26), 26);
    assertEquals(pacer.maxLag, 25);
    pacer.replied(0, 27);
    assertEquals(pacer.take(0, 27), 27);
    pacer.replied(0, 28);
    // It has caught up.
    assert(Number.isNaN(pacer.take(0, 28)));
    assertEquals(pacer.take(0, 30), 30);
  });

  it("splits a wait between the client and the server", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    // 5 ms late, and the server takes 12 ms: a punctual client had had the echo
    // at 12 ms and sent the next message 2 ms late, for the server's sake.
    assertEquals(pacer.take(0, 5), 5);
    pacer.replied(0, 17);
    assertEquals(pacer.take(0, 18), 16);
    assertEquals(pacer.maxLag, 6);
  });

  it("counts what waited for a new connection from when it was due", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    assertEquals(pacer.take(0, 3), 3);
    pacer.reconnected(0, 30);
    assertEquals(pacer.take(0, 30), 10);
    assertEquals(pacer.maxLag, 3);
  });
});
