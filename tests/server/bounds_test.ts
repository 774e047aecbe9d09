import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { ReadScheduler, readScheduler } from "../../lib/net/read_scheduler.ts";
import { discard, echo, read, utf8, write } from "../support/peers.ts";
import { FakeClock, untilTurn } from "../support/fake_clock.ts";
import { FakeConn, listening } from "../support/fakes.ts";
import { eventually, KINDS, soon, start, within } from "../support/sessions.ts";

const MIB = 1 << 20;

describe("what faults hold has a bound for the process:", () => {
  const CLIENTS = 40;
  for (const kind of KINDS) {
    it(`${kind}: over it nothing is read, and below it again`, () =>
      within(60_000, async () => {
        const size = 2 * MIB;
        const flood = async (conn: Deno.Conn) => {
          await write(conn, new Uint8Array(size)).catch(() => {});
          await conn.closeWrite().catch(() => {});
        };
        await using session = start(
          kind,
          { faults: { stall: 0 }, maxHeldBytes: 2 * MIB },
          async (conn) => {
            await flood(conn);
            await discard(conn);
          },
        );
        const { server } = session;
        const clients = await Promise.all(
          Array.from({ length: CLIENTS }, () => session.connect()),
        );
        const sending = kind === "echo" ? clients.map(flood) : [];
        const held = () =>
          (kind === "echo" ? server.stats() : server.stats().upstream)
            ?.bytesRead ?? 0;
        await eventually("the bound", () => held() >= 2 * MIB);
        // Time enough for every other one to be read, if nothing stops it.
        await using other = serve({ port: 0, grace: 0 });
        using conn = await Deno.connect({ port: other.addr.port });
        for (let i = 0; i < 500; i++) {
          await write(conn, utf8("x"));
          await read(conn, 1);
        }
        // A chunk of each connection may have been on its way.
        assert(held() < 12 * MIB, `${held() / MIB} MiB`);
        server.setFaults(undefined);
        const lengths = await Promise.all(clients.map(async (client) => {
          const { length } = await read(client);
          client.close();
          return length;
        }));
        assertEquals(lengths, Array(CLIENTS).fill(size));
        await Promise.all(sending);
      }));
  }
});

describe("a connection that leaves the read scheduler", () => {
  it("costs the same however many wait: 60,000 of them", () => {
    // Counts the elements that the searching and moving methods of arrays visit.
    let visited = 0;
    const { prototype } = Array;
    const names = ["indexOf", "lastIndexOf", "includes", "find", "findIndex"];
    const moving = ["splice", "filter", "shift", "unshift", "slice"];
    const originals = new Map<string, unknown>();
    for (const name of [...names, ...moving]) {
      const original = Reflect.get(prototype, name);
      originals.set(name, original);
      Reflect.set(
        prototype,
        name,
        function (this: unknown[], ...args: unknown[]) {
          visited += this.length;
          return original.apply(this, args);
        },
      );
    }
    const scheduler = new ReadScheduler();
    const leave: (read?: () => void) => void = scheduler.leave;
    const count = 60_000;
    const reads = Array.from({ length: count }, () => () => {});
    try {
      for (let i = 0; i < count; i++) scheduler.join();
      for (const read of reads) scheduler.schedule(read);
      visited = 0;
      // The newest first, which is the longest way through a queue.
      while (reads.length > 0 && visited < 100 * count) {
        leave.call(scheduler, reads.pop());
      }
    } finally {
      for (const [name, original] of originals) {
        Reflect.set(prototype, name, original);
      }
      // If it was too slow, the rest leaves as connections do that read.
      for (const _ of reads) scheduler.leave();
    }
    assert(visited < 10 * count, `${visited} elements were visited`);
  });
});

it("a connection that has ended is no member of the read scheduler", () =>
  within(60_000, async () => {
    for (const kind of KINDS) {
      await using session = start(kind);
      const { server } = session;
      // With members that never left, each further read would be queued.
      for (let i = 0; i < 120; i++) {
        const conn = await session.connect();
        await write(conn, new Uint8Array(i % 2 ? 1 : 100_000));
        if (i % 3 === 0) await conn.closeWrite();
        if (i % 3 === 1) await read(conn, 1);
        // Unread data makes the close a reset.
        conn.close();
      }
      server.setFaults({ down: true });
      await eventually("all closed", () => server.stats().open === 0);
    }
    let started = 0;
    for (let i = 0; i < 100; i++) {
      readScheduler.join();
      readScheduler.schedule(() => started++);
    }
    for (let i = 0; i < 100; i++) readScheduler.leave();
    assertEquals(started, 100);
  }));

describe("the acceptor backs off for a shortage, and for nothing else:", () => {
  const rows: [name: string, error: () => Error, waits: boolean][] = [
    ...[
      ["EMFILE", "Too many open files (os error 24)"],
      ["ENFILE", "Too many open files in system (os error 23)"],
      ["ENOBUFS", "No buffer space available (os error 105)"],
      ["ENOMEM", "Cannot allocate memory (os error 12)"],
    ].map(([code, message]): [string, () => Error, boolean] => [
      code!,
      () => Object.assign(new Error(message), { code }),
      true,
    ]),
    ["a reset", () => new Deno.errors.ConnectionReset(), false],
    ["an abort", () => new Deno.errors.ConnectionAborted(), false],
    [
      "a path that is not UTF-8",
      () => new TypeError("expected UTF-8 encoded path"),
      false,
    ],
    [
      "an error of one connection",
      () => Object.assign(new Error("Protocol error"), { code: "EPROTO" }),
      false,
    ],
  ];
  for (const [name, error, waits] of rows) {
    it(name, async () => {
      using clock = new FakeClock();
      const client = new FakeConn();
      const errors = Array.from({ length: 10 }, error);
      using listener = listening([...errors, client]);
      const server = serve({ port: 1, grace: 0 });
      const served = () => server.stats().accepted === 1;
      if (waits) {
        await clock.advance(0);
        assertEquals(served(), false);
        assert(listener.attempts < 5, `${listener.attempts} attempts`);
        await clock.advance(60_000);
        assertEquals(served(), true);
      } else {
        await soon(untilTurn(served));
      }
      client.end();
      const finishing = server.shutdown();
      await clock.advance(10);
      await finishing;
    });
  }
});

describe("an upstream that is short of something is tried again:", () => {
  const mayUseFiles = Deno.build.os === "linux" &&
    Deno.permissions.querySync({ name: "write" }).state === "granted";

  it(
    "a Unix socket whose backlog is full",
    { ignore: !mayUseFiles },
    () =>
      within(60_000, async () => {
        const folder = await Deno.makeTempDir();
        const path = `${folder}/full`;
        const listener = Deno.listen({ transport: "unix", path });
        const waiting: Deno.Conn[] = [];
        try {
          for (;;) {
            waiting.push(await Deno.connect({ transport: "unix", path }));
          }
        } catch (error) {
          assert(error instanceof Deno.errors.WouldBlock, `${error}`);
        }
        {
          await using session = start("proxy", { upstream: { path } });
          using conn = await session.connect();
          await write(conn, utf8("x"));
          await eventually("a dial", () => session.server.stats().open === 1);
          const accepted: Deno.Conn[] = [];
          const echoes: Promise<unknown>[] = [];
          const accepting = (async () => {
            for await (const one of listener) {
              accepted.push(one);
              echoes.push(echo(one).catch(() => {}));
            }
          })();
          assertEquals(await read(conn, 1), utf8("x"));
          assertEquals(session.closed, []);
          listener.close();
          await accepting.catch(() => {});
          for (const one of [...waiting, ...accepted]) one.close();
          await Promise.all(echoes);
        }
        await Deno.remove(folder, { recursive: true });
      }),
  );
});
