import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConnectError, type Connection, exchange, serve } from "../lib/echo.ts";
import { load } from "../lib/load.ts";
import { mayRun, output } from "./support/processes.ts";
import { discard, pattern, read, until, utf8, write } from "./support/peers.ts";
import { KINDS, see, type Session, start, within } from "./support/sessions.ts";

/** One exchange with a session. */
const echoed = async ({ port }: Session, message: string) =>
  new TextDecoder().decode(await exchange(message, { port, timeout: 60_000 }));

for (const kind of KINDS) {
  describe(`a server: ${kind}`, () => {
    it("sends to each of 500 simultaneous clients its own bytes", async () => {
      await using session = start(kind);
      const messages = Array.from({ length: 500 }, (_, i) => `client ${i}`);
      assertEquals(
        await Promise.all(messages.map((text) => echoed(session, text))),
        messages,
      );
    });

    it("serves each of 300 busy clients as often as the others", async () => {
      await using session = start(kind);
      const { fairness, errors } = await load({
        port: session.port,
        connections: 300,
        duration: 1_500,
        warmup: 500,
        timeout: 60_000,
      });
      assertEquals(errors, {});
      assert(fairness! > 0.9, `${fairness}`);
    });

    it("sends everything that was sent before a half-close, then closes", async () => {
      await using session = start(kind);
      using conn = await session.connect();
      const sending = write(conn, pattern(300_000))
        .then(() => conn.closeWrite());
      const { bytes, end } = await see(conn);
      await sending;
      assertEquals([bytes, end], [pattern(300_000), "eof"]);
      conn.close();
      await until(() => session.closed.length === 1);
      const [one] = session.closed;
      assertEquals([one!.reason, one!.error], ["closed", undefined]);
      assertEquals([one!.bytesRead, one!.bytesWritten], [300_000, 300_000]);
      const both = { bytesRead: 300_000, bytesWritten: 300_000 };
      assertEquals(one!.upstream, kind === "proxy" ? both : undefined);
    });

    it("sends single bytes", async () => {
      await using session = start(kind);
      using conn = await session.connect();
      conn.setNoDelay();
      for (const byte of utf8("one by one")) {
        await write(conn, Uint8Array.of(byte));
        assertEquals(await read(conn, 1), Uint8Array.of(byte));
      }
    });

    it("serves one client while another never reads", () =>
      within(60_000, async () => {
        await using session = start(kind);
        const { server } = session;
        using unread = await session.connect();
        const flooding = write(unread, pattern(64 << 20)).catch(() => {});
        await until(() => server.stats().bytesRead > 1 << 20);
        for (let i = 0; i < 300; i++) {
          assertEquals(await echoed(session, "alive"), "alive");
        }
        // The buffers of the kernel, and one chunk.
        assert(server.stats().bytesRead < 48 << 20);
        await server.shutdown();
        await flooding;
      }));

    it("has the address, the callbacks and the totals of Deno.serve", async () => {
      let listened: Deno.Addr | undefined;
      const opened: Connection[] = [];
      const session = start(kind, {
        onListen: (addr) => listened = addr,
        onOpen: (one) => opened.push(one),
      });
      const { server, closed } = session;
      assertStrictEquals(listened, server.addr);
      assertEquals(server.addr.hostname, "127.0.0.1");
      assert(server.addr.port > 0);
      assertEquals(await echoed(session, "12345"), "12345");
      await until(() => closed.length === 1);
      const { shutdown } = server;
      const totals = shutdown();
      assertStrictEquals(await totals, await server.finished);
      assertStrictEquals(await totals, await server.shutdown());
      const { accepted, peak, open, bytesRead, bytesWritten } = await totals;
      assertEquals([accepted, peak, open], [1, 1, 0]);
      assertEquals([bytesRead, bytesWritten], [5, 5]);
      assertEquals("faults" in await totals, false);
      assertEquals([opened[0]!.id, closed[0]!.id], [1, 1]);
      assertEquals(opened[0]!.remoteAddr.transport, "tcp");
      assert(closed[0]!.duration >= 0);
      await assertRejects(() => echoed(session, "x"), ConnectError);
      await session[Symbol.asyncDispose]();
    });

    it("is closed at once by a signal, aborted before or after the start", async () => {
      await using early = start(kind, { signal: AbortSignal.abort() });
      await early.server.finished;
      const controller = new AbortController();
      const { signal } = controller;
      await using session = start(kind, { signal, grace: 60_000 }, discard);
      using conn = await session.connect();
      await until(() => session.server.stats().open === 1);
      controller.abort();
      await session.server.finished;
      assertEquals((await see(conn)).bytes.length, 0);
      assertEquals(session.closed.map(({ reason }) => reason), ["aborted"]);
    });

    for (const act of ["down", "shutdown", "abort"] as const) {
      it(`may be ended by its callbacks: ${act} in onOpen`, async () => {
        const controller = new AbortController();
        await using session = start(kind, {
          signal: controller.signal,
          grace: 5_000,
          onOpen() {
            const { server } = session;
            if (act === "down") server.setFaults({ down: true });
            else if (act === "shutdown") void server.shutdown();
            else controller.abort();
          },
        });
        using conn = await session.connect();
        assertEquals((await see(conn)).bytes.length, 0);
        await until(() => session.closed.length === 1);
        assertEquals(
          session.closed[0]!.reason,
          { down: "fault", shutdown: "shutdown", abort: "aborted" }[act],
        );
        session.server.setFaults({ latency: 1 });
        session.server.injectFaults({ down: true })[Symbol.dispose]();
      });
    }

    it("keeps the process alive as ref and unref say", {
      ignore: !mayRun,
    }, async () => {
      const lib = new URL("../lib/", import.meta.url);
      const code = `
        import { serve } from "${lib}echo.ts";
        import { proxy } from "${lib}proxy.ts";
        const upstream = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        const server = "${kind}" === "echo"
          ? serve({ port: 0 })
          : proxy({ port: 0, upstream: { port: upstream.addr.port } });
        const client = await Deno.connect({ port: server.addr.port });
        await client.write(new Uint8Array(1));
        if ("${kind}" === "echo") await client.read(new Uint8Array(1));
        else {
          const accepted = await upstream.accept();
          await accepted.read(new Uint8Array(1));
          accepted.unref();
        }
        upstream.unref(); client.unref();
        server.unref(); server.ref(); server.unref();
        console.log("done");
      `;
      const args = ["eval", "--no-lock", code];
      const { status, stdout, stderr } = await within(30_000, output(args));
      assertEquals([status, stdout, stderr], [0, "done\n", ""]);
    });
  });
}

describe("serve rejects", () => {
  it("an address in use, and names it", async () => {
    await using server = serve({ port: 0 });
    const { port } = server.addr;
    assertThrows(
      () => serve({ port }),
      Deno.errors.AddrInUse,
      `Cannot listen on 127.0.0.1:${port}: address already in use`,
    );
  });

  for (
    const options of [
      ...[65_536, -1, 1.5].map((port) => ({ port })),
      ...[0, NaN, 1.5, -1].map((maxConnections) => ({ maxConnections })),
      ...[0, -1].map((idleTimeout) => ({ idleTimeout })),
      ...[-1, NaN].map((grace) => ({ grace })),
    ]
  ) {
    it(`options out of range: ${Deno.inspect(options)}`, () => {
      assertThrows(() => serve({ port: 0, ...options }), Error, "Cannot ");
    });
  }
});
