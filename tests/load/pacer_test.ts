import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Pacer } from "../../lib/load/pacer.ts";

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
    const pacer = new Pacer({ rate: 30_000, connections: 1 });
    for (let i = 0; i < 300_001; i++) pacer.announce(Infinity);
    assertAlmostEquals(pacer.nextDue, 300_001 / 30, 1e-6);
  });

  it("ends with its count", () => {
    const pacer = new Pacer({ rate: 1_000, connections: 2, count: 3 });
    assertEquals([0, 0, 0, 0].map(() => pacer.announce(9)), [0, 1, 0, -1]);
    assertEquals([pacer.nextDue, pacer.scheduledBefore(9)], [Infinity, 3]);
    assertEquals(pacer.take(1, 9), 9);
    assertEquals(pacer.nextOf(1), Infinity);
    assert(Number.isNaN(pacer.take(1, 9)));
  });

  it("tells how many are due before a time", () => {
    const pacer = new Pacer({ rate: 1_000, connections: 2, warmup: 5 });
    assertEquals(
      [-1, 0, 5, 5.1, 6, 6.1, 15].map((at) => pacer.scheduledBefore(at)),
      [0, 0, 0, 1, 1, 2, 10],
    );
    // 0.1 s at 30/s are 3 messages, whatever the last digit of the product.
    assertEquals(
      new Pacer({ rate: 30, connections: 1 }).scheduledBefore(100),
      3,
    );
  });

  it("ends early, and hands out what was due and not sent", () => {
    const pacer = new Pacer({ rate: 1_000, connections: 3, warmup: 2 });
    pacer.take(0, 0);
    pacer.take(2, 2);
    pacer.endAt(7);
    assertEquals(pacer.scheduledBefore(Infinity), 5);
    assertEquals([...pacer.unsent()], [
      { connection: 0, due: 3, count: 1 },
      { connection: 0, due: 6, count: 1 },
      { connection: 1, due: 4, count: 1 },
      { connection: 2, due: 5, count: 1 },
    ]);
  });

  it("hands out millions of them in bounded groups", () => {
    const pacer = new Pacer({ rate: 1e7, connections: 50, count: 1e8 });
    let count = 0, groups = 0;
    for (const group of pacer.unsent()) {
      count += group.count;
      groups++;
    }
    assertEquals(count, 1e8);
    assert(groups <= 100_100, `${groups}`);
  });

  it("gives no message before it is due", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    assertEquals(pacer.take(0, 0), 0);
    pacer.replied(0, 1);
    assert(Number.isNaN(pacer.take(0, 9.9)));
    assertEquals([pacer.take(0, 10), pacer.lag()!.max], [10, 0]);
  });

  it("counts what waited for an echo from when it was due", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    assertEquals(pacer.take(0, 0), 0);
    // The server takes 35 ms: three messages have fallen due meanwhile.
    pacer.replied(0, 35);
    assertEquals(pacer.take(0, 35), 10);
    pacer.replied(0, 36);
    assertEquals(pacer.take(0, 36), 20);
    assertEquals(pacer.lag()!.max, 0);
  });

  it("charges the client for what it sent late on a free connection", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    assertEquals(pacer.take(0, 4), 4);
    assertEquals(pacer.lag()!.max, 4);
  });

  it("knows how late messages were sent, as percentiles", () => {
    const pacer = new Pacer({ rate: 1_000, connections: 1 });
    assertEquals(pacer.lag(), null);
    for (let k = 0; k < 100; k++) {
      pacer.take(0, k + (k < 98 ? 0.1 : 0.5));
      pacer.replied(0, k + (k < 98 ? 0.1 : 0.5));
    }
    const { p50, p99, max } = pacer.lag()!;
    assertAlmostEquals(p50!, 0.1, 0.001);
    assertAlmostEquals(p99!, 0.5, 0.001);
    assertAlmostEquals(max, 0.5, 1e-9);
  });

  it("tells how late it was asked, whether the connection was free or not", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    pacer.announce(0);
    pacer.take(0, 0);
    pacer.announce(17);
    assertEquals(pacer.lag()!.max, 7);
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
    assertEquals(pacer.lag()!.max, 25);
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
    assertEquals(pacer.lag()!.max, 6);
  });

  it("counts what waited for a new connection from when it was due", () => {
    const pacer = new Pacer({ rate: 100, connections: 1 });
    assertEquals(pacer.take(0, 3), 3);
    pacer.reconnected(0, 30);
    assertEquals(pacer.take(0, 30), 10);
    assertEquals(pacer.lag()!.max, 3);
  });
});
