import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { setImmediate } from "node:timers";
import { Relay } from "../../lib/server/relay.ts";
import { settle, untilTurn } from "../support/fake_clock.ts";
import { FakeConn, type FakeConnOptions } from "../support/fakes.ts";
import { pattern } from "../support/peers.ts";

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
        closeWrite: () => Promise.resolve(),
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
