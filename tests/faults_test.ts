import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { delay } from "@std/async/delay";
import { describe, it } from "@std/testing/bdd";
import {
  type ClosedConnection,
  exchange,
  type Faults,
  serve,
} from "../lib/echo.ts";
import { load } from "../lib/load.ts";
import { misbehave } from "../lib/misbehave.ts";
import { ping } from "../lib/ping.ts";
import { pipe } from "../lib/pipe.ts";
import { pattern, portOf, read, until, utf8, write } from "./peers.ts";

const SIZE = 1000;

/** What each mode says of a server: "" where all is well, or its error. */
const modes: Record<
  string,
  (port: number, timeout: number) => Promise<string>
> = {
  message: (port, timeout) =>
    exchange(pattern(SIZE), { port, timeout }).then(
      () => "",
      ({ name }) => name,
    ),
  pipe: (port, timeout) =>
    pipe({
      port,
      timeout,
      input: ReadableStream.from([pattern(SIZE)]),
      output: new WritableStream(),
    }).then(() => "", ({ name }) => name),
  ping: async (port, timeout) => {
    let said = "";
    await ping({
      port,
      count: 1,
      size: SIZE,
      timeout,
      onProbe: ({ error }) => said = error?.name ?? "",
    });
    return said;
  },
  load: async (port, timeout) => {
    const { errors } = await load({
      port,
      size: SIZE,
      count: 1,
      connections: 1,
      timeout,
    });
    return Object.keys(errors).join();
  },
};

const [OK, LATE, SLOW, CUT, DIFFERS] = [
  ["", "", ""],
  ["TimedOutError", "timed out", "TimedOutError"],
  // The echo keeps coming, which is all that a pipe waits for.
  ["TimedOutError", "timed out", ""],
  ["CutShortError", "cut short", "CutShortError"],
  ["DiffersError", "differs", "DiffersError"],
] as const;

const table: [Faults, readonly [string, string, string]][] = [
  [{ latency: 20 }, OK],
  [{ latency: 20, jitter: 20 }, OK],
  [{ latency: 1_000 }, LATE],
  [{ bandwidth: 100_000 }, OK],
  [{ bandwidth: 1_000 }, SLOW],
  [{ slicer: 100 }, OK],
  [{ slicer: 100, slicerDelay: 100 }, SLOW],
  [{ limitData: 0 }, CUT],
  [{ limitData: 500 }, CUT],
  [{ stall: 0 }, LATE],
  [{ stall: 500 }, LATE],
  [{ corrupt: 1 }, DIFFERS],
  [{ corrupt: 0.1, seed: 1 }, DIFFERS],
  [{ toxicity: 0, corrupt: 1, limitData: 0 }, OK],
  [{ latency: 10, slicer: 50, limitData: 500 }, CUT],
];

describe("the client names each fault, in each mode", () => {
  for (const [faults, [error, kind, piped]] of table) {
    for (const [mode, say] of Object.entries(modes)) {
      const expected = { load: kind, pipe: piped }[mode] ?? error;
      it(`${mode}, ${Deno.inspect(faults)}: ${expected || "all well"}`, async () => {
        await using server = serve({ port: 0, grace: 10, faults });
        // Long enough not to be late by chance, where it is not to be late.
        const timeout = /timed out|TimedOut/.test(expected) ? 400 : 20_000;
        assertEquals(await say(portOf(server), timeout), expected);
      });
    }
  }

  // Deno ends its side before it closes, so that a client may see the end of
  // input before it sees the reset.
  for (const faults of [{ refuse: true }, { reset: 0 }, { reset: 500 }]) {
    for (const [mode, say] of Object.entries(modes)) {
      it(`${mode}, ${Deno.inspect(faults)}: cut short or reset`, async () => {
        await using server = serve({ port: 0, faults });
        const said = await say(portOf(server), 20_000);
        assert(/^(CutShort|Reset)Error$|^(cut short|reset)$/.test(said), said);
      });
    }
  }
});

describe("a fault", () => {
  it("delays each piece on its own: more is read meanwhile", async () => {
    await using server = serve({
      port: 0,
      grace: 0,
      faults: { latency: 60_000 },
    });
    using conn = await Deno.connect({ port: server.addr.port });
    for (let read = 1; read <= 4; read++) {
      await write(conn, utf8("x"));
      await until(() => server.stats().bytesRead === read);
    }
    assertEquals(server.stats().bytesWritten, 0);
    assertEquals(server.stats().faults, { latency: 4 });
  });

  it("sends no faster than its bandwidth", async () => {
    await using server = serve({ port: 0, faults: { bandwidth: 100_000 } });
    const before = performance.now();
    await exchange(pattern(20_000), { port: portOf(server) });
    // 200 ms, less what timers round off.
    assert(performance.now() - before >= 190);
  });

  it("keeps the order, however the latency varies", async () => {
    await using server = serve({
      port: 0,
      faults: { latency: 5, jitter: 5, seed: 1 },
    });
    using conn = await Deno.connect({ port: server.addr.port });
    for (const byte of pattern(50)) {
      await write(conn, Uint8Array.of(byte));
      await until(() => server.stats().bytesRead > byte);
    }
    assertEquals(await read(conn, 50), pattern(50));
  });

  it("sends what is written just as the queue runs empty", async () => {
    const sent: string[] = [];
    const incoming = Promise.withResolvers<number>();
    const outgoing = Promise.withResolvers<number>();
    const conn = misbehave({ latency: 1 })({
      read: () => incoming.promise,
      write(bytes: Uint8Array) {
        sent.push(new TextDecoder().decode(bytes));
        return sent.length === 1 ? outgoing.promise : Promise.resolve(1);
      },
      [Symbol.dispose]() {},
    } as unknown as Deno.Conn, 1);
    const echoing = conn.read(new Uint8Array(1)).then(() =>
      conn.write(utf8("b"))
    );
    await conn.write(utf8("a"));
    await until(() => sent.length === 1);
    // The runtime settles both in one turn of the event loop, the read first.
    incoming.resolve(1);
    outgoing.resolve(1);
    await echoing;
    await until(() => sent.length === 2);
    conn.close();
    assertEquals(sent, ["a", "b"]);
  });

  it("echoes what it held back before it ends", async () => {
    await using server = serve({ port: 0, faults: { latency: 50 } });
    using conn = await Deno.connect({ port: portOf(server) });
    await write(conn, utf8("later"));
    await conn.closeWrite();
    assertEquals(await read(conn), utf8("later"));
  });

  it("limits to the byte", async () => {
    for (const limitData of [1, 500, 70_000]) {
      const closed: ClosedConnection[] = [];
      await using server = serve({
        port: 0,
        faults: { limitData },
        onClose: (c) => closed.push(c),
      });
      using conn = await Deno.connect({ port: portOf(server) });
      void write(conn, pattern(100_000)).catch(() => {});
      assertEquals((await read(conn)).length, limitData);
      conn.close();
      await until(() => closed.length === 1);
      assertEquals(closed[0]!.bytesWritten, limitData);
      assertEquals(closed[0]!.faults, { limitData: 1 });
      assertEquals(closed[0]!.reason, "fault");
    }
  });

  it("that limits destroys no echo of a client that sends before it looks", async () => {
    await using server = serve({ port: 0, faults: { limitData: 4 } });
    using conn = await Deno.connect({ port: portOf(server) });
    await write(conn, utf8("before"));
    await until(() => server.stats().faults?.limitData === 1);
    // It does something else for as long as a long round trip takes.
    await delay(400);
    for (let i = 0; i < 3; i++) await write(conn, utf8("after"));
    await delay(20);
    assertEquals(await read(conn), utf8("befo"));
  });

  it("that refuses is the reason why the connection ended", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      faults: { refuse: true },
      onClose: (c) => closed.push(c),
    });
    using conn = await Deno.connect({ port: portOf(server) });
    assertEquals(await conn.read(new Uint8Array(1)), null);
    await until(() => closed.length === 1);
    const { reason, faults, error } = closed[0]!;
    assertEquals({ reason, faults, error }, {
      reason: "fault",
      faults: { refuse: 1 },
      error: undefined,
    });
  });

  it("resets: who goes on writing is told so", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      faults: { reset: 10 },
      onClose: (c) => closed.push(c),
    });
    using conn = await Deno.connect({ port: portOf(server) });
    await write(conn, pattern(100));
    assertEquals(await read(conn, 10), pattern(10));
    await until(() => closed.length === 1);
    const { bytesWritten, faults, reason } = closed[0]!;
    assertEquals({ bytesWritten, faults, reason }, {
      bytesWritten: 10,
      faults: { reset: 1 },
      reason: "reset",
    });
    await assertRejects(async () => {
      for (;;) await write(conn, pattern(100_000));
    });
  });

  it("keeps a stalled connection open until the server ends", async () => {
    const closed: ClosedConnection[] = [];
    const server = serve({
      port: 0,
      grace: 50,
      faults: { stall: 3 },
      onClose: (c) => closed.push(c),
    });
    using conn = await Deno.connect({ port: portOf(server) });
    await write(conn, utf8("hello"));
    assertEquals(await read(conn, 3), utf8("hel"));
    const next = conn.read(new Uint8Array(9)).catch(() => null);
    assertEquals(server.stats().open, 1);
    assertEquals(server.stats().faults, { stall: 1 });
    await server.shutdown();
    assertEquals(await next, null);
    assertEquals(closed[0]!.reason, "aborted");
  });

  it("holds no more than it may of a fast stream", async () => {
    const server = serve({ port: 0, grace: 0, faults: { latency: 60_000 } });
    using conn = await Deno.connect({ port: portOf(server) });
    const flooding = write(conn, pattern(64 << 20)).catch(() => {});
    let before = -1;
    // It has stopped reading once nothing is added any more.
    await until(() => {
      const { bytesRead } = server.stats();
      const still = bytesRead > 0 && bytesRead === before;
      before = bytesRead;
      return still;
    });
    assertLess(before, 3 << 20);
    await server.shutdown();
    await flooding;
  });

  it("befalls the share of connections that it is told to", async () => {
    await using server = serve({
      port: 0,
      faults: { refuse: true, toxicity: 0.5, seed: 1 },
    });
    const to = { port: portOf(server) };
    const results: boolean[] = [];
    for (let i = 0; i < 100; i++) {
      results.push(await exchange("x", to).then(() => true, () => false));
    }
    const fine = results.filter(Boolean).length;
    assert(fine > 30 && fine < 70, `${fine}`);
    assertEquals(server.stats().faults, { refuse: 100 - fine });
  });

  it("repeats with its seed: the same bytes of the same connections", async () => {
    async function run(seed: number): Promise<string[]> {
      await using server = serve({ port: 0, faults: { corrupt: 0.01, seed } });
      const outcomes: string[] = [];
      for (let i = 0; i < 3; i++) {
        using conn = await Deno.connect({ port: portOf(server) });
        const sending = write(conn, new Uint8Array(100_000));
        const bytes = await read(conn, 100_000);
        await sending;
        const changed = bytes.reduce((sum, byte) => sum + (byte ? 1 : 0), 0);
        assert(changed > 800 && changed < 1200, `${changed}`);
        outcomes.push(
          new Uint8Array(
            await crypto.subtle.digest("SHA-256", bytes as BufferSource),
          ).join(),
        );
      }
      return outcomes;
    }
    const [one, again, other] = [await run(7), await run(7), await run(8)];
    assertEquals(one, again);
    assertEquals(new Set([...one, ...other]).size, 6);
  });
});

describe("a fault is refused by name", () => {
  for (
    const faults of [
      { latency: -1 },
      { latency: NaN },
      { jitter: Infinity },
      { bandwidth: 0 },
      { bandwidth: 1.5 },
      { slicer: -5 },
      { slicerDelay: -1 },
      { limitData: -1 },
      { stall: NaN },
      { reset: 0.5 },
      { corrupt: 1.1 },
      { corrupt: -0.1 },
      { toxicity: NaN },
      { seed: 0.5 },
      { seed: -1 },
      { seed: 2 ** 53 },
    ] as Faults[]
  ) {
    it(Deno.inspect(faults), () => {
      assertThrows(
        () => serve({ port: 0, faults }),
        RangeError,
        `Cannot misbehave with ${Object.keys(faults)[0]}`,
      );
    });
  }
});
