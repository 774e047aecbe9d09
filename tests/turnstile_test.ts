import { assert, assertEquals, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { setImmediate } from "node:timers";
import { LoadConnection } from "../lib/load_connection.ts";
import { shared, Turnstile } from "../lib/turnstile.ts";
import { settle } from "./fake_clock.ts";
import { until } from "./peers.ts";

/** A turnstile with so many members that it has to decide. */
function crowded(): Turnstile {
  const gate = new Turnstile();
  for (let i = 0; i < 1000; i++) gate.join();
  return gate;
}

/** Leaves no timer behind. */
function leave(gate: Turnstile): void {
  for (let i = 0; i < 1000; i++) gate.leave();
}

describe("a turnstile", () => {
  it("lets the few go at once", () => {
    const gate = new Turnstile();
    for (let i = 0; i < 100; i++) gate.join();
    let gone = 0;
    for (let i = 0; i < 100; i++) gate.pass(() => gone++);
    assertEquals([gone, gate.waiting], [100, 0]);
  });

  it("lets many go first come, first served, some a round", async () => {
    const gate = crowded();
    const gone: number[] = [];
    const rounds = new Map<number, number>();
    for (let i = 0; i < 1000; i++) {
      gate.pass(() => {
        gone.push(i);
        rounds.set(gate.round, (rounds.get(gate.round) ?? 0) + 1);
      });
    }
    assertEquals([gone.length, gate.waiting], [0, 1000]);
    await until(() => gate.waiting === 0);
    assertEquals(gone, Array.from({ length: 1000 }, (_, i) => i));
    for (const [, turns] of rounds) assertLess(turns, 64);
    leave(gate);
  });

  it("serves whoever returns behind those who wait", async () => {
    const gate = crowded();
    const turns = new Array<number>(500).fill(0);
    let most = 0;
    const take = (i: number) => {
      turns[i]!++;
      most = Math.max(most, Math.max(...turns) - Math.min(...turns));
      if (turns[i]! < 10) gate.pass(() => take(i));
    };
    for (let i = 0; i < 500; i++) gate.pass(() => take(i));
    await until(() => gate.waiting === 0);
    assertEquals(new Set(turns), new Set([10]));
    assertEquals(most, 1);
    leave(gate);
  });

  for (const batch of [104, 128]) {
    it(`gives nobody a second turn after a batch of ${batch} reads`, async () => {
      const gate = crowded();
      let second = false;
      // A batch is handed over by the event loop before its round ends.
      for (let i = 0; i < batch; i++) gate.done(gate.round - 1);
      gate.pass(() => second = true);
      await settle(1);
      assertEquals(second, false);
      await until(() => second);
      leave(gate);
    });
  }

  it("goes on when those it let go have nothing to read", async () => {
    const gate = crowded();
    for (let i = 0; i < 128; i++) gate.done(gate.round - 1);
    let gone = 0;
    for (let i = 0; i < 300; i++) gate.pass(() => gone++);
    await until(() => gone === 300);
    assert(gate.waiting === 0);
    leave(gate);
  });

  it("does not call a reader that has left", async () => {
    const gate = crowded();
    const gone: string[] = [];
    const first = () => gone.push("first");
    const second = () => gone.push("second");
    const third = () => gone.push("third");
    for (const go of [first, second, third]) gate.pass(go);
    gate.leave(second);
    assertEquals(gate.waiting, 2);
    await until(() => gate.waiting === 0);
    assertEquals(gone, ["first", "third"]);
    for (let i = 1; i < 1000; i++) gate.leave();
  });

  it("no longer holds a load connection that was closed", () => {
    for (let i = 0; i < 1000; i++) shared.join();
    const conn = {
      write: () => new Promise(() => {}),
      [Symbol.dispose]() {},
    } as unknown as Deno.Conn;
    const link = new LoadConnection(conn, {
      size: 9,
      attempt: "Cannot go on",
      handlers: { onReply() {}, onError() {}, onClose() {} },
    });
    link.send(1, 0);
    assertEquals(shared.waiting, 1);
    link.close();
    assertEquals(shared.waiting, 0);
    leave(shared);
  });

  it("calls nobody once everybody has left", async () => {
    const gate = crowded();
    let gone = 0;
    for (let i = 0; i < 300; i++) gate.pass(() => gone++);
    leave(gate);
    assertEquals(gate.waiting, 0);
    // A round of the event loop, in which some would have had their turn.
    await new Promise((resolve) => setImmediate(resolve));
    assertEquals(gone, 0);
  });

  it("serves those who come after everybody had left", async () => {
    const gate = crowded();
    gate.pass(() => {});
    leave(gate);
    for (let i = 0; i < 1000; i++) gate.join();
    let gone = 0;
    for (let i = 0; i < 300; i++) gate.pass(() => gone++);
    await until(() => gone === 300);
    leave(gate);
  });

  it("keeps no timer once everybody has left", () => {
    const gate = crowded();
    leave(gate); // the sanitizers of this test see what is left
  });
});
