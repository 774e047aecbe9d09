import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type ClosedConnection,
  exchange,
  type Faults,
  serve,
} from "../../lib/echo.ts";
import { load } from "../../lib/load.ts";
import { sleep } from "../../lib/net/timeout.ts";
import { ping } from "../../lib/ping.ts";
import { pipe } from "../../lib/pipe.ts";
import { pattern, portOf, read, until, utf8, write } from "../support/peers.ts";
import { bytesDue, KINDS, start, within } from "../support/sessions.ts";

const SIZE = 1000;

/** The error that each mode of the client reports, or "" if there is none. */
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
    let name = "";
    await ping({
      port,
      count: 1,
      size: SIZE,
      timeout,
      onProbe: ({ error }) => name = error?.name ?? "",
    });
    return name;
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

const [OK, TIMEOUT, SLOW, EOF, MISMATCH] = [
  ["", "", ""],
  ["TimedOutError", "timeout", "TimedOutError"],
  // A pipe has no limit for the whole echo, only for a pause in it.
  ["TimedOutError", "timeout", ""],
  ["UnexpectedEofError", "unexpectedEof", "UnexpectedEofError"],
  ["MismatchError", "mismatch", "MismatchError"],
] as const;

const table: [Faults, readonly [string, string, string]][] = [
  [{ latency: 20 }, OK],
  [{ latency: 20, jitter: 20 }, OK],
  [{ latency: 1_000 }, TIMEOUT],
  [{ bandwidth: 100_000 }, OK],
  [{ bandwidth: 1_000 }, SLOW],
  [{ slicer: 100 }, OK],
  [{ slicer: 100, slicerDelay: 100 }, SLOW],
  [{ limitData: 0 }, EOF],
  [{ limitData: 500 }, EOF],
  [{ stall: 0 }, TIMEOUT],
  [{ stall: 500 }, TIMEOUT],
  [{ corrupt: 1 }, MISMATCH],
  [{ corrupt: 0.1, seed: 1 }, MISMATCH],
  [{ toxicity: 0, corrupt: 1, limitData: 0 }, OK],
  [{ latency: 10, slicer: 50, limitData: 500 }, EOF],
];

describe("each mode of the client reports each fault", () => {
  for (const [faults, [error, kind, piped]] of table) {
    for (const [mode, run] of Object.entries(modes)) {
      const expected = { load: kind, pipe: piped }[mode] ?? error;
      it(`${mode}, ${Deno.inspect(faults)}: ${expected || "no error"}`, async () => {
        await using server = serve({ port: 0, grace: 10, faults });
        // Where no timeout is expected, none is reached on a slow machine.
        const timeout = /timeout|TimedOut/.test(expected) ? 400 : 20_000;
        assertEquals(await run(portOf(server), timeout), expected);
      });
    }
  }

  // Deno half-closes a connection before it closes it, so a client may see the
  // end of input before it sees the reset.
  for (
    const faults of [{ closeOnAccept: true }, { reset: 0 }, { reset: 500 }]
  ) {
    for (const [mode, run] of Object.entries(modes)) {
      it(`${mode}, ${Deno.inspect(faults)}: an unexpected end or a reset`, async () => {
        await using server = serve({ port: 0, faults });
        const error = await run(portOf(server), 20_000);
        assert(
          /^(UnexpectedEof|ConnectionReset)Error$|^(unexpectedEof|connectionReset)$/
            .test(error),
          error,
        );
      });
    }
  }
});

describe("a fault", () => {
  it("delays each chunk separately, and reads on meanwhile", async () => {
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
    assert(server.stats().faults!.latency! > 0);
  });

  it("keeps the order when the latency varies", async () => {
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

  it("limits the data to the byte", async () => {
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

  it("that limits the data destroys no echo of a client that sends before it reads", async () => {
    await using server = serve({ port: 0, faults: { limitData: 4 } });
    using conn = await Deno.connect({ port: portOf(server) });
    await write(conn, utf8("before"));
    await until(() => server.stats().faults?.limitData === 1);
    // The client is busy for a long round-trip time.
    await sleep(400);
    for (let i = 0; i < 3; i++) await write(conn, utf8("after"));
    await sleep(20);
    assertEquals(await read(conn), utf8("befo"));
  });

  for (const kind of KINDS) {
    it(`holds at most 3 MiB of a fast stream, and the rest is not read: ${kind}`, () =>
      within(60_000, async () => {
        await using session = start(kind, { faults: { latency: 60_000 } });
        const { server } = session;
        using conn = await session.connect();
        const flooding = write(conn, pattern(64 << 20)).catch(() => {});
        await until(() => bytesDue(session) > 1 << 20);
        // As many turns as the whole flood needs without a bound.
        await using other = serve({ port: 0, grace: 0 });
        for (let i = 0; i < 300; i++) {
          await exchange("x", { port: portOf(other) });
        }
        assertLess(bytesDue(session), 3 << 20);
        await server.shutdown();
        await flooding;
      }));
  }

  it("takes effect on the share of connections that toxicity sets", async () => {
    await using server = serve({
      port: 0,
      faults: { closeOnAccept: true, toxicity: 0.5, seed: 1 },
    });
    const to = { port: portOf(server) };
    const results: boolean[] = [];
    for (let i = 0; i < 100; i++) {
      results.push(await exchange("x", to).then(() => true, () => false));
    }
    const ok = results.filter(Boolean).length;
    assert(ok > 30 && ok < 70, `${ok}`);
    assertEquals(server.stats().faults, { closeOnAccept: 100 - ok });
  });

  it("changes the same bytes of the same connections with the same seed", async () => {
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

describe("a fault that is out of range is rejected by name", () => {
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
        `Cannot inject faults with ${Object.keys(faults)[0]}`,
      );
    });
  }
});
