import { assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { TimedOutError } from "../../lib/echo.ts";
import { LoadConnection } from "../../lib/client/load_connection.ts";
import { settle } from "../support/fake_clock.ts";
import { FakeConn, type FakeConnOptions } from "../support/fakes.ts";

/** A connection under load, and what it reports. */
function linked(size: number, options?: FakeConnOptions) {
  const conn = new FakeConn(options);
  const errors: unknown[] = [];
  let echoes = 0;
  const link = new LoadConnection(conn, {
    size,
    handlers: {
      onReply: () => echoes++,
      onError: (error) => errors.push(error),
      onClose: () => {},
    },
  });
  return {
    conn,
    errors,
    /** Sends a message, and returns it when all of it is sent. */
    async send(number: number): Promise<Uint8Array> {
      const before = conn.output.length;
      link.send(number, 0);
      await settle(1);
      return conn.output.subarray(before);
    },
    /** The server sends this back. */
    async answer(bytes: Uint8Array): Promise<number> {
      for (let at = 0; at < bytes.length; at += 1_000) {
        conn.feed(bytes.subarray(at, at + 1_000));
        await settle(1);
      }
      return echoes;
    },
    [Symbol.dispose]: () => link.close(),
    link,
  };
}

describe("a connection under load", () => {
  for (const bytesPerWrite of [1, 5, 64]) {
    it(`sends all of a message where a write takes ${bytesPerWrite}`, async () => {
      using one = linked(100, { bytesPerWrite });
      for (let number = 1; number <= 3; number++) {
        const message = await one.send(number);
        assertEquals(message.length, 100);
        // It verifies the echo against what it meant to send.
        assertEquals(await one.answer(message), number);
      }
      assertEquals(one.errors, []);
    });
  }

  for (const size of [1, 3, 4, 512]) {
    it(`sends another message of ${size} bytes each time`, async () => {
      using one = linked(size);
      const messages = new Set<string>();
      for (let number = 1; number <= 200; number++) {
        const message = await one.send(number);
        messages.add(message.join());
        await one.answer(message);
      }
      assertEquals(one.errors, []);
      assertEquals(messages.size, 200);
    });
  }

  it("takes no echo of an earlier message for that of this one", async () => {
    using one = linked(64);
    const first = await one.send(1);
    await one.answer(first);
    await one.send(2);
    await one.answer(first);
    assertEquals((one.errors as Error[]).map(({ name }) => name), [
      "MismatchError",
    ]);
  });

  it("waits for an echo from when its message was sent", () => {
    using one = linked(10);
    one.link.send(1, 5_000);
    one.link.expire(5_999, 1_000);
    assertEquals(one.errors, []);
    one.link.expire(6_000, 1_000);
    assertInstanceOf(one.errors[0], TimedOutError);
  });
});
