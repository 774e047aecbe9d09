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
  EchoError,
  exchange,
  HandshakeError,
  serve,
  TimedOutError,
  UnexpectedEofError,
} from "../../lib/echo.ts";
import { load } from "../../lib/load.ts";
import { ping } from "../../lib/ping.ts";
import { pipe } from "../../lib/pipe.ts";
import { tlsClient, tlsServer } from "../../lib/tls/session.ts";
import { ca, cert, key } from "../support/certificates.ts";
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
    using second = await tlsClient(to(server))(
      await Deno.connect({ hostname: "localhost", port: portOf(server) }),
      controller.signal,
    );
    controller.abort();
    for (const each of [conn, second]) {
      await write(each, utf8("x"));
      assertEquals(await read(each, 1), utf8("x"));
    }
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

describe("a TLS session without an end (close_notify)", () => {
  it("counts as closed by the client if everything was echoed", async () => {
    const closed: ClosedConnection[] = [];
    await using server = serve({
      port: 0,
      hostname: "localhost",
      cert,
      key,
      onClose: (c) => closed.push(c),
    });
    using plain = await Deno.connect({
      hostname: "localhost",
      port: portOf(server),
    });
    const startTls = tlsClient(to(server));
    using conn = await startTls(plain, new AbortController().signal);
    await write(conn, utf8("x"));
    assertEquals(await read(conn, 1), utf8("x"));
    plain[Symbol.dispose]();
    await until(() => closed.length === 1);
    assertEquals([closed[0]!.reason, closed[0]!.error], ["closed", undefined]);
  });

  it("is an unexpected end for a client", async () => {
    await using server = peer(async (plain) => {
      using conn = tlsServer({ cert, key })(plain);
      await write(conn, await read(conn, 3));
      plain.close();
    });
    const error = await assertRejects(
      () => exchange("hello", { ...tls, port: server.port }),
      UnexpectedEofError,
    );
    assertEquals([error.received, error.expected], [3, 5]);
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
  const credentials: [string, { cert?: string; key?: string }, string][] = [
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

  it("authorities without TLS", async () => {
    await assertRejects(
      () => connect({ port: 1, caCerts: [ca] }),
      TypeError,
      "Cannot connect to 127.0.0.1:1 with caCerts but without tls",
    );
  });
});
