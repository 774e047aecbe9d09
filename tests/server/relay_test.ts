import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
  assertStrictEquals,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { setImmediate } from "node:timers";
import { Relay } from "../../lib/server/relay.ts";
import { settle, untilTurn } from "../support/fake_clock.ts";
import { FakeConn, type FakeConnOptions } from "../support/fakes.ts";
import { pattern, utf8 } from "../support/peers.ts";

const relays: { conn: FakeConn; ended: boolean }[] = [];

/** A relay on a fake connection, which ends after the test. */
function relay(options?: FakeConnOptions): FakeConn {
  const conn = new FakeConn(options);
  const entry = { conn, ended: false };
  relays.push(entry);
  new Relay({ conn, pending: 0 }, () => {
    entry.ended = true;
    conn.close();
  });
  return conn;
}

afterEach(async () => {
  for (const { conn } of relays) conn.end();
  await untilTurn(() => relays.every(({ ended }) => ended));
  relays.length = 0;
});

/** Sends chunks as large as the buffers that they are read into. */
async function stream(conn: FakeConn, reads: number): Promise<Uint8Array> {
  for (let i = 0; i < reads; i++) {
    conn.feed(new Uint8Array(conn.buffers.at(-1)!.length));
    await settle(2);
  }
  return conn.buffers.at(-1)!;
}

/** A connection that receives `input`, and then the end of input. */
function received(input: Uint8Array, written: Uint8Array[]): Deno.Conn {
  let at = 0;
  return {
    read(buffer: Uint8Array) {
      if (at === input.length) return Promise.resolve(null);
      const chunk = input.subarray(at, at + buffer.length);
      buffer.set(chunk);
      at += chunk.length;
      return Promise.resolve(chunk.length);
    },
    write(bytes: Uint8Array) {
      written.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
  } as unknown as Deno.Conn;
}

describe("a relay", () => {
  for (const bytesPerWrite of [1, 3, 7, 100]) {
    it(`echoes every byte if a write accepts ${bytesPerWrite}`, async () => {
      const conn = relay({ bytesPerWrite });
      for (const length of [1, 8, 300, 301]) {
        const before = conn.output.length;
        conn.feed(pattern(length));
        await settle();
        assertEquals(conn.output.subarray(before), pattern(length));
        assertEquals(conn.writes.at(-1)!.length <= bytesPerWrite, true);
      }
    });
  }

  for (const length of [1, 576, 577, 1000, 1024]) {
    it(`writes back a first message of ${length} bytes in one chunk`, async () => {
      const written: Uint8Array[] = [];
      await new Promise((resolve) => {
        const conn = received(pattern(length), written);
        new Relay({ conn, pending: 0 }, resolve);
      });
      assertEquals(written, [pattern(length)]);
    });
  }

  it("that is idle and half-closed ends without its client", async () => {
    let halfClosed = false;
    const conn = {
      read: () => new Promise(() => {}),
      closeWrite: () => Promise.resolve(void (halfClosed = true)),
    } as unknown as Deno.Conn;
    await new Promise<void>((resolve) => {
      new Relay({ conn, pending: 0 }, () => resolve()).drain({ idle: true });
    });
    assertEquals(halfClosed, true);
  });

  it("reads again only after everything is written", async () => {
    const conn = relay({ neverReads: true });
    conn.feed(utf8("one"));
    conn.feed(utf8("two"));
    await settle();
    assertEquals(conn.buffers.length, 1);
    conn.close();
  });
});

describe("the buffer of a relay", () => {
  it("is small while messages are small", async () => {
    const conn = relay();
    for (let i = 0; i < 20; i++) {
      conn.feed(pattern(512));
      await settle(2);
    }
    for (const { length } of conn.buffers) assertLessOrEqual(length, 2_048);
  });

  it("grows while reads fill it, up to 1 MiB", async () => {
    const conn = relay();
    const { length } = await stream(conn, 20);
    assertGreaterOrEqual(length, 128 * 1024);
    assertLessOrEqual(length, 1024 * 1024);
  });

  it("is small again after a stream has paused", async () => {
    const conn = relay();
    await stream(conn, 20);
    conn.feed(utf8("the last chunk"));
    await settle();
    assertLess(conn.buffers.at(-1)!.length, 64 * 1024);
  });

  it("is reused by the next stream", async () => {
    const first = relay();
    const large = await stream(first, 20);
    first.feed(utf8("the last chunk"));
    await settle();
    const next = await stream(relay(), 20);
    assertStrictEquals(next.buffer, large.buffer);
  });
});

/**
 * Connections that always have data, served in Deno's order: 128 operations per
 * tick of the event loop, the newest read first.
 */
class Driver {
  readonly served: number[] = [];
  #pending: { id: number; resolve: (count: number | null) => void }[] = [];
  #stopped = false;
  #ended = 0;

  constructor(connections: number) {
    for (let id = 0; id < connections; id++) {
      this.served.push(0);
      const conn = {
        read: () =>
          new Promise<number | null>((resolve) => {
            if (this.#stopped) return resolve(null);
            this.#pending.push({ id, resolve });
          }),
        write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
      };
      new Relay(
        { conn: conn as unknown as Deno.Conn, pending: 0 },
        () => void this.#ended++,
      );
    }
  }

  /** Serves `messages` messages in total. */
  async serve(messages: number): Promise<void> {
    while (messages > 0) {
      for (let i = 0; i < 128; i++) {
        const read = this.#pending.pop();
        if (!read) break;
        this.served[read.id]!++;
        messages--;
        read.resolve(100);
      }
      await new Promise((resolve) => void setImmediate(resolve));
    }
    this.#stopped = true;
    for (const { resolve } of this.#pending) resolve(null);
    // Queued reads see the end of input when they start.
    await untilTurn(() => this.#ended === this.served.length);
  }
}

describe("many connections that always have data", () => {
  for (const connections of [129, 300, 1_000]) {
    it(`${connections} of them are served equally, whether old or new`, async () => {
      const each = 50;
      const driver = new Driver(connections);
      await driver.serve(connections * each);
      const min = Math.min(...driver.served);
      const max = Math.max(...driver.served);
      assert(min > each / 2 && max < 2 * each, `${min} to ${max}`);
    });
  }
});
