import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  ConnectError,
  ConnectionRefusedError,
  exchange,
  MismatchError,
  serve,
  TimedOutError,
  UnexpectedEofError,
} from "../lib/echo.ts";
import {
  closedPort,
  discard,
  echo,
  pattern,
  peer,
  portOf,
  read,
  utf8,
  write,
} from "./support/peers.ts";

describe("exchange returns what it sent", () => {
  const messages: [string, Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["1 byte", Uint8Array.of(0)],
    ["1024 bytes", pattern(1024)],
    ["1025 bytes", pattern(1025)],
    ["all 256 byte values", Uint8Array.from({ length: 256 }, (_, i) => i)],
    ["64 MiB", pattern(64 << 20)],
  ];
  for (const [name, message] of messages) {
    it(name, async () => {
      await using server = serve({ port: 0 });
      const bytes = await exchange(message, { port: portOf(server) });
      assertEquals(bytes.length, message.length);
      // assertEquals of long arrays takes seconds; a digest tells the same.
      const [got, sent] = await Promise.all(
        [bytes, message].map((b) =>
          crypto.subtle.digest("SHA-256", b as BufferSource)
        ),
      );
      assertEquals(got, sent);
      await server.shutdown();
      assertEquals(server.stats().bytesWritten, message.length);
    });
  }

  it("text as UTF-8, a character split between reads included", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 8);
      for (const byte of bytes) await write(conn, Uint8Array.of(byte));
    });
    const bytes = await exchange("👋🌍", { port: server.port });
    assertEquals(new TextDecoder().decode(bytes), "👋🌍");
  });

  it("to an IPv6 address", async () => {
    await using server = serve({ port: 0, hostname: "::1" });
    const options = { hostname: "::1", port: portOf(server) };
    assertEquals(await exchange("six", options), utf8("six"));
  });

  it("while the server waits with its answer until all was sent", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 5_000_000));
    });
    const message = pattern(5_000_000);
    const bytes = await exchange(message, { port: server.port });
    assertEquals(bytes.length, message.length);
  });
});

describe("exchange tells its failures apart", () => {
  it("nothing listens", async () => {
    const port = closedPort();
    const error = await assertRejects(
      () => exchange("x", { port }),
      ConnectionRefusedError,
    );
    assertInstanceOf(error, ConnectError);
    assertEquals(
      error.message,
      `Cannot connect to 127.0.0.1:${port}: connection refused`,
    );
  });

  it("the server never answers", async () => {
    await using server = peer(discard);
    await assertRejects(
      () => exchange("hello", { port: server.port, timeout: 300 }),
      TimedOutError,
      "0 of 5 bytes within 300 ms",
    );
  });

  it("the server answers half and stops", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 3));
      await discard(conn);
    });
    await assertRejects(
      () => exchange("hello", { port: server.port, timeout: 300 }),
      TimedOutError,
      "3 of 5 bytes within 300 ms",
    );
  });

  it("the server closes after 1024 bytes, as a recv(1024) does", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 1024));
    });
    const error = await assertRejects(
      () => exchange(pattern(1_000_000), { port: server.port }),
      UnexpectedEofError,
      "after 1024 of 1000000 bytes",
    );
    assertEquals([error.received, error.expected], [1024, 1_000_000]);
  });

  it("a byte differs, and which", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 2000);
      bytes[1500]! ^= 0xff;
      await write(conn, bytes);
    });
    const message = pattern(2000);
    const error = await assertRejects(
      () => exchange(message, { port: server.port }),
      MismatchError,
      "differs at byte 1500",
    );
    assertEquals(
      [error.offset, error.sent, error.received],
      [1500, message[1500], message[1500]! ^ 0xff],
    );
  });

  it("more comes back than was sent", async () => {
    await using server = peer(async (conn) => {
      await read(conn, 2);
      await write(conn, utf8("hi!"));
    });
    const error = await assertRejects(
      () => exchange("hi", { port: server.port }),
      MismatchError,
      "differs at byte 2: sent nothing, received 0x21",
    );
    assertEquals(error.sent, undefined);
  });

  it("the caller's own abort, with its reason", async () => {
    await using server = peer(discard);
    const controller = new AbortController();
    const going = exchange("x", {
      port: server.port,
      signal: controller.signal,
    });
    controller.abort(new RangeError("enough"));
    await assertRejects(() => going, RangeError, "enough");
    await assertRejects(
      () => exchange("x", { signal: controller.signal }),
      RangeError,
      "enough",
    );
  });

  it("a port out of range", async () => {
    await assertRejects(() => exchange("x", { port: 65_536 }), RangeError);
  });

  it("a name that does not resolve", async () => {
    const error = await assertRejects(
      () => exchange("x", { hostname: "no-such-host.invalid", timeout: 9000 }),
      ConnectError,
    );
    assertStringIncludes(error.message, "does not resolve");
  });
});

describe("exchange waits for a server", () => {
  it("that begins to listen later", async () => {
    const port = closedPort();
    const going = exchange("late", { port, wait: 20_000 });
    await assertRejects(() => exchange("x", { port }), ConnectionRefusedError);
    await using _server = serve({ port });
    assertEquals(await going, utf8("late"));
  });

  it("no longer than it was told", async () => {
    const port = closedPort();
    await assertRejects(
      () => exchange("x", { port, wait: 60 }),
      ConnectionRefusedError,
    );
  });

  it("and stops waiting when it is aborted", async () => {
    const controller = new AbortController();
    const going = exchange("x", {
      port: closedPort(),
      wait: 60_000,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new RangeError("enough")), 5);
    await assertRejects(() => going, RangeError, "enough");
  });
});

it("a connection serves one exchange after another", async () => {
  await using server = peer(echo);
  for (const message of ["one", "two"]) {
    assertEquals(await exchange(message, server), utf8(message));
  }
});
