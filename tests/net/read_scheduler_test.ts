import { assert, assertEquals, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { setImmediate } from "node:timers";
import { ReadScheduler } from "../../lib/net/read_scheduler.ts";
import { settle } from "../support/fake_clock.ts";
import { until } from "../support/peers.ts";

/** A scheduler with 1000 connections, more than it serves directly. */
function busyScheduler(): ReadScheduler {
  const scheduler = new ReadScheduler();
  for (let i = 0; i < 1000; i++) scheduler.join();
  return scheduler;
}

/** Removes all connections, so that no timer is left. */
function leaveAll(scheduler: ReadScheduler): void {
  for (let i = 0; i < 1000; i++) scheduler.leave();
}

describe("the read scheduler", () => {
  it("starts the reads of few connections directly", () => {
    const scheduler = new ReadScheduler();
    for (let i = 0; i < 100; i++) scheduler.join();
    let started = 0;
    for (let i = 0; i < 100; i++) scheduler.schedule(() => started++);
    assertEquals([started, scheduler.waiting], [100, 0]);
  });

  it("starts the reads of many connections in order, some per tick", async () => {
    const scheduler = busyScheduler();
    const started: number[] = [];
    const perTick = new Map<number, number>();
    for (let i = 0; i < 1000; i++) {
      scheduler.schedule(() => {
        started.push(i);
        perTick.set(scheduler.tick, (perTick.get(scheduler.tick) ?? 0) + 1);
      });
    }
    assertEquals([started.length, scheduler.waiting], [0, 1000]);
    await until(() => scheduler.waiting === 0);
    assertEquals(started, Array.from({ length: 1000 }, (_, i) => i));
    for (const [, reads] of perTick) assertLess(reads, 64);
    leaveAll(scheduler);
  });

  it("puts a connection that was served behind those that wait", async () => {
    const scheduler = busyScheduler();
    const counts = new Array<number>(500).fill(0);
    let maxDifference = 0;
    const read = (i: number) => {
      counts[i]!++;
      maxDifference = Math.max(
        maxDifference,
        Math.max(...counts) - Math.min(...counts),
      );
      if (counts[i]! < 10) scheduler.schedule(() => read(i));
    };
    for (let i = 0; i < 500; i++) scheduler.schedule(() => read(i));
    await until(() => scheduler.waiting === 0);
    assertEquals(new Set(counts), new Set([10]));
    assertEquals(maxDifference, 1);
    leaveAll(scheduler);
  });

  for (const batch of [104, 128]) {
    it(`starts no read after a batch of ${batch} completed reads`, async () => {
      const scheduler = busyScheduler();
      let second = false;
      // The event loop completes a batch before its tick ends.
      for (let i = 0; i < batch; i++) scheduler.onData(scheduler.tick - 1);
      scheduler.schedule(() => second = true);
      await settle(1);
      assertEquals(second, false);
      await until(() => second);
      leaveAll(scheduler);
    });
  }

  it("continues if the reads that it started have no data", async () => {
    const scheduler = busyScheduler();
    for (let i = 0; i < 128; i++) scheduler.onData(scheduler.tick - 1);
    let started = 0;
    for (let i = 0; i < 300; i++) scheduler.schedule(() => started++);
    await until(() => started === 300);
    assert(scheduler.waiting === 0);
    leaveAll(scheduler);
  });

  it("gives turns that can be awaited, in order, and none to few", async () => {
    assertEquals(new ReadScheduler().turn(), undefined);
    const scheduler = busyScheduler();
    const turns: number[] = [];
    for (let i = 0; i < 300; i++) scheduler.turn()!.then(() => turns.push(i));
    assertEquals(scheduler.waiting, 300);
    await until(() => turns.length === 300);
    assertEquals(turns, Array.from({ length: 300 }, (_, i) => i));
    leaveAll(scheduler);
  });

  it("starts no read after all connections have left", async () => {
    const scheduler = busyScheduler();
    let started = 0;
    for (let i = 0; i < 300; i++) scheduler.schedule(() => started++);
    leaveAll(scheduler);
    assertEquals(scheduler.waiting, 0);
    // One tick, in which some of the reads would have started.
    await new Promise((resolve) => setImmediate(resolve));
    assertEquals(started, 0);
  });

  it("serves connections that join after all others have left", async () => {
    const scheduler = busyScheduler();
    scheduler.schedule(() => {});
    leaveAll(scheduler);
    for (let i = 0; i < 1000; i++) scheduler.join();
    let started = 0;
    for (let i = 0; i < 300; i++) scheduler.schedule(() => started++);
    await until(() => started === 300);
    leaveAll(scheduler);
  });

  it("keeps no timer after all connections have left", () => {
    const scheduler = busyScheduler();
    leaveAll(scheduler); // the sanitizers of the test report what is left
  });
});
