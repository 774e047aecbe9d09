import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { setImmediate } from "node:timers";
import { accept } from "../lib/accept.ts";
import { FakeClock, untilTurn } from "./fake_clock.ts";

/** Never resolves, until the listener is closed. */
function closable() {
  const { promise, reject } = Promise.withResolvers<never>();
  // It may be closed while nobody waits.
  promise.catch(() => {});
  return { promise, close: () => reject(new Deno.errors.BadResource()) };
}

describe("a shortage of files", () => {
  it("is tried again after a pause, which grows to a second", async () => {
    using clock = new FakeClock();
    const end = closable();
    let attempts = 0;
    const door = accept({
      accept() {
        // Bounded, so that a loop without a pause ends as well.
        return ++attempts < 10_000
          ? Promise.reject(new Error("Too many open files (os error 24)"))
          : end.promise;
      },
      close: end.close,
    }, { take: () => {} });
    await clock.advance(1_000);
    assertGreaterOrEqual(attempts, 2);
    assertLess(attempts, 20);
    attempts = 0;
    await clock.advance(60_000);
    assertGreaterOrEqual(attempts, 30);
    assertLess(attempts, 90);
    door.close();
    await clock.advance(2_000);
    await door.closed;
  });
});

/** Gives so many clients in all, 128 in each turn of the event loop. */
function burst(clients: number) {
  const end = closable();
  const from = {
    given: 0,
    async accept(): Promise<Deno.Conn> {
      if (from.given === clients) return await end.promise;
      if (from.given++ % 128 === 0) {
        await new Promise((resolve) => void setImmediate(resolve));
      }
      return { close: () => {} } as Deno.Conn;
    },
    close: end.close,
  };
  return from;
}

describe("a burst of clients", () => {
  for (
    const [clients, waiting] of [[1_000, [1_000, 1_000]], [20_000, [
      2_000,
      8_000,
    ]]] as const
  ) {
    it(`of ${clients} is taken from the queue before the first is served`, async () => {
      const from = burst(clients);
      let served = 0;
      let givenAtFirst = 0;
      const door = accept(from, {
        take() {
          if (served++ === 0) givenAtFirst = from.given;
        },
      });
      await untilTurn(() => served === clients);
      // And where there is no end to them, the first ones do not wait for it.
      const [least, most] = waiting;
      assertGreaterOrEqual(givenAtFirst, least);
      assertEquals(givenAtFirst <= most, true, `${givenAtFirst}`);
      door.close();
      await door.closed;
    });
  }
});
