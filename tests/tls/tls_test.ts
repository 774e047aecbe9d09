import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type ClosedConnection,
  connect,
  type ConnectOptions,
  EchoError,
  exchange,
  HandshakeError,
  listen,
  type ListenOptions,
  serve,
  TimedOutError,
  UnexpectedEofError,
} from "../../lib/echo.ts";
import { load } from "../../lib/load.ts";
import { ping } from "../../lib/ping.ts";
import { pipe } from "../../lib/pipe.ts";
import type { TlsConn } from "../../lib/tls/tls_conn.ts";
import { ca, cert, key, otherCa } from "../support/certificates.ts";
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
import { settle } from "../support/fake_clock.ts";
import { mayRun } from "../support/processes.ts";

const tls = { tls: true, caCerts: [ca] };
const to = (server: { addr: Deno.Addr }) => ({
  ...tls,
  hostname: "localhost",
  port: portOf(server),
});

/** Deno's own TLS client, which shares no code with this one. */
function connectWithDeno(server: { addr: Deno.Addr }): Promise<Deno.TlsConn> {
  return Deno.connectTls({
    port: portOf(server),
    hostname: "localhost",
    caCerts: [ca],
  });
}

/** Milliseconds that are enough on any machine. */
const TIME_LIMIT_MS = 30_000;

/**
 * Resolves with whether the peer closes or resets the connection in time, which
 * ends the pending `operation`.
 */
async function isClosed(
  conn: Deno.Conn,
  operation: Promise<unknown> = read(conn),
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
      conn.close();
    }, TIME_LIMIT_MS);
  });
  const ended = operation.then(() => true, () => true);
  try {
    return await Promise.race([timeout, ended]);
  } finally {
    clearTimeout(timer);
  }
}

// Reading /proc needs all permissions; a child process needs only --allow-run.
const mayCount = Deno.build.os === "linux" && mayRun;

const hasOpenssl = mayRun &&
  await new Deno.Command("openssl", { args: ["version"] }).output()
    .then(({ success }) => success, () => false);

/** The number of open files of this process, including those of `ls`. */
async function openFiles(): Promise<number> {
  const ls = new Deno.Command("ls", { args: [`/proc/${Deno.pid}/fd`] });
  const { stdout } = await ls.output();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}

/** Resolves when at most `count` files are open. */
async function untilOpenFiles(count: number): Promise<void> {
  while (await openFiles() > count);
}

describe("a TLS server closes", () => {
  it("connections that never start the handshake, at the idle timeout", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      hostname: "localhost",
      cert,
      key,
      idleTimeout: 100,
      maxConnections: 2,
      onClose: (c) => closed.push(c),
    });
    const silent = await Promise.all(
      Array.from(
        { length: 6 },
        () => Deno.connect({ hostname: "localhost", port: portOf(server) }),
      ),
    );
    for (const conn of silent) assert(await isClosed(conn));
    for (const conn of silent) conn.close();
    assertEquals(closed.map(({ reason }) => reason), Array(6).fill("idle"));
    await server.shutdown();
  });

  it("a connection that sends its handshake one byte at a time", async () => {
    await using server = serve({ port: 0, cert, key, idleTimeout: 100 });
    using conn = await Deno.connect({ port: portOf(server) });
    const ended = isClosed(conn);
    let over = false;
    void ended.then(() => over = true);
    // The beginning of a record of 512 bytes: a ClientHello, as far as it goes.
    const hello = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);
    for (let i = 0; !over; i++) {
      const byte = hello.subarray(i, i + 1);
      await conn.write(byte.length > 0 ? byte : Uint8Array.of(0)).catch(() => {
        over = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert(await ended);
  });

  it("a connection that never reads, and does not read from it meanwhile", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      cert,
      key,
      idleTimeout: 300,
      onClose: (c) => closed.push(c),
    });
    using stalled = await connectWithDeno(server);
    // More than all buffers hold. It fails when the server closes the connection.
    assert(await isClosed(stalled, write(stalled, pattern(64 << 20))));
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "idle");
    assertLess(closed[0]!.bytesRead, 32 << 20);
    assertLess(closed[0]!.bytesRead - closed[0]!.bytesWritten, 1 << 20);
  });

  it("all stalled connections when it shuts down", async () => {
    const server = serve({ port: 0, cert, key, grace: 100 });
    using silent = await Deno.connect({ port: portOf(server) });
    using stalled = await connectWithDeno(server);
    const flooding = isClosed(stalled, write(stalled, pattern(64 << 20)));
    await until(() => server.stats().bytesRead > 1 << 20);
    await server.shutdown();
    assert(await isClosed(silent));
    assert(await flooding);
  });

  it(
    "the file descriptor of every connection",
    { ignore: !mayCount },
    async () => {
      const before = await openFiles();
      {
        await using server = serve({ port: 0, cert, key, grace: 0 });
        const conns = await Promise.all(
          Array.from(
            { length: 20 },
            () => Deno.connect({ port: portOf(server) }),
          ),
        );
        await until(() => server.stats().open === 20);
        await server.shutdown();
        for (const conn of conns) {
          assert(await isClosed(conn));
          conn.close();
        }
      }
      await untilOpenFiles(before);
    },
  );
});

describe("a TLS client closes a connection whose handshake stalls", () => {
  it("at its timeout, with its file descriptor", async () => {
    const ended: Promise<boolean>[] = [];
    await using server = peer((conn) => {
      const end = isClosed(conn);
      ended.push(end);
      return end.then(() => {});
    });
    const before = mayCount ? await openFiles() : 0;
    const { sent, received } = await ping({
      port: server.port,
      tls: true,
      interval: 1,
      timeout: 200,
      count: 3,
      onProbe: ({ error }) => assertInstanceOf(error, EchoError),
    });
    assertEquals([sent, received], [3, 0]);
    await until(() => ended.length > 0);
    for (const end of ended) assert(await end);
    if (mayCount) await untilOpenFiles(before);
  });

  it("when it is aborted", async () => {
    const controller = new AbortController();
    const ended = Promise.withResolvers<boolean>();
    await using server = peer(async (conn) => {
      await conn.read(new Uint8Array(1));
      controller.abort(new RangeError("enough"));
      ended.resolve(await isClosed(conn));
    });
    await assertRejects(
      () =>
        connect({ port: server.port, tls: true, signal: controller.signal }),
      RangeError,
      "enough",
    );
    assert(await ended.promise);
  });

  it("and not when the signal is aborted after the handshake", async () => {
    await using server = serve({ port: 0, hostname: "localhost", cert, key });
    const controller = new AbortController();
    using conn = await connect({ ...to(server), signal: controller.signal });
    controller.abort();
    await write(conn, utf8("x"));
    assertEquals(await read(conn, 1), utf8("x"));
  });

  it("and in any moment of the handshake, without an uncaught error", async () => {
    await using server = serve({ port: 0, hostname: "localhost", cert, key });
    for (let turns = 0; turns < 30; turns++) {
      const controller = new AbortController();
      const connecting = connect({ ...to(server), signal: controller.signal })
        .then((conn) => conn.close(), () => {});
      await settle(turns);
      controller.abort();
      await connecting;
    }
    await until(() => server.stats().open === 0);
  });

  it("and reports a timeout", async () => {
    await using server = peer(discard);
    await assertRejects(
      () => exchange("x", { port: server.port, tls: true, timeout: 50 }),
      TimedOutError,
      "no answer within 50 ms",
    );
  });
});

describe("a TLS connection transfers", () => {
  it("the handshake that ping times with connect", async () => {
    await using server = serve({ port: 0, cert, key });
    const options = {
      port: portOf(server),
      connect: true,
      interval: 1,
      count: 3,
      timeout: 20_000,
    };
    const { received, latency } = await ping({ ...options, ...tls });
    assertEquals(received, 3);
    assert(latency.min! > 0);
    const errors: unknown[] = [];
    const { sent, loss } = await ping({
      ...options,
      tls: true,
      onProbe: ({ error }) => errors.push(error),
    });
    assertEquals([sent, loss], [3, 1]);
    assert(errors.every((error) => error instanceof HandshakeError));
  });

  it("messages of any size, in order, in both directions at the same time", async () => {
    await using server = serve({ port: 0, hostname: "localhost", cert, key });
    for (const size of [0, 1, 575, 576, 16_384, 16_385, 65_536, 3_000_000]) {
      const message = pattern(size);
      const echo = await exchange(message, to(server));
      assertEquals(echo.length, size);
    }
  });

  it("a stream, with its end in each direction", async () => {
    await using server = serve({ port: 0, hostname: "localhost", cert, key });
    const message = pattern(5_000_000);
    const chunks: Uint8Array[] = [];
    const { sent, received } = await pipe({
      ...to(server),
      input: new Blob([message as Uint8Array<ArrayBuffer>]).stream(),
      output: new WritableStream({ write: (chunk) => void chunks.push(chunk) }),
    });
    assertEquals([sent, received], [message.length, message.length]);
  });

  it("everything to Deno's own client before both directions end", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      hostname: "localhost",
      cert,
      key,
      onClose: (c) => closed.push(c),
    });
    using conn = await connectWithDeno(server);
    const message = pattern(300_000);
    const [, back] = await Promise.all([
      write(conn, message).then(() => conn.closeWrite()),
      read(conn),
    ]);
    assertEquals(back.length, message.length);
    assert(back.every((byte, i) => byte === message[i]));
    await until(() => closed.length === 1);
    const { reason, error } = closed[0]!;
    assertEquals([reason, error], ["closed", undefined]);
  });

  it("the end of the session when the server closes it", async () => {
    const server = serve({ port: 0, hostname: "localhost", cert, key });
    using conn = await connectWithDeno(server);
    await write(conn, utf8("x"));
    assertEquals(await read(conn, 1), utf8("x"));
    const done = server.shutdown();
    // Without it the read would reject: the data might have been cut short.
    assertEquals(await conn.read(new Uint8Array(1)), null);
    await done;
  });

  it("the echo of Deno's own server", async () => {
    using listener = Deno.listenTls({ port: 0, cert, key });
    const serving = (async () => {
      using conn = await listener.accept();
      await echo(conn);
    })();
    const message = pattern(1_000_000);
    const back = await exchange(message, to(listener));
    assertEquals(back.length, message.length);
    await serving;
  });

  it("data through its streams, as every Deno.Conn does", async () => {
    await using server = serve({ port: 0, hostname: "localhost", cert, key });
    using conn = await connect(to(server));
    const text = ReadableStream.from([utf8("over "), utf8("streams")]);
    await text.pipeTo(conn.writable, { preventClose: true });
    await conn.closeWrite();
    assertEquals(await new Response(conn.readable).text(), "over streams");
  });

  it("the messages of 300 clients, and treats all of them alike", async () => {
    await using server = serve({ port: 0, hostname: "localhost", cert, key });
    const { received, starved, fairness, errors } = await load({
      ...to(server),
      connections: 300,
      count: 6_000,
      timeout: TIME_LIMIT_MS,
    });
    assertEquals([received, starved, errors], [6_000, 0, {}]);
    assertGreaterOrEqual(fairness!, 0.9);
  });
});

/** Both ends of a session: the server's, and the client's. */
async function session(
  listening: ListenOptions = {},
  connecting: ConnectOptions = {},
): Promise<[TlsConn, TlsConn]> {
  using listener = listen({
    port: 0,
    hostname: "localhost",
    cert,
    key,
    ...listening,
  });
  const client = connect({ ...to(listener), ...connecting });
  client.catch(() => {});
  const server = await listener.accept() as TlsConn;
  await server.handshake();
  return [server, await client as TlsConn];
}

describe("the end of a TLS session is", () => {
  const ends: [string, (conn: TlsConn) => unknown, string | null][] = [
    [
      "null after closeWrite",
      (conn) => conn.closeWrite().then(() => conn.close()),
      null,
    ],
    ["an unexpected end after close", (conn) => conn.close(), "UnexpectedEof"],
    ["a reset after reset", (conn) => conn.reset(), "ConnectionReset"],
  ];
  for (const [name, end, expected] of ends) {
    for (const from of ["server", "client"]) {
      it(`${name}, of the ${from}, behind all bytes`, async () => {
        const both = await session();
        const [here, there] = from === "server" ? both : both.toReversed();
        await write(here!, pattern(20_000));
        assertEquals((await read(there!, 10_000)).length, 10_000);
        await end(here!);
        if (expected !== "ConnectionReset") {
          assertEquals((await read(there!, 10_000)).length, 10_000);
        }
        const buffer = new Uint8Array(32_768);
        const outcome = async () => {
          while (await there!.read(buffer) !== null);
          return null;
        };
        assertEquals(await outcome().catch(({ name }) => name), expected);
        for (const conn of both) conn[Symbol.dispose]();
      });
    }
  }

  it("closed by the client if everything was echoed", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      hostname: "localhost",
      cert,
      key,
      onClose: (c) => closed.push(c),
    });
    using conn = await connect(to(server));
    await write(conn, utf8("x"));
    assertEquals(await read(conn, 1), utf8("x"));
    conn.close();
    await until(() => closed.length === 1);
    assertEquals([closed[0]!.reason, closed[0]!.error], ["closed", undefined]);
  });

  it("unexpected for a client that waits for more", async () => {
    using listener = listen({ port: 0, cert, key });
    const serving = (async () => {
      using conn = await listener.accept();
      await write(conn, await read(conn, 3));
    })();
    const error = await assertRejects(
      () => exchange("hello", { ...tls, port: portOf(listener) }),
      UnexpectedEofError,
    );
    assertEquals([error.received, error.expected], [3, 5]);
    await serving;
  });
});

describe("the ends of a TLS session agree on", () => {
  const protocols: [
    speaks: string[] | undefined,
    offers: string[] | undefined,
    alpnProtocol: string | null,
  ][] = [
    [["h2", "echo"], ["echo"], "echo"],
    [["h2", "echo"], ["echo", "h2"], "h2"],
    [["echo"], undefined, null],
    [undefined, ["echo"], null],
  ];
  for (const [speaks, offers, alpnProtocol] of protocols) {
    it(`${alpnProtocol} if it speaks ${speaks} and it offers ${offers}`, async () => {
      const both = await session({ alpnProtocols: speaks }, {
        alpnProtocols: offers,
      });
      for (const conn of both) {
        assertEquals((await conn.handshake()).alpnProtocol, alpnProtocol);
        conn.close();
      }
    });
  }

  it("no protocol, and fail, if there is none in common", async () => {
    await using server = serve({
      port: 0,
      hostname: "localhost",
      cert,
      key,
      alpnProtocols: ["h2"],
    });
    await assertRejects(
      () => connect({ ...to(server), alpnProtocols: ["echo"] }),
      HandshakeError,
    );
  });

  it("the server's name, where it is reached by another one", async () => {
    await using server = serve({ port: 0, hostname: "::1", cert, key });
    const there = { ...to(server), hostname: "::1" };
    assertEquals(
      await exchange("x", { ...there, serverName: "localhost" }),
      utf8("x"),
    );
    await assertRejects(
      () => exchange("x", { ...there, serverName: "example.org" }),
      HandshakeError,
      "not for example.org",
    );
  });
});

describe("a server that asks for client certificates", () => {
  it("serves a client with one, and knows its name", async () => {
    const [server, client] = await session({ clientCa: ca }, { cert, key });
    assertEquals((await server.handshake()).peer, "localhost");
    await write(client, utf8("x"));
    assertEquals(await read(server, 1), utf8("x"));
    for (const conn of [server, client]) conn.close();
  });

  const refused: [string, ListenOptions, ConnectOptions, string][] = [
    ["none", { clientCa: ca }, {}, "no certificate"],
    [
      "one of another issuer",
      { clientCa: otherCa },
      { cert, key },
      "not trusted",
    ],
  ];
  for (const [name, listening, connecting, why] of refused) {
    it(`refuses a client with ${name}`, async () => {
      const closed: ClosedConnection[] = [];
      await using server = serve({
        port: 0,
        hostname: "localhost",
        cert,
        key,
        ...listening,
        onClose: (c) => closed.push(c),
      });
      await assertRejects(() =>
        exchange("secret", { ...to(server), ...connecting })
      );
      await until(() => closed.length === 1);
      assertEquals([closed[0]!.reason, closed[0]!.bytesRead], ["handshake", 0]);
      assertStringIncludes(String(closed[0]!.error), why);
    });
  }

  it("resumes no session of a client without a verified certificate", {
    ignore: !hasOpenssl,
  }, async () => {
    await using open = serve({ port: 0, cert, key });
    const closed: ClosedConnection[] = [];
    await using guarded = serve({
      port: 0,
      cert,
      key,
      clientCa: ca,
      onClose: (c) => closed.push(c),
    });
    const folder = await Deno.makeTempDir();
    const file = `${folder}/session`;
    // Both have the same keys for tickets, since they are of one process.
    for (const [server, flag] of [[open, "-sess_out"], [guarded, "-sess_in"]]) {
      const command = `(echo secret; sleep 1) | openssl s_client -connect ` +
        `127.0.0.1:${portOf(server as typeof open)} ${flag} ${file}`;
      await new Deno.Command("sh", { args: ["-c", command] }).output();
    }
    await until(() => closed.length === 1);
    assertEquals([closed[0]!.reason, closed[0]!.bytesRead], ["handshake", 0]);
    await Deno.remove(folder, { recursive: true });
  });
});

describe("a failed handshake reports its reason:", () => {
  const cases: [
    string,
    (conn: Deno.TcpConn) => Promise<void>,
    string,
  ][] = [
    ["an echo server without TLS", echo, "the peer does not speak TLS"],
    [
      "a server that speaks something else",
      async (conn) => {
        await write(conn, utf8("220 mail.example.org ESMTP\r\n"));
        await discard(conn);
      },
      "the peer does not speak TLS",
    ],
    [
      "a server that closes",
      async (conn) => void await conn.read(new Uint8Array(4096)),
      "the peer closed the connection during the TLS handshake",
    ],
  ];
  for (const [name, talk, why] of cases) {
    it(name, async () => {
      await using server = peer(talk);
      const error = await assertRejects(
        () => exchange("x", { port: server.port, tls: true }),
        HandshakeError,
      );
      assertEquals(
        error.message,
        `Cannot speak TLS with 127.0.0.1:${server.port}: ${why}`,
      );
    });
  }

  it("a certificate that is not trusted, at both ends", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      hostname: "localhost",
      cert,
      key,
      onClose: (c) => closed.push(c),
    });
    await assertRejects(
      () => exchange("x", { ...to(server), caCerts: [] }),
      HandshakeError,
      "its certificate is not trusted",
    );
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "handshake");
    assertStringIncludes(String(closed[0]!.error), "UnknownCA");
  });

  it("a certificate for another name or address", async () => {
    await using server = serve({ port: 0, hostname: "::1", cert, key });
    await assertRejects(
      () => exchange("x", { ...to(server), hostname: "::1" }),
      HandshakeError,
      "its certificate is for DNS:localhost, IP Address:127.0.0.1, and not for ::1",
    );
  });

  it("a client that does not speak TLS", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      cert,
      key,
      onClose: (c) => closed.push(c),
    });
    using conn = await Deno.connect({ port: portOf(server) });
    await write(conn, utf8("GET / HTTP/1.1\r\n\r\n"));
    // The client receives an alert, a record of type 21 (RFC 8446, section 6).
    assertEquals((await read(conn))[0], 21);
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "handshake");
    assertStringIncludes(String(closed[0]!.error), "does not speak TLS");
  });
});

describe("wrong TLS options are rejected by name, before anything is opened:", () => {
  const broken = cert.replace("MIIB", "????");
  const credentials: [string, ListenOptions, string][] = [
    [
      "a text without a certificate",
      { cert: "x", key },
      "cert holds no certificate",
    ],
    [
      "a key instead of a certificate",
      { cert: key, key },
      "cert holds no certificate",
    ],
    [
      "a certificate that cannot be decoded",
      { cert: broken, key },
      "cannot be decoded",
    ],
    ["a text without a key", { cert, key: "y" }, "key holds no private key"],
    [
      "the key of another certificate",
      { cert: ca, key },
      "key is not the private key of cert",
    ],
    [
      "a clientCa without a certificate",
      { cert, key, clientCa: key },
      "clientCa holds no certificate",
    ],
    [
      "a clientCa that cannot be decoded",
      { cert, key, clientCa: ca.replace("MIIB", "????") },
      "clientCa holds a certificate that cannot be decoded",
    ],
    ["clientCa alone", { clientCa: ca }, "with clientCa but without cert"],
    [
      "an empty protocol",
      { cert, key, alpnProtocols: ["h2", ""] },
      "expected names of 1 to 255 bytes",
    ],
    ["cert alone", { cert }, "with cert alone: TLS needs key"],
    ["key alone", { key }, "with key alone: TLS needs cert"],
  ];
  for (const [name, options, why] of credentials) {
    it(name, () => {
      const error = assertThrows(() => serve({ port: 0, ...options }), Error);
      assertStringIncludes(error.message, "Cannot listen on 127.0.0.1:0");
      assertStringIncludes(error.message, why);
    });
  }

  it("TLS on a Unix socket", async () => {
    assertThrows(
      () => serve({ path: "/tmp/none", cert, key }),
      TypeError,
      "Cannot listen on /tmp/none with cert and key: TLS is for TCP",
    );
    await assertRejects(
      () => connect({ path: "/tmp/none", tls: true }),
      TypeError,
      "Cannot connect to /tmp/none with tls: TLS is for TCP",
    );
  });

  for (
    const [name, caCerts, why] of [
      [
        "an authority without a certificate",
        [ca, "none"],
        "caCerts[1] holds no",
      ],
      [
        "the key of an authority",
        [key],
        "caCerts[0] holds no certificate (PEM)",
      ],
      [
        "an authority that cannot be decoded",
        [ca.replace("MIIB", "????")],
        "caCerts[0] holds a certificate that cannot be decoded",
      ],
    ] as const
  ) {
    it(name, async () => {
      await assertRejects(
        () => connect({ port: 1, tls: true, caCerts: [...caCerts] }),
        TypeError,
        why,
      );
    });
  }

  for (
    const [name, options, why] of [
      ["authorities", { caCerts: [ca] }, "caCerts but without tls"],
      ["a server name", { serverName: "x" }, "serverName but without tls"],
      ["a certificate", { cert, key }, "cert but without tls"],
      ["a key alone", { tls: true, key }, "key alone: TLS needs cert"],
      ["protocols", { alpnProtocols: ["x"] }, "alpnProtocols but without tls"],
    ] as const
  ) {
    it(`${name} of a client`, async () => {
      await assertRejects(
        () => connect({ port: 1, ...options } as ConnectOptions),
        TypeError,
        `Cannot connect to 127.0.0.1:1 with ${why}`,
      );
    });
  }
});
