import {
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type ClosedConnection,
  ConnectError,
  exchange,
  serve,
} from "../lib/echo.ts";
import { proxy, type ProxyOptions, type ProxyServer } from "../lib/proxy.ts";
import { ca, cert } from "./support/certificates.ts";
import {
  closedPort,
  discard,
  echo,
  pattern,
  peer,
  portOf,
  read,
  until,
  utf8,
  write,
} from "./support/peers.ts";

const to = (server: { addr: Deno.Addr }) => ({ port: portOf(server) });

/** A proxy that records the connections it has closed. */
function recorded(
  upstreamPort: number,
  options: Partial<ProxyOptions> = {},
): { server: ProxyServer; closed: ClosedConnection[] } {
  const closed: ClosedConnection[] = [];
  const server = proxy({
    port: 0,
    upstream: { port: upstreamPort },
    onClose: (one) => closed.push(one),
    ...options,
  });
  return { server, closed };
}

/** Resolves with how a connection ends, and what was received until then. */
async function ending(
  conn: Deno.Conn,
): Promise<{ end: "eof" | "reset"; bytes: number }> {
  const buffer = new Uint8Array(65_536);
  let bytes = 0;
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) bytes += n;
    return { end: "eof", bytes };
  } catch {
    return { end: "reset", bytes };
  }
}

/** Bytes that repeat with their seed, and look random. */
function noise(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(length / 4);
  let x = seed;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return new Uint8Array(words.buffer);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return new Uint8Array(hash).join();
}

it("a proxy's idleTimeout ends it also while it connects", async () => {
  const { server, closed } = recorded(0, {
    idleTimeout: 50,
    upstream: { port: closedPort(), wait: 60_000 },
  });
  await using _server = server;
  using conn = await Deno.connect(to(server));
  assertEquals((await ending(conn)).bytes, 0);
  await until(() => closed.length === 1);
  const [{ reason, error }] = closed as [ClosedConnection];
  assertEquals([reason, error], ["idle", undefined]);
});

describe("proxy refuses by name, before anything is opened:", () => {
  const upstream = { port: 1 };
  for (
    const [options, Class, message] of [
      [{ upstream: { hostname: "a:1" } }, TypeError, 'hostname "a:1"'],
      [{ upstream: { path: "/x", tls: true } }, TypeError, "with tls"],
      [{ upstream: { caCerts: [ca] } }, TypeError, "with caCerts"],
      [{ upstream: { timeout: 0 } }, RangeError, "with timeout 0"],
      [{ upstream: { wait: -1 } }, RangeError, "with wait -1"],
      [{ upstream, maxConnections: 0 }, RangeError, "with maxConnections 0"],
      [{ upstream, idleTimeout: 0 }, RangeError, "with idleTimeout 0"],
      [{ upstream, grace: -1 }, RangeError, "with grace -1"],
      [{ upstream, backlog: 0 }, RangeError, "with backlog 0"],
      [{ upstream, cert }, TypeError, "with cert alone"],
      [{ upstream, faults: { latency: -1 } }, RangeError, "with latency -1"],
      [
        { upstream, faults: { downstream: { slicer: 0 } } },
        RangeError,
        "with slicer 0",
      ],
      [
        { upstream, faults: { upstream: { corrupt: 2 } } },
        RangeError,
        "with corrupt 2",
      ],
      [{ upstream: { port: 65_536 } }, RangeError, "with upstreamPort 65536"],
      [{ upstream: { port: 1.5 } }, RangeError, "with upstreamPort 1.5"],
      [{ upstream, port: 65_536 }, RangeError, "with port 65536"],
    ] as [
      ProxyOptions,
      new (message: string) => Error,
      string,
    ][]
  ) {
    it(Deno.inspect(options).slice(0, 100), () => {
      assertThrows(() => proxy({ port: 0, ...options }), Class, message);
    });
  }

  it("faults that are set later, and keeps those in force", async () => {
    await using upstream = serve({ port: 0 });
    await using server = proxy({
      port: 0,
      upstream: to(upstream),
      faults: { closeOnAccept: true },
    });
    for (const faults of [{ slicer: 0 }, { upstream: { slicer: 0 } }]) {
      assertThrows(() => server.setFaults(faults), RangeError, "slicer");
      assertThrows(() => server.injectFaults(faults), RangeError, "slicer");
    }
    await assertRejects(() => exchange("x", to(server)));
  });
});

describe("an upstream that is unreachable", () => {
  it("closes the client, is reported, and touches nothing else", async () => {
    const port = closedPort();
    const { server, closed } = recorded(port);
    {
      using conn = await Deno.connect(to(server));
      await write(conn, utf8("hello")).catch(() => {});
      assertEquals((await ending(conn)).bytes, 0);
    }
    await until(() => closed.length === 1);
    const { reason, error } = closed[0]!;
    assertEquals(reason, "unreachable");
    assertInstanceOf(error, ConnectError);
    assertEquals(
      (error as Error).message,
      `Cannot connect to 127.0.0.1:${port}: connection refused`,
    );
    assertEquals((await server.shutdown()).open, 0);
  });

  it("leaves the connections alone that are open", async () => {
    const conns: Deno.Conn[] = [];
    const upstream = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { server, closed } = recorded(upstream.addr.port);
    using first = await Deno.connect(to(server));
    const accepted = await upstream.accept();
    conns.push(accepted);
    upstream.close();
    using second = await Deno.connect(to(server));
    assertEquals((await ending(second)).bytes, 0);
    await until(() => closed.length === 1);
    await write(first, utf8("still"));
    assertEquals(await read(accepted, 5), utf8("still"));
    await write(accepted, utf8("here"));
    assertEquals(await read(first, 4), utf8("here"));
    accepted.close();
    first.close();
    await until(() => closed.length === 2);
    await server.shutdown();
    assertEquals(closed.map(({ reason }) => reason), ["unreachable", "closed"]);
  });

  it("is waited for", async () => {
    const port = closedPort();
    const { server } = recorded(port, { upstream: { port, wait: 60_000 } });
    await using _server = server;
    const echoing = exchange("early", { ...to(server), timeout: 60_000 });
    await until(() => server.stats().open === 1);
    await using _upstream = serve({ port });
    assertEquals(await echoing, utf8("early"));
  });

  it("restarts under load, and is used again", async () => {
    const first = serve({ port: 0, grace: 0 });
    const port = portOf(first);
    const { server } = recorded(port, { upstream: { port, wait: 10_000 } });
    await using _server = server;
    let goOn = true, echoes = 0, failed = 0;
    const clients = Array.from({ length: 20 }, async () => {
      while (goOn) {
        await exchange("x".repeat(1_000), { ...to(server), timeout: 60_000 })
          .then(() => echoes++, () => failed++);
      }
    });
    await until(() => echoes > 100);
    await first.shutdown();
    const before = echoes;
    await using _second = serve({ port });
    await until(() => echoes > before + 200);
    goOn = false;
    await Promise.all(clients);
    // Each client loses at most what was under way.
    assertLess(failed, 60);
    await until(() => server.stats().open === 0);
  });
});

describe("a connection through a proxy", () => {
  it("is half-closed in either order, with data after it", async () => {
    await using upstream = peer(async (conn) => {
      assertEquals(await read(conn), utf8("request"));
      await write(conn, pattern(100_000));
    });
    const { server } = recorded(upstream.port);
    await using _server = server;
    using conn = await Deno.connect(to(server));
    await write(conn, utf8("request"));
    await conn.closeWrite();
    assertEquals(await read(conn), pattern(100_000));

    const received = Promise.withResolvers<Uint8Array>();
    await using first = peer(async (conn) => {
      await write(conn, utf8("welcome"));
      await conn.closeWrite();
      received.resolve(await read(conn));
    });
    const other = recorded(first.port);
    await using _other = other.server;
    using talks = await Deno.connect(to(other.server));
    assertEquals(await read(talks), utf8("welcome"));
    await write(talks, pattern(100_000));
    await talks.closeWrite();
    assertEquals(await received.promise, pattern(100_000));
    await until(() => other.closed.length === 1);
    assertEquals(other.closed[0]!.reason, "closed");
  });

  it("carries a whole early reply while the client still sends", async () => {
    const reply = pattern(200_000);
    await using upstream = peer(async (conn) => {
      await conn.read(new Uint8Array(1_000));
      await write(conn, reply);
      await conn.closeWrite();
      // What the client still sends is read, so that nothing is reset.
      await discard(conn);
    });
    const { server } = recorded(upstream.port);
    await using _server = server;
    using conn = await Deno.connect(to(server));
    const sending = write(conn, pattern(3_000_000));
    assertEquals(await sha256(await read(conn)), await sha256(reply));
    await sending;
  });

  it("carries a whole early reply of an upstream that takes no more", async () => {
    // No more than the kernel sends at once: the reset drops the rest.
    const reply = pattern(10_000);
    for (let i = 0; i < 20; i++) {
      await using upstream = peer(async (conn) => {
        await conn.read(new Uint8Array(1_000));
        await write(conn, reply);
      });
      const { server } = recorded(upstream.port);
      await using _server = server;
      using conn = await Deno.connect(to(server));
      let done = false;
      const sending = (async () => {
        while (!done) await write(conn, pattern(10_000));
      })().catch(() => {});
      const received = await read(conn);
      done = true;
      assertEquals(received.length, reply.length);
      await sending;
    }
  });

  it("carries 64 MiB both ways at once, unchanged", async () => {
    const size = 64 << 20;
    const [request, reply] = [noise(size, 1), noise(size, 2)];
    const received = Promise.withResolvers<string>();
    await using upstream = peer(async (conn) => {
      const sending = write(conn, reply).then(() => conn.closeWrite());
      received.resolve(await sha256(await read(conn)));
      await sending;
    });
    const { server, closed } = recorded(upstream.port);
    await using _server = server;
    using conn = await Deno.connect(to(server));
    const sending = write(conn, request).then(() => conn.closeWrite());
    assertEquals(await sha256(await read(conn)), await sha256(reply));
    await sending;
    assertEquals(await received.promise, await sha256(request));
    await until(() => closed.length === 1);
    const { bytesRead, bytesWritten, upstream: other } = closed[0]!;
    assertEquals([bytesRead, bytesWritten], [size, size]);
    assertEquals(other, { bytesRead: size, bytesWritten: size });
  });

  for (const slow of ["client", "upstream"] as const) {
    it(`stops a fast sender if the ${slow} does not read, and no other`, async () => {
      const release = Promise.withResolvers<void>();
      const flood = async (conn: Deno.Conn) => {
        await write(conn, new Uint8Array(64 << 20)).catch(() => {});
      };
      let first = true;
      await using upstream = peer(async (conn) => {
        if (!first) return await echo(conn);
        first = false;
        if (slow === "client") await flood(conn);
        await release.promise;
      });
      const server = proxy({ port: 0, grace: 0, upstream });
      using conn = await Deno.connect(to(server));
      await until(() => !first);
      const sending = slow === "upstream" ? flood(conn) : undefined;
      const count = () => {
        const { bytesRead, upstream } = server.stats();
        return slow === "upstream" ? bytesRead : upstream!.bytesRead;
      };
      // It has stopped when only the others' bytes are counted for a while.
      let before: number;
      do {
        before = count();
        for (let i = 0; i < 300; i++) {
          assertEquals(await exchange("alive", to(server)), utf8("alive"));
        }
      } while (before === 0 || count() > before + 300 * 5);
      // The buffers of the kernel, and one chunk.
      assertLess(count(), 32 << 20);
      await server.shutdown();
      release.resolve();
      conn.close();
      await sending;
    });
  }
});

describe("a graceful shutdown of a proxy", () => {
  it("is quick although a client keeps its connection open", async () => {
    await using upstream = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () => new Response("hello"),
    );
    const { server, closed } = recorded(upstream.addr.port, {
      grace: 60_000,
    });
    using client = Deno.createHttpClient({});
    const url = `http://127.0.0.1:${portOf(server)}/`;
    assertEquals(await (await fetch(url, { client })).text(), "hello");
    assertEquals(server.stats().open, 1);
    const before = performance.now();
    await server.shutdown();
    assertLess(performance.now() - before, 30_000);
    assertEquals(closed.map(({ reason }) => reason), ["shutdown"]);
  });
});
