import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type ClosedConnection, exchange, serve } from "../../lib/echo.ts";
import { type DirectedFaults, type Faults, proxy } from "../../lib/proxy.ts";
import {
  discard,
  echo,
  pattern,
  peer,
  portOf,
  read,
  until,
  utf8,
  write,
} from "../support/peers.ts";

const SIZE = 1_000;

/** What one side has received, and how its connection ended. */
interface Seen {
  bytes: Uint8Array;
  end: "eof" | "reset";
  /** Milliseconds until the last byte. */
  took: number;
}

/** Reads to the end of a connection. */
async function see(conn: Deno.Conn, from = performance.now()): Promise<Seen> {
  const chunks: Uint8Array[] = [];
  let took = 0;
  let end: Seen["end"] = "eof";
  const buffer = new Uint8Array(65_536);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      chunks.push(buffer.slice(0, n));
      took = performance.now() - from;
    }
  } catch {
    end = "reset";
  }
  const bytes = await new Blob(chunks as BlobPart[]).arrayBuffer();
  return { bytes: new Uint8Array(bytes), end, took };
}

/**
 * Both sides send bytes and half-close, through a proxy. Resolves with what each
 * has received, when both connections have ended.
 */
async function transfer(faults: Faults | DirectedFaults | undefined) {
  const seen = Promise.withResolvers<Seen>();
  const send = (conn: Deno.Conn) =>
    write(conn, pattern(SIZE)).then(() => conn.closeWrite()).catch(() => {});
  let accepted = false;
  await using upstream = peer(async (conn) => {
    accepted = true;
    const sending = send(conn);
    seen.resolve(await see(conn));
    await sending;
  });
  const closed: ClosedConnection[] = [];
  await using server = proxy({
    port: 0,
    grace: 0,
    upstream,
    faults,
    onClose: (one) => closed.push(one),
  });
  using conn = await Deno.connect({ port: portOf(server) });
  const sending = send(conn);
  const client = await see(conn);
  await sending;
  conn.close();
  await until(() => closed.length === 1);
  // A fault may end the connection before there is one to the upstream.
  if (!accepted) {
    seen.resolve({ bytes: new Uint8Array(), end: "eof", took: 0 });
  }
  return { client, upstream: await seen.promise, closed: closed[0]! };
}

/** What a side sees of bytes that pass a fault. */
interface Effect {
  faults: Faults;
  /** The bytes that it receives. All by default. */
  length?: number;
  /** The least milliseconds until the last byte. */
  took?: number;
  changed?: boolean;
  /** Whether the fault ends the connection, so that the other side may lose bytes. */
  ends?: ClosedConnection["reason"];
}

const table: Effect[] = [
  { faults: { latency: 60 }, took: 55 },
  { faults: { latency: 60, jitter: 5, seed: 1 }, took: 50 },
  { faults: { bandwidth: 10_000 }, took: 90 },
  { faults: { slicer: 100 } },
  { faults: { slicer: 100, slicerDelay: 5 }, took: 40 },
  { faults: { corrupt: 0.1, seed: 7 }, changed: true },
  { faults: { limitData: 0 }, length: 0, ends: "fault" },
  { faults: { limitData: 300 }, length: 300, ends: "fault" },
  { faults: { latency: 20, limitData: 300 }, length: 300, ends: "fault" },
  { faults: { reset: 300 }, length: 300, ends: "reset" },
  { faults: { stall: 300, closeAfter: 100 }, length: 300, ends: "fault" },
  { faults: { stall: 300, resetAfter: 100 }, length: 300, ends: "reset" },
  { faults: { stallAfter: 0, closeAfter: 100 }, length: 0, ends: "fault" },
  { faults: { closeAfter: 0 }, length: 0, ends: "fault" },
  { faults: { resetAfter: 0 }, length: 0, ends: "reset" },
  { faults: { closeOnAccept: true }, length: 0, ends: "fault" },
  { faults: { down: true }, length: 0, ends: "fault" },
  { faults: { toxicity: 0, corrupt: 1, limitData: 0, down: true } },
];

/** Asserts what a side has seen of bytes that passed a fault. */
function assertEffect(seen: Seen, effect: Effect, side: string): void {
  const { length = SIZE, took = 0, changed = false } = effect;
  const name = `${side}: ${Deno.inspect(effect.faults)}`;
  assertEquals(seen.bytes.length, length, name);
  assert(seen.took >= took, `${name}: ${seen.took} ms`);
  const same = pattern(length).every((byte, i) => byte === seen.bytes[i]);
  assertEquals(same, !changed, name);
}

describe("through a proxy, each fault in each direction", () => {
  for (const effect of table) {
    const { faults, ends } = effect;
    const plain: Effect = { faults: {} };
    it(`downstream: ${Deno.inspect(faults)}`, async () => {
      const { client, upstream, closed } = await transfer(faults);
      assertEffect(client, effect, "client");
      if (!ends) assertEffect(upstream, plain, "upstream");
      assertEquals(closed.reason, ends ?? "closed");
    });

    it(`upstream: ${Deno.inspect(faults)}`, async () => {
      const { client, upstream, closed } = await transfer({ upstream: faults });
      assertEffect(upstream, effect, "upstream");
      if (!ends) assertEffect(client, plain, "client");
      assertEquals(closed.reason, ends ?? "closed");
    });

    it(`both: ${Deno.inspect(faults)}`, async () => {
      const { client, upstream, closed } = await transfer({
        downstream: faults,
        upstream: faults,
      });
      if (!ends) {
        assertEffect(client, effect, "client");
        assertEffect(upstream, effect, "upstream");
      } else {
        // The first one that ends the connection ends the other side, too.
        const { length = SIZE } = effect;
        assert(client.bytes.length <= length, `${client.bytes.length}`);
        assert(upstream.bytes.length <= length, `${upstream.bytes.length}`);
      }
      assertEquals(closed.reason, ends ?? "closed");
    });
  }

  it("none, which changes nothing", async () => {
    for (const faults of [undefined, {}, { downstream: {}, upstream: {} }]) {
      const { client, upstream, closed } = await transfer(faults);
      assertEffect(client, { faults: {} }, "client");
      assertEffect(upstream, { faults: {} }, "upstream");
      assertEquals([client.end, upstream.end], ["eof", "eof"]);
      assertEquals(closed.reason, "closed");
    }
  });

  it("with a seed, which repeats and differs by direction", async () => {
    const changes = async (faults: DirectedFaults) => {
      const { client, upstream } = await transfer(faults);
      const of = ({ bytes }: Seen) =>
        [...bytes].flatMap((byte, i) =>
          byte === i % 251 ? [] : [`${i}:${byte}`]
        )
          .join();
      return [of(client), of(upstream)];
    };
    const faults = { corrupt: 0.05, seed: 7 };
    const both = { downstream: faults, upstream: faults };
    const [client, upstream] = await changes(both);
    assertEquals(await changes(both), [client, upstream]);
    assert(client !== upstream && client !== "" && upstream !== "");
    assertEquals(await changes({ upstream: faults }), ["", upstream]);
  });
});

describe("a fault that limits what an upstream receives", () => {
  it("destroys nothing of it, although the upstream sends and reads late", async () => {
    const seen = Promise.withResolvers<Seen>();
    const may = Promise.withResolvers<void>();
    await using upstream = peer(async (conn) => {
      const sending = write(conn, pattern(10_000)).catch(() => {});
      await may.promise;
      seen.resolve(await see(conn));
      await sending;
    });
    await using server = proxy({
      port: 0,
      upstream,
      faults: { upstream: { limitData: 300 } },
    });
    using conn = await Deno.connect({ port: portOf(server) });
    await write(conn, pattern(SIZE));
    await until(() => server.stats().faults?.limitData === 1);
    // The client's end of input says that the upstream was sent its own.
    await see(conn);
    may.resolve();
    const { bytes, end } = await seen.promise;
    assertEquals([bytes, end], [pattern(300), "eof"]);
  });
});

/** A server of each kind, that echoes. */
const kinds = {
  serve: () => {
    const server = serve({ port: 0, grace: 0 });
    return Object.assign(server, { stop: () => server.shutdown() });
  },
  proxy: () => {
    const upstream = peer(echo);
    const server = proxy({ port: 0, grace: 0, upstream });
    return Object.assign(server, {
      async stop() {
        await server.shutdown();
        await upstream[Symbol.asyncDispose]();
      },
    });
  },
};

for (const [kind, start] of Object.entries(kinds)) {
  describe(`faults that change while ${kind}() runs`, () => {
    it("apply to the first byte of a connection that is accepted later", async () => {
      const server = start();
      const to = { port: portOf(server) };
      for (let i = 0; i < 50; i++) {
        const limitData = 1 + i % 7;
        // These wait in the kernel's queue when the faults are set.
        const queued = await Promise.all([Deno.connect(to), Deno.connect(to)]);
        server.setFaults({ limitData });
        const later = await Deno.connect(to);
        for (const conn of [...queued, later]) {
          await write(conn, pattern(100));
          assertEquals((await see(conn)).bytes, pattern(limitData));
          conn.close();
        }
        server.setFaults(undefined);
        assertEquals(await exchange("whole", to), utf8("whole"));
      }
      await server.stop();
    });

    it("apply to open connections from their next chunk", async () => {
      const server = start();
      using conn = await Deno.connect({ port: portOf(server) });
      const trip = async () => {
        await write(conn, new Uint8Array(SIZE));
        return (await read(conn, SIZE)).some((byte) => byte !== 0);
      };
      for (let i = 0; i < 10; i++) {
        assertEquals(await trip(), false);
        server.setFaults({ corrupt: 1 });
        assertEquals(await trip(), true);
        server.setFaults(undefined);
      }
      assertEquals(server.stats().faults, { corrupt: 10 * SIZE });
      conn.close();
      await server.stop();
    });

    it("release what they hold back, in order", async () => {
      const server = start();
      using conn = await Deno.connect({ port: portOf(server) });
      const faults: Faults[] = [
        { latency: 60_000 },
        { stall: 10 },
        { latency: 60_000, corrupt: 1 },
        { bandwidth: 1 },
        { latency: 1, stall: 3 },
        { slicer: 1, slicerDelay: 60_000 },
      ];
      const sent = pattern(251 * faults.length);
      let at = 0;
      for (const fault of faults) {
        const before = server.stats().bytesRead;
        server.setFaults(fault);
        await write(conn, sent.subarray(at, at += 251));
        // It has been read, so it is held back.
        await until(() => server.stats().bytesRead === before + 251);
      }
      server.setFaults(undefined);
      assertEquals(await read(conn, sent.length), sent);
      conn.close();
      await server.stop();
    });

    it("make an outage for as long as their scope, and a recovery", async () => {
      const server = start();
      const to = { port: portOf(server) };
      for (let i = 1; i <= 3; i++) {
        using open = await Deno.connect(to);
        await write(open, utf8("up"));
        assertEquals(await read(open, 2), utf8("up"));
        {
          using _ = server.injectFaults({ down: true });
          assertEquals((await see(open)).bytes.length, 0);
          using refused = await Deno.connect(to);
          assertEquals((await see(refused)).bytes.length, 0);
        }
        assertEquals(await exchange("back", to), utf8("back"));
        await until(() => server.stats().open === 0);
        assertEquals(server.stats().faults, { down: 2 * i });
      }
      await server.stop();
    });

    it("keep their counts, of closed connections and of open ones", async () => {
      const server = start();
      const to = { port: portOf(server) };
      assertEquals("faults" in server.stats(), false);
      server.setFaults({ slicer: 1 });
      assertEquals(await exchange("12345", to), utf8("12345"));
      using open = await Deno.connect(to);
      await write(open, utf8("678"));
      assertEquals(await read(open, 3), utf8("678"));
      server.setFaults({ latency: 1 });
      await write(open, utf8("9"));
      assertEquals(await read(open, 1), utf8("9"));
      server.setFaults(undefined);
      assertEquals(server.stats().faults, { slicer: 8, latency: 1 });
      open.close();
      await server.stop();
      assertEquals(server.stats().faults, { slicer: 8, latency: 1 });
    });

    it("change under load, and lose or change nothing that they do not corrupt", async () => {
      const server = start();
      const changes: (Faults | undefined)[] = [
        { latency: 5, jitter: 5 },
        undefined,
        { slicer: 1_000 },
        { latency: 1, stall: 1_000 },
        { bandwidth: 10_000_000 },
        { stall: 0 },
        {},
      ];
      const sent = pattern(251 * 8_000);
      const clients = Array.from({ length: 10 }, async () => {
        using conn = await Deno.connect({ port: portOf(server) });
        const sending = write(conn, sent).then(() => conn.closeWrite());
        const received = await read(conn);
        await sending;
        return received.length === sent.length &&
          received.every((byte, i) => byte === i % 251);
      });
      let done = false;
      const all = Promise.all(clients).finally(() => done = true);
      for (let i = 0; !done; i++) {
        server.setFaults(changes[i % changes.length]);
        await new Promise((resolve) => setTimeout(resolve, i % 3));
      }
      assertEquals(await all, Array(10).fill(true));
      await server.stop();
    });
  });
}

describe("a stalled direction of a proxy", () => {
  it("holds a bounded number of bytes, and the other direction goes on", async () => {
    const flooding = Promise.withResolvers<void>();
    let received = 0;
    await using upstream = peer(async (conn) => {
      const sending = write(conn, new Uint8Array(64 << 20)).catch(() => {});
      const buffer = new Uint8Array(65_536);
      for (let n; (n = await conn.read(buffer)) !== null;) received += n;
      await sending;
      flooding.resolve();
    });
    const server = proxy({
      port: 0,
      grace: 0,
      upstream,
      faults: { stall: 0 },
    });
    using conn = await Deno.connect({ port: portOf(server) });
    let before: number;
    do {
      before = server.stats().upstream?.bytesRead ?? 0;
      for (let i = 0; i < 200; i++) {
        const expected = received + 1;
        await write(conn, utf8("x"));
        await until(() => received >= expected);
      }
    } while (before === 0 || server.stats().upstream!.bytesRead > before);
    assert(before < 3 << 20, `${before}`);
    await server.shutdown();
    await flooding.promise;
  });

  it("is ended by an idle timeout", async () => {
    const closed: ClosedConnection[] = [];
    await using upstream = peer(discard);
    await using server = proxy({
      port: 0,
      upstream,
      idleTimeout: 50,
      faults: { upstream: { stall: 0 }, downstream: { stall: 0 } },
      onClose: (one) => closed.push(one),
    });
    using conn = await Deno.connect({ port: portOf(server) });
    await write(conn, utf8("x"));
    await conn.closeWrite();
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "idle");
  });
});
