import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { exchange, type ServeOptions } from "../../lib/echo.ts";
import { proxy, type ProxyOptions } from "../../lib/proxy.ts";
import { settle, untilTurn } from "../support/fake_clock.ts";
import { echo, pattern, read, utf8, write } from "../support/peers.ts";
import {
  clocked,
  eventually,
  KINDS,
  see,
  type SessionOptions,
  soon,
  start,
  within,
} from "../support/sessions.ts";

type Setting = SessionOptions["faults"];

/** Sends `x` on a new connection, and resolves with what comes back. */
async function trip(session: ReturnType<typeof start>): Promise<string> {
  using conn = await session.connect();
  await write(conn, utf8("x")).catch(() => {});
  return new TextDecoder().decode(await read(conn, 1).catch(() => undefined));
}

describe("the draw of a connection", () => {
  it("is one for both directions: half of the requests are answered", () =>
    within(60_000, async () => {
      const faults = { down: true, toxicity: 0.5, seed: 1 };
      await using session = start("proxy", {
        faults: { downstream: faults, upstream: faults },
      });
      let answered = 0;
      for (let i = 0; i < 200; i++) {
        if (await trip(session) === "x") answered++;
      }
      assert(answered > 70 && answered < 130, `${answered} of 200`);
    }));

  it("gives a connection its faults in both directions, or in none", () =>
    within(60_000, async () => {
      const faults = { corrupt: 1, toxicity: 0.5 };
      let request = 0;
      await using session = start("proxy", {
        faults: { downstream: faults, upstream: faults },
      }, async (conn) => {
        [request = 0] = await read(conn, 1);
        await write(conn, Uint8Array.of(0));
      });
      const pairs = new Set<string>();
      for (let i = 0; i < 50; i++) {
        using conn = await session.connect();
        await write(conn, Uint8Array.of(0));
        const [reply] = await read(conn, 1);
        pairs.add(`${request !== 0}, ${reply !== 0}`);
      }
      assertEquals([...pairs].sort(), ["false, false", "true, true"]);
    }));
});

describe("a list of faults", () => {
  const corrupt = { corrupt: 1 };
  const rows: [string, Setting, { up: boolean; down: boolean; ms: number }][] =
    [
      ["is for downstream by default", [corrupt], {
        up: false,
        down: true,
        ms: 0,
      }],
      [
        "may name the direction",
        [{ ...corrupt, direction: "upstream" }],
        { up: true, down: false, ms: 0 },
      ],
      [
        "may name both directions",
        [{ latency: 40, direction: "both" }],
        { up: false, down: false, ms: 78 },
      ],
      [
        "stacks faults of one kind",
        [{ latency: 40 }, { latency: 30 }, {
          latency: 20,
          direction: "upstream",
        }],
        { up: false, down: false, ms: 87 },
      ],
      [
        "has a toxicity in each entry",
        [{ ...corrupt, toxicity: 0 }, { latency: 50, toxicity: 1 }],
        { up: false, down: false, ms: 48 },
      ],
      [
        "stacks faults of several kinds",
        [{ latency: 40 }, { slicer: 1, slicerDelay: 20 }, corrupt],
        { up: false, down: true, ms: 78 },
      ],
      ["may be empty", [], { up: false, down: false, ms: 0 }],
    ];
  for (const when of ["at the start", "later"] as const) {
    for (const [name, faults, { up, down, ms }] of rows) {
      it(`${name}, ${when}`, () =>
        within(30_000, async () => {
          let request: Uint8Array | undefined;
          await using session = start(
            "proxy",
            when === "later" ? {} : { faults },
            async (conn) => {
              request = await read(conn, 3);
              await write(conn, pattern(3));
            },
          );
          if (when === "later") {
            session.server.setFaults(
              faults as Parameters<
                typeof session.server.setFaults
              >[0],
            );
          }
          using conn = await session.connect();
          const from = performance.now();
          await write(conn, pattern(3));
          const reply = await read(conn, 3);
          const took = performance.now() - from;
          const isChanged = (bytes?: Uint8Array) =>
            String(bytes) !== String(pattern(3));
          assertEquals([isChanged(request), isChanged(reply)], [up, down]);
          assert(took >= ms, `${took} ms`);
        }));
    }
  }

  it("draws for each entry by its own toxicity", () =>
    within(60_000, async () => {
      await using session = start("echo", {
        faults: [{ latency: 1 }, { limitData: 0, toxicity: 0.5, seed: 3 }],
      });
      let answered = 0;
      for (let i = 0; i < 100; i++) if (await trip(session)) answered++;
      assert(answered > 25 && answered < 75, `${answered} of 100`);
      assert(session.server.stats().faults!.latency! >= answered);
    }));
});

describe("times of faults that change count from the change, if it is later", () => {
  const rows = [
    [{ closeAfter: 1_000 }, "eof"],
    [{ resetAfter: 1_000 }, "reset"],
    [{ stallAfter: 1_000 }, "nothing"],
  ] as const;
  for (const kind of KINDS) {
    for (const [faults, end] of rows) {
      it(`${kind}, ${Deno.inspect(faults)}`, () =>
        clocked(kind, { faults: {} }, async (session, clock) => {
          using conn = await session.connect();
          const trip = async () => {
            await write(conn, utf8("x"));
            return await soon(read(conn, 1));
          };
          assertEquals(await trip(), utf8("x"));
          await clock.advance(2_000);
          using _ = session.server.injectFaults(faults);
          assertEquals(await trip(), utf8("x"));
          await clock.advance(999);
          assertEquals(await trip(), utf8("x"));
          await clock.advance(1);
          if (end === "nothing") await write(conn, utf8("x"));
          const enough = end === "nothing" ? settle(1_000) : undefined;
          const seen = await soon(see(conn, enough));
          assertEquals([seen.end, seen.bytes.length], [end, 0]);
        }));
    }
  }
});

describe("refuse closes the port while it is in force:", () => {
  for (const kind of KINDS) {
    it(`${kind}: clients are refused, and served again after it`, () =>
      within(60_000, async () => {
        await using session = start(kind);
        const { port, server } = session;
        for (let i = 0; i < 3; i++) {
          assertEquals(await trip(session), "x");
          {
            using _ = server.injectFaults({ refuse: true });
            const error = await refused(port);
            assert(error instanceof Deno.errors.ConnectionRefused, `${error}`);
          }
          const options = { port, wait: 20_000 };
          assertEquals(await exchange("on", options), utf8("on"));
        }
        server.setFaults({ refuse: true });
        await refused(port);
      }));
  }

  it("another program that took the port meanwhile is named until it is gone", () =>
    within(60_000, async () => {
      const errors: string[] = [];
      const onAcceptError: ServeOptions["onAcceptError"] = ({ message }) =>
        void errors.push(message);
      await using session = start("echo", { onAcceptError });
      const { port, server } = session;
      server.setFaults({ refuse: true });
      await refused(port);
      {
        using _other = Deno.listen({ hostname: "127.0.0.1", port });
        server.setFaults(undefined);
        await eventually("an error", () => errors.length > 0);
        assert(/address already in use/i.test(errors[0]!), errors[0]);
      }
      assertEquals(await exchange("on", { port, wait: 20_000 }), utf8("on"));
    }));
});

/** Connects until that is refused. */
async function refused(port: number): Promise<unknown> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    try {
      (await Deno.connect({ port })).close();
    } catch (error) {
      // Connections of the kernel's queue are reset when the port is closed.
      if (!(error instanceof Deno.errors.ConnectionReset)) return error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("not refused within 10 s");
}

describe("connectDelay", () => {
  for (const kind of KINDS) {
    it(`holds every byte until it is over, and is lifted: ${kind}`, () => {
      let reached = 0;
      return clocked(
        kind,
        { faults: { connectDelay: 60_000 } },
        async ({ server, connect }, clock) => {
          using one = await connect();
          await write(one, utf8("1"));
          await soon(untilTurn(() => server.stats().open === 1));
          await clock.advance(59_000);
          await settle(200);
          assertEquals([server.stats().bytesWritten, reached], [0, 0]);
          await clock.advance(1_500);
          assertEquals(await soon(read(one, 1)), utf8("1"));
          using other = await connect();
          await write(other, utf8("2"));
          server.setFaults(undefined);
          assertEquals(await soon(read(other, 1)), utf8("2"));
        },
        async (conn) => {
          const first = await read(conn, 1);
          reached++;
          await write(conn, first);
          await echo(conn);
        },
      );
    });
  }
});

describe("a setting that is wrong is refused with the name of the option:", () => {
  const rows = [
    ["a misspelt fault", { latancy: 5 }, "latancy"],
    ["slicerDelay without slicer", { slicerDelay: 5 }, "slicer"],
    ["a fault that is text", { latency: "5" }, "latency"],
    ["a wrong direction", [{ latency: 5, direction: "up" }], "direction"],
    ["an entry out of range", [{}, { corrupt: 2 }], "corrupt"],
    ["a misspelt fault in an entry", [{ stal: 5 }], "stal"],
    ["a misspelt fault of a direction", { upstream: { reest: 5 } }, "reest"],
    ["slowClose out of range", { slowClose: -1 }, "slowClose"],
    ["connectDelay out of range", { connectDelay: NaN }, "connectDelay"],
  ] as [string, Setting, string][];
  for (const [name, faults, option] of rows) {
    it(name, async () => {
      const refuse = (work: () => unknown) => {
        const error = assertThrows(work, Error, option);
        assert(error instanceof RangeError || error instanceof TypeError);
        assert(!/[\n]/.test(error.message), error.message);
      };
      const opened: AsyncDisposable[] = [];
      const options = { port: 0, upstream: { port: 1 }, faults };
      refuse(() => opened.push(proxy(options as ProxyOptions)));
      for (const server of opened) await server[Symbol.asyncDispose]();
      await using session = start("proxy");
      type Faults = Parameters<typeof session.server.setFaults>[0];
      refuse(() => session.server.setFaults(faults as Faults));
      refuse(() => session.server.injectFaults(faults as NonNullable<Faults>));
    });
  }
});
