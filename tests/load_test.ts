import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RefusedError, serve } from "../lib/echo.ts";
import { fairness } from "../lib/fairness.ts";
import { load, type LoadSecond } from "../lib/load.ts";
import {
  closedPort,
  echo,
  peer,
  portOf,
  read,
  swallow,
  write,
} from "./peers.ts";

describe("load", () => {
  for (const size of [1, 3, 512, 100_000, 3_000_000]) {
    it(`verifies messages of ${size} bytes`, async () => {
      await using server = serve({ port: 0 });
      const summary = await load({
        port: portOf(server),
        connections: 4,
        count: 40,
        size,
      });
      assertEquals([summary.messages, summary.errors], [40, {}]);
      assertEquals([summary.starved, summary.size], [0, size]);
      const { min, p50, p99, max } = summary.latency;
      assert(0 < min && min <= p50 && p50 <= p99 && p99 <= max);
      assertEquals(
        summary.buckets.reduce((sum, { count }) => sum + count, 0),
        40,
      );
      assertEquals(server.stats().bytesWritten, 40 * size);
    });
  }

  it("serves 300 connections alike", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      connections: 300,
      count: 6_000,
    });
    assertEquals([summary.messages, summary.starved], [6_000, 0]);
    assertGreaterOrEqual(summary.fairness, 0.9);
  });

  it("ends after its duration", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({ port: portOf(server), duration: 50 });
    assertGreaterOrEqual(summary.duration, 50);
    assert(summary.messages > 0);
  });

  it("tells how it goes each second, and reports when it is aborted", async () => {
    await using server = serve({ port: 0 });
    const controller = new AbortController();
    const seconds: LoadSecond[] = [];
    let starts = 0;
    const summary = await load({
      port: portOf(server),
      connections: 1,
      signal: controller.signal,
      onStart: () => starts++,
      onSecond(second) {
        seconds.push(second);
        controller.abort();
      },
    });
    assertEquals([starts, seconds.length], [1, 1]);
    assertGreaterOrEqual(summary.messages, seconds[0]!.messages);
    assertEquals(summary.errors, {});
  });
});

describe("load with a rate", () => {
  it("sends on schedule, each message once", async () => {
    await using server = serve({ port: 0 });
    const summary = await load({
      port: portOf(server),
      connections: 5,
      rate: 500,
      count: 100,
    });
    assertEquals(summary.messages, 100);
    // The last message is due 198 ms after the first.
    assertGreaterOrEqual(summary.duration, 198);
    assertEquals(summary.fairness, 1);
  });

  it("counts what had to wait from when it was due", async () => {
    // Nothing is echoed for 300 ms, then everything.
    await using server = peer(async (conn) => {
      const first = await read(conn, 512);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await write(conn, first);
      await echo(conn);
    });
    const summary = await load({
      port: server.port,
      connections: 1,
      rate: 100,
      count: 30,
    });
    // Without the schedule one message of 30 would have taken long; with it,
    // those that were due meanwhile waited 290 ms, 280 ms, and so on.
    assertGreaterOrEqual(summary.latency.max, 300);
    assertGreaterOrEqual(summary.latency.p50, 100);
    assertEquals(summary.unsent, 0);
  });

  it("tells how many were due and never sent", async () => {
    await using server = peer(swallow);
    const { messages, unsent } = await load({
      port: server.port,
      connections: 1,
      rate: 1_000,
      duration: 300,
    });
    assertEquals(messages, 0);
    // One of about 280 that were due was sent.
    assertGreaterOrEqual(unsent, 100);
  });

  it("is over with nothing when it is aborted before it began", async () => {
    let started = false;
    const { messages, errors } = await load({
      port: closedPort(),
      wait: 60_000,
      signal: AbortSignal.timeout(20),
      onStart: () => started = true,
    });
    assertEquals([messages, errors, started], [0, {}, false]);
  });
});

it("load refuses what cannot be, by name", async () => {
  for (
    const option of [
      { connections: 0 },
      { count: 0.5 },
      { size: 0 },
      { rate: 0 },
      { duration: -1 },
      { timeout: NaN },
    ]
  ) {
    await assertRejects(
      () => load({ ...option, port: closedPort() }),
      RangeError,
      `with ${Object.keys(option)[0]} ${Object.values(option)[0]}: expected`,
    );
  }
});

describe("load counts errors by kind", () => {
  const short = { connections: 2, duration: 700, timeout: 300 };

  it("a server that never answers", async () => {
    await using server = peer(swallow);
    const { messages, errors } = await load({ ...short, port: server.port });
    assertEquals(messages, 0);
    assertEquals(Object.keys(errors), ["timed out"]);
  });

  it("one that answers late", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 512);
      await new Promise((resolve) => setTimeout(resolve, 600));
      await write(conn, bytes);
    });
    const { errors } = await load({ ...short, port: server.port });
    assertEquals(Object.keys(errors), ["timed out"]);
  });

  it("one that closes in the middle", async () => {
    await using server = peer(async (conn) => {
      await write(conn, (await read(conn, 512)).subarray(0, 100));
    });
    const { errors } = await load({ ...short, port: server.port });
    assert(errors["cut short"]! > 1, "it goes on with new connections");
  });

  it("one that changes a byte", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 512);
      bytes[300]! ^= 1;
      await write(conn, bytes);
      await swallow(conn);
    });
    const { messages, errors } = await load({ ...short, port: server.port });
    assertEquals(messages, 0);
    assertEquals(Object.keys(errors), ["differs"]);
  });

  it("one that sends too much", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 512);
      await write(conn, new Uint8Array([...bytes, 0]));
      await swallow(conn);
    });
    const { errors } = await load({ ...short, port: server.port });
    assertEquals(Object.keys(errors), ["differs"]);
  });

  it("one that is not there is no result at all", async () => {
    await assertRejects(
      () => load({ ...short, port: closedPort() }),
      RefusedError,
    );
  });
});

it("fairness is Jain's index", () => {
  assertEquals(fairness([3, 3, 3]), 1);
  assertEquals(fairness([1, 0, 0, 0]), 0.25);
  assertEquals(fairness([]), 1);
});
