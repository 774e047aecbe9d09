import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ClosedConnection, Faults } from "../../lib/echo.ts";
import { ca, cert, key } from "../support/certificates.ts";
import { pattern, peer, read, utf8, write } from "../support/peers.ts";
import { resettable } from "../support/resettable.ts";
import { eventually, KINDS, see, start, within } from "../support/sessions.ts";

/** Faults that hold what a client sends for longer than any test. */
const HOLDING: Faults[] = [
  { stall: 0 },
  { stallAfter: 0 },
  { latency: 60_000 },
  { bandwidth: 1 },
  { slicer: 1, slicerDelay: 60_000 },
];

describe("a client that has left ends its connection", () => {
  for (const kind of KINDS) {
    it(`within 5 s, whatever a fault holds: ${kind}`, () =>
      within(60_000, () =>
        // All of them at once, since each takes seconds.
        Promise.all(HOLDING.map(async (faults) => {
          const name = Deno.inspect(faults);
          await using session = start(kind, { faults, maxConnections: 2 });
          for (let i = 0; i < 2; i++) {
            const conn = await session.connect();
            await write(conn, pattern(100));
            await eventually(
              `${name} has the bytes`,
              () => session.server.stats().bytesRead === 100 * (i + 1),
            );
            conn.close();
          }
          using next = await session.connect();
          await write(next, utf8("x"));
          await eventually(
            `the next client is served: ${name}`,
            () => session.server.stats().accepted === 3,
            9_000,
          );
          for (const { reason } of session.closed) {
            assert(reason !== "aborted", "there was no shutdown");
          }
        })).then(() => {})));
  }

  it("also if it leaves in the middle of slices, before a reset", () =>
    within(30_000, async () => {
      await using session = start("echo", {
        faults: { latency: 100, slicer: 1, slicerDelay: 10, reset: 50 },
      });
      const conn = await session.connect();
      await write(conn, pattern(100));
      conn.close();
      await eventually("the end", () => session.closed.length === 1, 9_000);
    }));

  it("is noticed by an upstream that sends, before much is dropped", () =>
    within(60_000, async () => {
      for (let run = 0; run < 8; run++) {
        let gone = false;
        let after = 0;
        const ended = Promise.withResolvers<void>();
        await using session = start("proxy", {}, async (conn) => {
          const chunk = new Uint8Array(256 << 10);
          try {
            // Enough to tell a write that fails from one that is dropped.
            while (after < 256 << 20) {
              await write(conn, chunk);
              if (gone) after += chunk.length;
            }
          } catch {
            // The proxy has closed the connection.
          }
          ended.resolve();
        });
        const conn = await session.connect();
        await read(conn, 4 << 20);
        conn.close();
        gone = true;
        await ended.promise;
        assert(after < 128 << 20, `run ${run}: ${after >> 20} MiB dropped`);
      }
    }));
});

describe("a shutdown lifts the faults:", () => {
  const request = pattern(300);
  for (const kind of KINDS) {
    for (const faults of HOLDING) {
      it(`${kind}, ${Deno.inspect(faults)}: a client that has closed is not waited for`, () =>
        within(30_000, async () => {
          const session = start(kind, { faults, grace: 5_000 });
          const conn = await session.connect();
          await write(conn, request);
          const { server } = session;
          await eventually("read", () => server.stats().bytesRead === 300);
          conn.close();
          const before = performance.now();
          await session[Symbol.asyncDispose]();
          const took = performance.now() - before;
          assert(took < 1_200, `disposed after ${took} ms`);
        }));

      it(`${kind}, ${Deno.inspect(faults)}: a client that waits loses nothing`, () =>
        within(30_000, async () => {
          const session = start(kind, { faults, grace: 10_000 });
          using conn = await session.connect();
          await write(conn, request);
          const { server } = session;
          await eventually(
            "held",
            () => (server.stats().upstream ?? server.stats()).bytesRead === 300,
          );
          const disposing = session[Symbol.asyncDispose]();
          const seen = await see(conn);
          conn.close();
          await disposing;
          assertEquals([seen.bytes, seen.end], [request, "eof"]);
          assertEquals(session.closed[0]!.reason, "shutdown");
        }));
    }

    for (const act of ["shutdown", "abort"] as const) {
      it(`${kind}: ${act} in onOpen ends all that were accepted with it`, () =>
        within(60_000, async () => {
          const controller = new AbortController();
          let opened = 0;
          await using session = start(kind, {
            grace: 500,
            signal: controller.signal,
            onOpen() {
              if (++opened > 1) return;
              if (act === "abort") controller.abort();
              else void session.server.shutdown();
            },
          });
          const clients = await Promise.all(
            Array.from({ length: 20 }, () => session.connect()),
          );
          const totals = await session.server.finished;
          assertEquals(totals.open, 0);
          assertEquals(session.closed.length, totals.accepted);
          for (const client of clients) {
            await write(client, utf8("x")).catch(() => {});
            const echoed = await read(client, 1).catch(() => utf8(""));
            assertEquals(echoed, utf8(""));
            client.close();
          }
        }));
    }
  }
});

describe("a client that only reads gets a reset", () => {
  const faults: Faults[] = [{ reset: 10 }, { resetAfter: 50 }];
  for (const kind of KINDS) {
    for (const later of [false, true]) {
      for (const fault of faults) {
        const when = later ? "later" : "at the start";
        it(`from ${Deno.inspect(fault)} ${when}: ${kind}`, () =>
          within(30_000, async () => {
            await using session = start(kind, { faults: later ? {} : fault });
            using conn = await session.connect();
            if (later) session.server.setFaults(fault);
            await write(conn, pattern(100)).catch(() => {});
            assertEquals((await see(conn)).end, "reset");
            await eventually("closed", () => session.closed.length === 1);
            assertEquals(session.closed[0]!.reason, "reset");
          }));
      }
    }
  }

  for (
    const [upload, latency] of [
      [0, undefined],
      [0, 150],
      // A server that answers early, and does not read the rest of a request.
      [200_000, undefined],
      [200_000, 150],
    ] as const
  ) {
    it(`when the upstream resets, after its reply, ${upload} bytes sent, with latency ${latency}`, () =>
      within(30_000, async () => {
        await using upstream = await resettable();
        await using session = start("proxy", { upstream, faults: { latency } });
        using conn = await session.connect();
        const sending = write(conn, pattern(upload)).catch(() => {});
        const seeing = see(conn);
        const peer = await upstream.accepted;
        peer.write(pattern(1_000));
        const { server } = session;
        await eventually(
          "the reply is read",
          () => server.stats().upstream?.bytesRead === 1_000,
        );
        peer.reset();
        const { bytes, end } = await seeing;
        await sending;
        assertEquals(bytes, pattern(1_000));
        assertEquals(end, "reset");
        await eventually("closed", () => session.closed.length === 1);
        const [{ reason, error }] = session.closed as [ClosedConnection];
        assertEquals(reason, "reset");
        assert(/upstream/.test((error as Error).message), `${error}`);
      }));
  }
});

describe("an upstream that ends TLS without close_notify", () => {
  for (const latency of [undefined, 100]) {
    it(`loses no byte, and is a normal end, with latency ${latency}`, () =>
      within(30_000, async () => {
        await using behind = start("echo", { cert, key });
        const cut = Promise.withResolvers<void>();
        // Passes on what TLS sends, but not the end of it.
        await using relay = peer(async (conn) => {
          using tls = await behind.connect();
          void copy(conn, tls);
          await Promise.race([copy(tls, conn), cut.promise]);
        });
        await using session = start("proxy", {
          upstream: {
            port: relay.port,
            hostname: "localhost",
            tls: true,
            caCerts: [ca],
          },
          faults: { latency },
        });
        const { server, closed } = session;
        using conn = await session.connect();
        await write(conn, pattern(3_019));
        const seeing = see(conn);
        await eventually(
          "the reply",
          () => server.stats().upstream?.bytesRead === 3_019,
        );
        cut.resolve();
        const { bytes, end } = await seeing;
        assertEquals([bytes, end], [pattern(3_019), "eof"]);
        conn.close();
        await eventually("closed", () => closed.length === 1);
        assertEquals(closed[0]!.reason, "closed");
      }));
  }
});

/** Copies to the end of input, or to the first error. */
async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  await from.readable.pipeTo(to.writable, { preventClose: true })
    .catch(() => {});
}

describe("the counters of a connection", () => {
  for (const kind of KINDS) {
    for (const faults of [undefined, { jitter: 1, reset: 1 }]) {
      it(`are never negative: ${kind}, ${Deno.inspect(faults)}`, () =>
        within(60_000, async () => {
          await using session = start(kind, { faults });
          for (let i = 0; i < 100; i++) {
            using conn = await session.connect();
            await write(conn, pattern(4_000)).catch(() => {});
            await conn.closeWrite().catch(() => {});
            await read(conn).catch(() => {});
          }
          const { closed, server } = session;
          await eventually("all closed", () => server.stats().open === 0);
          const wrong = closed.filter(({ bytesRead, bytesWritten }) =>
            bytesWritten < 0 || bytesWritten > bytesRead
          );
          assertEquals(wrong.map(({ bytesWritten }) => bytesWritten), []);
          assert(server.stats().bytesWritten >= 0);
        }));
    }
  }
});

describe("a connection that the client and the upstream have ended", () => {
  it("is not aborted, although a part of an upload was not taken", () =>
    within(30_000, async () => {
      await using session = start("proxy", {}, async (conn) => {
        await read(conn, 10);
        await write(conn, utf8("enough"));
      });
      using conn = await session.connect();
      const sending = write(conn, pattern(4 << 20)).catch(() => {});
      assertEquals(await read(conn, 6), utf8("enough"));
      await sending;
      conn.close();
      await eventually("closed", () => session.closed.length === 1);
      assert(session.closed[0]!.reason !== "aborted", "without a shutdown");
    }));
});
