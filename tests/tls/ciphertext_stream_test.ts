import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CiphertextStream } from "../../lib/tls/ciphertext_stream.ts";
import { TlsConn } from "../../lib/tls/tls_conn.ts";
import { settle } from "../support/fake_clock.ts";
import { FakeConn } from "../support/fakes.ts";
import { pattern, utf8 } from "../support/peers.ts";

/** A stream on a fake connection, and what it has received. */
function open(conn: FakeConn) {
  const chunks: (Uint8Array | null)[] = [];
  const errors: unknown[] = [];
  const stream = new CiphertextStream(conn, {
    onChunk: (chunk) => chunks.push(chunk),
    onError: (error) => errors.push(error),
  });
  return { stream, chunks, errors };
}

/** A fake connection whose writes wait for `accept`. */
function slowConn() {
  const conn = new FakeConn();
  const write = conn.write.bind(conn);
  const pending: (() => void)[] = [];
  conn.write = (bytes) =>
    new Promise((resolve) =>
      pending.push(() => void write(bytes).then(resolve))
    );
  return { conn, accept: () => pending.shift()!() };
}

describe("a ciphertext stream", () => {
  it("receives one chunk per request, and reuses its buffer", async () => {
    const conn = new FakeConn();
    const { stream, chunks } = open(conn);
    conn.feed(utf8("one"));
    conn.feed(utf8("two"));
    stream.receive();
    stream.receive();
    await settle();
    assertEquals(chunks, [utf8("one")]);
    stream.receive();
    await settle();
    assertEquals(chunks, [utf8("one"), utf8("two")]);
    assertEquals(conn.buffers[0]!.buffer, conn.buffers[1]!.buffer);
  });

  it("fits its buffer to the reads of its user, up to 256 KiB", async () => {
    const conn = new FakeConn();
    const { stream } = open(conn);
    for (const length of [undefined, 1, 1025, 1 << 20, undefined]) {
      conn.feed(utf8("x"));
      stream.receive(length);
      await settle();
    }
    assertEquals(
      conn.buffers.map(({ length }) => length),
      [4096, 1024, 2048, 262_144, 262_144],
    );
  });

  it("reports the end of input and errors", async () => {
    const conn = new FakeConn();
    const { stream, chunks, errors } = open(conn);
    conn.end();
    stream.receive();
    await settle();
    assertEquals(chunks, [null]);
    conn.close();
    stream.receive();
    stream.write(utf8("x"));
    await settle();
    assertEquals(errors.length, 2);
  });

  it("sends every byte if a write accepts only a few", async () => {
    const conn = new FakeConn({ bytesPerWrite: 3 });
    const { stream } = open(conn);
    stream.write(pattern(10));
    stream.write(pattern(5));
    await settle();
    assertEquals(conn.output, Uint8Array.of(...pattern(10), ...pattern(5)));
  });

  it("calls back when all writes before have been accepted", async () => {
    const { conn, accept } = slowConn();
    const { stream } = open(conn);
    let flushed = false;
    stream.flush(() => flushed = true);
    assertEquals(flushed, true);
    flushed = false;
    stream.write(utf8("a"));
    stream.write(utf8("b"));
    stream.flush(() => flushed = true);
    accept();
    await settle();
    assertEquals(flushed, false);
    accept();
    await settle();
    assertEquals(flushed, true);
  });
});

it("a write to a TLS connection resolves when its ciphertext is accepted", async () => {
  const { conn, accept } = slowConn();
  const plain = Object.assign(conn, { setNoDelay() {} });
  const tls = new TlsConn(plain as unknown as Deno.TcpConn, (stream) => {
    const socket = {
      on: () => socket,
      once: () => socket,
      write(chunk: Uint8Array, encrypted: () => void) {
        stream.write(chunk);
        encrypted();
      },
      destroy() {},
    };
    return socket as never;
  }, "secure");
  let written = 0;
  const writing = tls.write(pattern(100_000)).then((count) => written = count);
  await settle();
  assertEquals(written, 0);
  accept();
  await writing;
  assertEquals(written, 65_536);
  tls.close();
});
