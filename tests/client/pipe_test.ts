import { assert, assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { describe, it } from "@std/testing/bdd";
import {
  type ConnectOptions,
  MismatchError,
  serve,
  TimedOutError,
  UnexpectedEofError,
} from "../../lib/echo.ts";
import { pipe, type PipeSummary } from "../../lib/pipe.ts";
import {
  discard,
  echo,
  pattern,
  peer,
  portOf,
  read,
  utf8,
  write,
} from "../support/peers.ts";

/** Pipes pieces, and returns what came out, whether it succeeded or not. */
async function through(
  pieces: Iterable<Uint8Array>,
  options: ConnectOptions,
): Promise<{
  out: Uint8Array;
  piped: PipeSummary | undefined;
  error?: unknown;
}> {
  const out: Uint8Array[] = [];
  const output = new WritableStream<Uint8Array>({
    write: (piece) => void out.push(piece),
  });
  const input = ReadableStream.from(pieces);
  let piped: PipeSummary | undefined;
  let error: unknown;
  try {
    piped = await pipe({ input, output, ...options });
  } catch (caught) {
    error = caught;
  }
  const blob = new Blob(out as BlobPart[]);
  return { out: new Uint8Array(await blob.arrayBuffer()), piped, error };
}

async function fails<E extends Error>(
  // deno-lint-ignore no-explicit-any
  Class: new (...args: any[]) => E,
  message: string,
  pieces: Iterable<Uint8Array>,
  options: ConnectOptions,
): Promise<{ out: Uint8Array; error: E }> {
  const { out, error } = await through(pieces, options);
  await assertRejects(() => Promise.reject(error), Class, message);
  return { out, error: error as E };
}

describe("pipe", () => {
  for (const length of [0, 1, 1024, 1_000_000, 30_000_000]) {
    it(`brings ${length} bytes back, byte for byte`, async () => {
      await using server = serve({ port: 0 });
      const sent = pattern(length);
      const pieces = function* () {
        for (let at = 0; at < length; at += 70_000) {
          yield sent.subarray(at, at + 70_000);
        }
      };
      const { out, piped, error } = await through(pieces(), {
        port: portOf(server),
      });
      assertEquals(error, undefined);
      assertEquals(piped, { sent: length, received: length });
      assert(out.length === length && out.every((b, i) => b === sent[i]));
    });
  }

  for (const timeout of [30 * 86_400_000, Infinity]) {
    it(`does not time out at once with a timeout of ${timeout} ms`, async () => {
      await using server = serve({ port: 0, faults: { latency: 20 } });
      const { out, error } = await through([utf8("x")], {
        port: portOf(server),
        timeout,
      });
      assertEquals([error, out], [undefined, utf8("x")]);
    });
  }

  it("answers line by line while the input goes on", async () => {
    await using server = serve({ port: 0 });
    const lines = new TransformStream<Uint8Array, Uint8Array>();
    const echoes = new TransformStream<Uint8Array, Uint8Array>();
    const going = pipe({
      input: lines.readable,
      output: echoes.writable,
      port: portOf(server),
    });
    const keyboard = lines.writable.getWriter();
    const screen = echoes.readable.getReader();
    for (const line of ["one\n", "two\n"]) {
      await keyboard.write(utf8(line));
      assertEquals((await screen.read()).value, utf8(line));
    }
    await keyboard.close();
    assertEquals(await going, { sent: 8, received: 8 });
    await screen.cancel();
  });

  it("ends well after the timeout if the server keeps the connection", async () => {
    const gone = Promise.withResolvers<void>();
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 3));
      await gone.promise;
    });
    const { piped, error } = await through([utf8("abc")], {
      port: server.port,
      timeout: 1_000,
    });
    gone.resolve();
    assertEquals(error, undefined);
    assertEquals(piped, { sent: 3, received: 3 });
  });

  it("does not count the time that its output takes", async () => {
    await using server = serve({ port: 0 });
    const timeout = 1_000;
    const sent = pattern(4_000_000);
    let received = 0;
    const output = new WritableStream<Uint8Array>({
      async write(piece) {
        // The rest of the echo is not there yet.
        if (received === 0) await delay(1.5 * timeout);
        received += piece.length;
      },
    });
    const input = ReadableStream.from([sent]);
    const piped = await pipe({ input, output, port: portOf(server), timeout });
    assertEquals(piped, { sent: sent.length, received: sent.length });
    assertEquals(received, sent.length);
  });

  it("reads no further ahead than its window", async () => {
    await using server = peer(discard);
    let given = 0;
    const endless = function* () {
      for (;;) {
        given += 1 << 20;
        yield new Uint8Array(1 << 20);
      }
    };
    await fails(TimedOutError, "0 of", endless(), {
      port: server.port,
      timeout: 300,
    });
    assert(given <= 10 << 20, `${given}`);
  });
});

describe("pipe says what went wrong, and where", () => {
  it("a byte that differs; those before it came out", async () => {
    await using server = peer(async (conn) => {
      const bytes = await read(conn, 1000);
      bytes[700] = 0;
      await write(conn, bytes);
      await discard(conn);
    });
    const sent = new Uint8Array(1000).fill(7);
    const { out, error } = await fails(
      MismatchError,
      "differs at byte 700: sent 0x07, received 0x00",
      [sent.subarray(0, 400), sent.subarray(400)],
      { port: server.port },
    );
    assertEquals(out, sent.subarray(0, 700));
    assertEquals(error.offset, 700);
  });

  it("more than was sent", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 3));
      await write(conn, utf8("!"));
      await discard(conn);
    });
    const input = new TransformStream<Uint8Array, Uint8Array>();
    const writer = input.writable.getWriter();
    void writer.write(utf8("abc")).catch(() => {});
    await assertRejects(
      () =>
        pipe({
          input: input.readable,
          output: new WritableStream(),
          port: server.port,
        }),
      MismatchError,
      "differs at byte 3: sent nothing, received 0x21",
    );
  });

  it("more than was sent, after the end of the input", async () => {
    await using server = peer(async (conn) => {
      await echo(conn);
      await write(conn, utf8("!"));
    });
    const input = new TransformStream<Uint8Array, Uint8Array>();
    const writer = input.writable.getWriter();
    void writer.write(utf8("abc"));
    const out: Uint8Array[] = [];
    const going = pipe({
      input: input.readable,
      output: new WritableStream({
        write(piece) {
          out.push(piece);
          void writer.close();
        },
      }),
      port: server.port,
    });
    const { offset, sent } = await assertRejects(
      () => going,
      MismatchError,
      "differs at byte 3: sent nothing, received 0x21",
    );
    assertEquals([offset, sent, out], [3, undefined, [utf8("abc")]]);
  });

  it("a connection that ends too early", async () => {
    await using server = peer(async (conn) => {
      await write(conn, await read(conn, 1024));
      await conn.closeWrite();
      await discard(conn);
    });
    const { out } = await fails(
      UnexpectedEofError,
      "after 1024 of 5000 bytes",
      [pattern(5000)],
      { port: server.port },
    );
    assertEquals(out.length, 1024);
  });

  it("an output that is closed", async () => {
    await using server = peer(echo);
    const output = new WritableStream<Uint8Array>({
      write: () => Promise.reject(new Deno.errors.BrokenPipe("closed")),
    });
    await assertRejects(
      () =>
        pipe({
          input: ReadableStream.from([utf8("abc")]),
          output,
          port: server.port,
        }),
      Deno.errors.BrokenPipe,
    );
  });

  it("an input that fails", async () => {
    await using server = peer(echo);
    const input = new ReadableStream<Uint8Array>({
      pull: () => Promise.reject(new RangeError("bad input")),
    });
    await assertRejects(
      () => pipe({ input, output: new WritableStream(), port: server.port }),
      RangeError,
      "bad input",
    );
  });

  it("the caller's abort", async () => {
    await using server = peer(discard);
    const controller = new AbortController();
    const { readable } = new TransformStream<Uint8Array, Uint8Array>();
    const going = pipe({
      input: readable,
      output: new WritableStream(),
      port: server.port,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new RangeError("enough")), 10);
    await assertRejects(() => going, RangeError, "enough");
  });

  it("the caller's abort while the output takes nothing", async () => {
    await using server = serve({ port: 0 });
    const controller = new AbortController();
    const going = pipe({
      input: ReadableStream.from([utf8("abc")]),
      output: new WritableStream({
        write() {
          controller.abort(new RangeError("enough"));
          return new Promise(() => {});
        },
      }),
      port: portOf(server),
      signal: controller.signal,
    });
    await assertRejects(() => going, RangeError, "enough");
  });
});
