import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertRejects,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  ConnectionRefusedError,
  MismatchError,
  serve,
  TimedOutError,
  UnexpectedEofError,
} from "../../lib/echo.ts";
import {
  ping,
  type PingRun,
  type PingSummary,
  type Probe,
} from "../../lib/ping.ts";
import { parseExpectation } from "../../lib/stats/expectation.ts";
import { findings, judge } from "../../lib/stats/findings.ts";
import {
  closedPort,
  discard,
  peer,
  portOf,
  read,
  until,
  write,
} from "../support/peers.ts";

const quick = { interval: 1, timeout: 400 };

describe("ping", () => {
  it("sends as many probes as it was told, on one connection", async () => {
    await using server = serve({ port: 0 });
    const probes: Probe[] = [];
    const summary = await ping({
      ...quick,
      port: portOf(server),
      timeout: 5_000,
      count: 5,
      size: 100,
      onProbe: (probe) => probes.push(probe),
    });
    assertEquals(probes.map(({ seq, size }) => [seq, size]), [
      [1, 100],
      [2, 100],
      [3, 100],
      [4, 100],
      [5, 100],
    ]);
    assert(probes.every(({ latency }) => latency! > 0));
    assertEquals([summary.sent, summary.received, summary.loss], [5, 5, 0]);
    const times = probes.map(({ timestamp }) => Date.parse(timestamp));
    assert(
      probes.every(({ timestamp }, i) =>
        timestamp === new Date(times[i]!).toISOString()
      ),
    );
    assertEquals(times, times.toSorted((a, b) => a - b));
    const latencies = probes.map(({ latency }) => latency!);
    const differences = latencies.slice(1).map((latency, i) =>
      Math.abs(latency - latencies[i]!)
    );
    assertAlmostEquals(
      summary.jitter!,
      differences.reduce((sum, difference) => sum + difference) / 4,
    );
    const { buckets, intervals } = summary;
    assertEquals(buckets.reduce((sum, { count }) => sum + count, 0), 5);
    assertEquals(intervals.reduce((sum, { received }) => sum + received, 0), 5);
    const { min, mean, max } = summary.latency;
    assert(min! <= mean! && mean! <= max!);
    assertEquals(server.stats().accepted, 1);
  });

  for (const interval of [30 * 86_400_000, Infinity]) {
    it(`waits for an interval of ${interval} ms`, async () => {
      await using server = serve({ port: 0 });
      const controller = new AbortController();
      const { sent } = await ping({
        port: portOf(server),
        interval,
        signal: controller.signal,
        // A second probe would follow at once if it did not wait.
        onProbe: () => void setTimeout(() => controller.abort(), 50),
      });
      assertEquals(sent, 1);
    });
  }

  it("counts what never comes back as lost", async () => {
    await using server = peer(discard);
    const errors: unknown[] = [];
    const { sent, received, loss, latency } = await ping({
      ...quick,
      port: server.port,
      count: 3,
      onProbe: ({ error }) => errors.push(error),
    });
    assertEquals([sent, received, loss], [3, 0, 1]);
    // Each had waited for the timeout.
    assert(latency.max! >= 400 && latency.atLeast.includes("max"));
    assert(errors.every((error) => error instanceof TimedOutError));
  });

  it("goes on with a new connection after each kind of loss", async () => {
    let client = 0;
    await using server = peer(async (conn) => {
      const first = await read(conn, 56);
      switch (client++) {
        case 0: // another byte
          first[10]! ^= 1;
          await write(conn, first);
          break;
        case 1: // half of it
          await write(conn, first.subarray(0, 28));
          break;
        default:
          await write(conn, first);
          await write(conn, await read(conn, 56));
      }
    });
    const probes: Probe[] = [];
    const { loss } = await ping({
      ...quick,
      port: server.port,
      timeout: 5_000,
      count: 4,
      onProbe: (probe) => probes.push(probe),
    });
    assert(probes[0]!.error instanceof MismatchError);
    assert(probes[1]!.error instanceof UnexpectedEofError);
    assert(probes[2]!.latency! > 0 && probes[3]!.latency! > 0);
    assertEquals(loss, 0.5);
  });

  it("goes on where a server was stopped and comes back", async () => {
    const first = serve({ port: 0 });
    const port = portOf(first);
    const controller = new AbortController();
    const probes: Probe[] = [];
    const going = ping({
      interval: 2,
      timeout: 5_000,
      port,
      signal: controller.signal,
      onProbe: (probe) => probes.push(probe),
    });
    await until(() => probes.length >= 2);
    await first.shutdown();
    await until(() => probes.at(-1)!.error instanceof ConnectionRefusedError);
    await using _second = serve({ port });
    await until(() => probes.at(-1)!.latency !== undefined);
    controller.abort();
    const { sent, received } = await going;
    assertEquals(sent, probes.length);
    assertEquals(
      received,
      probes.filter(({ latency }) => latency !== undefined).length,
    );
    assert(received < sent);
  });

  it("tries to connect with each probe, without a backoff", async () => {
    const port = closedPort();
    await using servers = new AsyncDisposableStack();
    const probes: Probe[] = [];
    await ping({
      interval: 100,
      timeout: 20_000,
      count: 8,
      port,
      onProbe(probe) {
        probes.push(probe);
        if (probe.seq === 6) servers.use(serve({ port }));
      },
    });
    assertEquals(
      probes.map(({ error }) => error?.name),
      [...Array(6).fill("ConnectionRefusedError"), ...Array(2).fill(undefined)],
    );
    // That there was none before is no reconnection.
    assert(probes.every(({ reconnected }) => reconnected === undefined));
  });

  it("replaces a connection that ended between probes without a loss", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 56));
    });
    const probes: Probe[] = [];
    const { received } = await ping({
      interval: 100,
      timeout: 20_000,
      count: 4,
      port: server.port,
      onProbe: (probe) => probes.push(probe),
    });
    assertEquals(received, 4);
    assertEquals(
      probes.map(({ reconnected }) => reconnected),
      [undefined, true, true, true],
    );
  });

  it("counts a connection that a probe ends as a loss", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 56));
      await conn.read(new Uint8Array(1));
    });
    const probes: Probe[] = [];
    await ping({
      interval: 20,
      timeout: 20_000,
      count: 4,
      port: server.port,
      onProbe: (probe) => probes.push(probe),
    });
    assertEquals(
      probes.map(({ error }) => error instanceof UnexpectedEofError),
      [false, true, false, true],
    );
    assert(probes.every(({ reconnected }) => reconnected === undefined));
  });

  it("loses the probe after bytes that it did not ask for", async () => {
    const sent = Promise.withResolvers<void>();
    await using server = peer(async (conn) => {
      const probe = await read(conn, 56);
      await write(conn, probe);
      await sent.promise;
      // As the next probe will begin, so that it could be taken for its echo.
      await write(conn, Uint8Array.of(2));
      await discard(conn);
    });
    const probes: Probe[] = [];
    await ping({
      interval: 300,
      timeout: 20_000,
      count: 2,
      port: server.port,
      onProbe(probe) {
        probes.push(probe);
        sent.resolve();
      },
    });
    assert(probes[0]!.latency! > 0);
    const { error } = probes[1]!;
    assert(error instanceof MismatchError);
    assertEquals([error.offset, error.sent, error.received], [0, undefined, 2]);
  });

  it("loses the probes that an attempt to connect leaves no time for", async () => {
    // A TLS server that never shakes hands.
    await using server = peer(discard);
    const probes: Probe[] = [];
    const { duration } = await ping({
      interval: 50,
      timeout: 300,
      count: 8,
      tls: true,
      port: server.port,
      onProbe: (probe) => probes.push(probe),
    });
    assertEquals(probes.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6, 7, 8]);
    const errors = probes.map(({ error }) => error?.message ?? "");
    assert(errors[0]!.includes("no answer within 300 ms"), errors[0]);
    for (const error of errors.slice(1, 5)) {
      assert(error.includes("connection attempt under way"), error);
    }
    // At most two attempts, where each probe had taken one.
    assertLess(duration, 8 * 300);
  });

  it("waits for a server if it is told to, and no longer", async () => {
    const port = closedPort();
    const going = ping({
      port,
      count: 1,
      wait: 20_000,
      timeout: 20_000,
    });
    await assertRejects(
      () => ping({ ...quick, port: closedPort(), count: 1, wait: 30 }),
      ConnectionRefusedError,
    );
    await using _server = serve({ port });
    assertEquals((await going).received, 1);
  });

  it("cannot go on without a permission", async () => {
    await assertRejects(
      () => ping({ ...quick, port: 70_000, count: 1 }),
      RangeError,
    );
  });

  it("refuses what cannot be, by name", async () => {
    for (const option of [{ count: 0 }, { count: 1.5 }, { size: 0 }]) {
      await assertRejects(
        () => ping(option),
        RangeError,
        `with ${Object.keys(option)[0]} ${Object.values(option)[0]}: expected`,
      );
    }
  });

  it("is over at once when it is aborted before it began", async () => {
    const signal = AbortSignal.abort();
    for (const wait of [0, 60_000]) {
      const { sent, received, loss } = await ping({ signal, wait });
      assertEquals([sent, received, loss], [0, 0, null]);
    }
  });

  it("has the summary of the probes so far", async () => {
    await using server = serve({ port: 0 });
    let run: PingRun | undefined;
    const summaries: PingSummary[] = [];
    const last = await ping({
      ...quick,
      timeout: 20_000,
      port: portOf(server),
      count: 3,
      onRun(started) {
        run = started;
        summaries.push(run.summary());
      },
      onProbe: () => summaries.push(run!.summary()),
    });
    assertEquals(summaries.map(({ sent }) => sent), [0, 1, 2, 3]);
    assertEquals(summaries.map(({ received }) => received), [0, 1, 2, 3]);
    assertEquals(summaries.at(-1)!.latency, last.latency);
    assert(summaries[1]!.duration <= last.duration);
  });
});

describe("a probe in flight at the end", () => {
  it("is missing if it has waited for longer than any other", async () => {
    // The first probe is answered, and the second never is.
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 56));
      await discard(conn);
    });
    const controller = new AbortController();
    const summary = await ping({
      interval: 1,
      timeout: 60_000,
      port: server.port,
      signal: controller.signal,
      onProbe: () => void setTimeout(() => controller.abort(), 300),
    });
    const { sent, received, unanswered, loss, latency, intervals } = summary;
    assertEquals([sent, received, unanswered, loss], [2, 1, 1, 0.5]);
    assert(latency.max! >= 290 && latency.atLeast.includes("max"));
    assertEquals(intervals[0]!.missing, 1);
    const conditions = ["max<200ms", "loss<50%", "mean<200ms"]
      .map((text) => parseExpectation(text, "ping"));
    const { results, passed } = judge(summary, conditions);
    assertEquals(results.map(({ met }) => met), [false, false, false]);
    assertEquals(passed, false);
  });

  it("may come back as long as others did", async () => {
    await using server = peer(async (conn) => {
      for (;;) {
        const probe = await read(conn, 56);
        if (probe.length < 56) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
        await write(conn, probe);
      }
    });
    const controller = new AbortController();
    const { sent, received } = await ping({
      interval: 1,
      port: server.port,
      signal: controller.signal,
      onProbe: ({ seq }) =>
        seq === 2 && void setTimeout(() => controller.abort(), 20),
    });
    assertEquals([sent, received], [3, 3]);
  });
});

it("a pause of this process is no timeout of a probe that came back", async () => {
  await using server = serve({ port: 0 });
  const options = { port: portOf(server), timeout: 300, interval: 1 };
  const { received } = await ping({
    ...options,
    count: 3,
    onProbe({ seq }) {
      // The next probe is sent before, and answered while nothing runs.
      if (seq === 1) {
        setTimeout(() => {
          const until = performance.now() + 900;
          while (performance.now() < until);
        }, 1);
      }
    },
  });
  assertEquals(received, 3);
});

it("an interval that cannot be kept is told of", async () => {
  await using server = peer(async (conn) => {
    for (;;) {
      const probe = await read(conn, 56);
      if (probe.length < 56) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
      await write(conn, probe);
    }
  });
  for (const [interval, kinds] of [[1, ["interval"]], [30, []]] as const) {
    const summary = await ping({ port: server.port, interval, count: 15 });
    assertEquals(findings(summary).map(({ kind }) => kind), [...kinds]);
  }
});

describe("ping with connect", () => {
  it("connects for each probe, and sends nothing", async () => {
    const lengths: Promise<number>[] = [];
    await using server = peer((conn) => {
      const received = read(conn);
      lengths.push(received.then(({ length }) => length));
      return received.then(() => {});
    });
    const probes: Probe[] = [];
    const { sent, received, latency, jitter } = await ping({
      ...quick,
      timeout: 20_000,
      connect: true,
      // Not used, so not checked.
      size: 0,
      port: server.port,
      count: 4,
      onProbe: (probe) => probes.push(probe),
    });
    assertEquals([sent, received], [4, 4]);
    assertEquals(probes.map(({ seq, size }) => [seq, size]), [
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 0],
    ]);
    assert(probes.every(({ reconnected }) => reconnected === undefined));
    assert(latency.min! > 0 && jitter! > 0);
    await until(() => lengths.length === 4);
    // Each connection was closed by the client.
    assertEquals(await Promise.all(lengths), [0, 0, 0, 0]);
  });

  it("loses each probe at a port that nothing listens on", async () => {
    const names: unknown[] = [];
    const { sent, received } = await ping({
      ...quick,
      timeout: 20_000,
      connect: true,
      port: closedPort(),
      count: 3,
      onProbe: ({ error, latency }) => names.push(error?.name, latency),
    });
    assertEquals([sent, received], [3, 0]);
    const loss = ["ConnectionRefusedError", undefined];
    assertEquals(names, [...loss, ...loss, ...loss]);
  });

  it("loads what a probe needs before the first one, and connects for probes only", async () => {
    const events: string[] = [];
    const { connect, setTimeout: timer } = { ...globalThis, ...Deno };
    await using server = peer(discard);
    try {
      // A timer that fired is loaded, as is all that ends with it.
      globalThis.setTimeout = ((callback: () => void, ms?: number) =>
        timer(() => {
          events.push("timer");
          callback();
        }, ms)) as typeof setTimeout;
      Deno.connect = ((options: Deno.ConnectOptions) => {
        events.push("connect");
        return connect(options);
      }) as typeof Deno.connect;
      const port = server.port;
      await ping({ ...quick, timeout: 20_000, connect: true, port, count: 1 });
    } finally {
      globalThis.setTimeout = timer;
      Deno.connect = connect;
    }
    assertEquals(events, ["timer", "connect"]);
  });

  it("makes an attempt for each probe, however long one takes", async () => {
    // A TLS server that never shakes hands.
    await using server = peer(discard);
    const errors: unknown[] = [];
    const { duration } = await ping({
      interval: 10,
      timeout: 100,
      connect: true,
      tls: true,
      port: server.port,
      count: 3,
      onProbe: ({ error }) => errors.push(error),
    });
    assert(errors.every((error) => error instanceof TimedOutError));
    assert(duration >= 290, `${duration}`);
  });

  it("waits for a server if it is told to", async () => {
    const port = closedPort();
    const options = { port, connect: true, count: 2, interval: 1 };
    const going = ping({ ...options, wait: 20_000, timeout: 20_000 });
    await using _server = serve({ port });
    assertEquals((await going).received, 2);
    await assertRejects(
      () => ping({ ...options, port: closedPort(), wait: 30 }),
      ConnectionRefusedError,
    );
  });

  it("ends when it is aborted during an attempt", async () => {
    await using server = peer(discard);
    const { sent, unanswered } = await ping({
      connect: true,
      tls: true,
      timeout: 60_000,
      port: server.port,
      signal: AbortSignal.timeout(100),
    });
    assertEquals([sent, unanswered], [1, 1]);
  });

  it("cannot go on with options that never work", async () => {
    await assertRejects(
      () => ping({ ...quick, connect: true, port: 70_000, count: 1 }),
      RangeError,
    );
    await assertRejects(
      () => ping({ ...quick, connect: true, tls: true, path: "/tmp/x" }),
      TypeError,
      "TLS is for TCP",
    );
  });
});
