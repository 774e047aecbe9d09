import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { setImmediate } from "node:timers";
import { connect, listen } from "../../lib/echo.ts";
import type { SocketConn } from "../../lib/net/socket_conn.ts";
import { ca, cert, key } from "../support/certificates.ts";
import { pattern, portOf, read, utf8, write } from "../support/peers.ts";

// Errors of sockets that nothing listens for, which would end the process.
const uncaught: unknown[] = [];
const onError = (event: ErrorEvent) => {
  event.preventDefault();
  uncaught.push(event.error);
};

beforeEach(() => addEventListener("error", onError));
afterEach(() => {
  removeEventListener("error", onError);
  assertEquals(uncaught.splice(0), []);
});

/** Both ends of a connection. */
class Pair implements Disposable {
  constructor(readonly here: SocketConn, readonly there: SocketConn) {}

  [Symbol.dispose](): void {
    this.here[Symbol.dispose]();
    this.there[Symbol.dispose]();
  }
}

async function pair(tls: boolean): Promise<Pair> {
  using listener = listen({ port: 0, ...(tls ? { cert, key } : {}) }, {
    resettable: true,
  });
  const connecting = connect({
    port: portOf(listener),
    ...(tls ? { tls, caCerts: [ca] } : {}),
  }, { resettable: true });
  const here = await listener.accept();
  return new Pair(here as SocketConn, await connecting as SocketConn);
}

/** One byte each way: whatever a handshake leaves to do is done. */
async function settled(tls: boolean): Promise<Pair> {
  const both = await pair(tls);
  for (const [from, to] of [[both.here, both.there], [both.there, both.here]]) {
    await write(from!, utf8("x"));
    assertEquals(await read(to!, 1), utf8("x"));
  }
  return both;
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Writes until the peer's buffers are full, and returns the number of bytes. */
async function fill(conn: Deno.Conn): Promise<number> {
  const chunk = new Uint8Array(65_536);
  let sent = 0;
  let before = -1;
  void (async () => {
    for (;;) sent += await conn.write(chunk);
  })().catch(() => {});
  while (sent !== before) {
    before = sent;
    for (let i = 0; i < 200; i++) await turn();
  }
  return sent;
}

for (const tls of [false, true]) {
  describe(`a ${tls ? "TLS" : "plain"} connection that can be reset`, () => {
    it("has the addresses of both ends", async () => {
      using both = await pair(tls);
      assertEquals(both.here.localAddr, both.there.remoteAddr);
      assertEquals(both.here.remoteAddr, both.there.localAddr);
      assertEquals(both.here.localAddr.transport, "tcp");
    });

    it("reads into buffers of any size, in order", async () => {
      using both = await settled(tls);
      const sent = pattern(200_000);
      const writing = write(both.there, sent);
      const sizes = [1, 7, 1_000, 65_536, 300_000];
      const parts: Uint8Array[] = [];
      let received = 0;
      assertEquals(await both.here.read(new Uint8Array(0)), 0);
      for (let i = 0; received < sent.length; i++) {
        const buffer = new Uint8Array(sizes[i % sizes.length]!);
        const count = await both.here.read(buffer);
        assert(count !== null && count > 0);
        parts.push(buffer.subarray(0, count));
        received += count;
      }
      await writing;
      const all = new Uint8Array(
        await new Blob(parts as BlobPart[]).arrayBuffer(),
      );
      assertEquals(all, sent);
    });

    it("sends writes that were not awaited in order", async () => {
      using both = await settled(tls);
      const counts = [1, 2, 3].map((byte) =>
        both.here.write(new Uint8Array(50_000).fill(byte))
      );
      const received = await read(both.there, 150_000);
      assertEquals(await Promise.all(counts), [50_000, 50_000, 50_000]);
      for (const [i, byte] of received.entries()) {
        if (byte !== 1 + Math.floor(i / 50_000)) {
          throw new Error(`byte ${i} is ${byte}`);
        }
      }
    });

    it("may reuse the buffer of a write that has resolved", async () => {
      using both = await settled(tls);
      const buffer = new Uint8Array(65_536);
      const writing = (async () => {
        for (let round = 0; round < 100; round++) {
          buffer.fill(round);
          await write(both.here, buffer);
        }
      })();
      for (let round = 0; round < 100; round++) {
        const chunk = await read(both.there, buffer.length);
        assert(chunk.every((byte) => byte === round), `round ${round}`);
      }
      await writing;
    });

    it("holds no more than the kernel's buffers for a peer that does not read", async () => {
      using both = await settled(tls);
      const memory = Deno.memoryUsage().rss;
      const sent = await fill(both.there);
      assertLess(sent, 16 << 20);
      assertLess(Deno.memoryUsage().rss - memory, 16 << 20);
      // All of it is still there.
      assertEquals((await read(both.here, sent)).length, sent);
    });

    it("ends each direction by itself", async () => {
      using both = await settled(tls);
      await write(both.there, utf8("request"));
      await both.there.closeWrite();
      await both.there.closeWrite();
      assertEquals(await read(both.here), utf8("request"));
      assertEquals(await both.here.read(new Uint8Array(1)), null);
      await assertRejects(
        () => both.there.write(utf8("x")),
        Deno.errors.BrokenPipe,
      );
      await write(both.here, pattern(100_000));
      await both.here.closeWrite();
      assertEquals(await read(both.there), pattern(100_000));
    });

    it("resets: a peer that only reads gets what was sent, and the reset", async () => {
      using both = await settled(tls);
      await write(both.here, utf8("last words"));
      // They are received before the reset, which would destroy them.
      assertEquals(await read(both.there, 4), utf8("last"));
      both.here.reset();
      assertEquals(await read(both.there, 6), utf8(" words"));
      for (let again = 0; again < 2; again++) {
        await assertRejects(
          () => both.there.read(new Uint8Array(1)),
          Deno.errors.ConnectionReset,
        );
      }
      await assertRejects(() => both.there.write(utf8("x")));
    });

    it("reports a reset even if a write has taken the socket's error", async () => {
      using both = await settled(tls);
      both.here.reset();
      while (await both.there.write(utf8("x")).catch(() => 0)) await turn();
      await assertRejects(
        () => both.there.read(new Uint8Array(1)),
        Deno.errors.ConnectionReset,
      );
    });

    it("reads what was sent before a write failed", async () => {
      using both = await settled(tls);
      await write(both.here, utf8("413 Content Too Large"));
      // Unread input makes the close a reset.
      await write(both.there, pattern(1_000));
      await turn();
      both.here.close();
      while (await both.there.write(utf8("x")).catch(() => 0)) await turn();
      assertEquals(await read(both.there, 21), utf8("413 Content Too Large"));
    });

    for (const how of ["close", "reset"] as const) {
      it(`${how} ends pending operations, here and there`, async () => {
        using both = await settled(tls);
        const reading = assertRejects(
          () => both.here.read(new Uint8Array(1)),
          Deno.errors.Interrupted,
        );
        await fill(both.here);
        const writing = assertRejects(
          () => both.here.write(pattern(10)),
          Deno.errors.Interrupted,
        );
        both.here[how]();
        await Promise.all([reading, writing]);
        await assertRejects(() => both.here.read(new Uint8Array(1)));
        await assertRejects(() => both.here.closeWrite());
        assertThrows(() => both.here.close(), Deno.errors.BadResource);
        both.here.reset();
        both.here[Symbol.dispose]();
        // The peer notices, though its input was never read to the end.
        const buffer = new Uint8Array(1 << 20);
        const error = await (async () => {
          while (await both.there.read(buffer) !== null);
        })().catch((error) => error);
        if (tls || how === "reset") assertInstanceOf(error, Error);
      });
    }

    it("has streams, as every Deno.Conn", async () => {
      using both = await settled(tls);
      const text = ReadableStream.from([utf8("over "), utf8("streams")]);
      await text.pipeTo(both.here.writable, { preventClose: true });
      await both.here.closeWrite();
      assertEquals(
        await new Response(both.there.readable).text(),
        "over streams",
      );
    });

    it("rejects a second pending read", async () => {
      using both = await settled(tls);
      const first = both.here.read(new Uint8Array(1));
      await assertRejects(
        () => both.here.read(new Uint8Array(1)),
        Deno.errors.Busy,
      );
      await write(both.there, utf8("x"));
      assertEquals(await first, 1);
    });

    it("survives a peer that resets at any moment", async () => {
      for (let turns = 0; turns < 12; turns++) {
        using listener = listen({ port: 0, ...(tls ? { cert, key } : {}) }, {
          resettable: true,
        });
        const accepting = listener.accept().catch(() => undefined);
        const abort = new AbortController();
        const peer = connect({
          port: portOf(listener),
          signal: abort.signal,
          ...(tls ? { tls, caCerts: [ca] } : {}),
        }, { resettable: true });
        void peer.then((conn) => (conn as SocketConn).reset(), () => {});
        for (let i = 0; i < turns; i++) await turn();
        abort.abort();
        await peer.catch(() => {});
        for (let i = 0; i < 20; i++) await turn();
        listener[Symbol.dispose]();
        const conn = await accepting;
        if (!conn) continue;
        await write(conn, pattern(100_000)).catch(() => {});
        await read(conn).catch(() => {});
        conn[Symbol.dispose]();
      }
    });
  });
}
