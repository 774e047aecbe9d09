import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { within } from "../lib/deadline.ts";
import { clearLongTimeout, delay, setLongTimeout } from "../lib/timeout.ts";
import { MAX_DELAY_MS } from "../lib/values.ts";

const DAY_MS = 86_400_000;

/**
 * Runs `test` with timers that fire at once, and returns the delays that they
 * were started with.
 */
async function delaysOf(test: () => Promise<void>): Promise<number[]> {
  const delays: number[] = [];
  const { setTimeout: real } = globalThis;
  globalThis.setTimeout = ((callback: () => void, ms: number) => {
    delays.push(ms);
    return real(callback, 0);
  }) as typeof setTimeout;
  try {
    await test();
  } finally {
    globalThis.setTimeout = real;
  }
  return delays;
}

describe("a timeout longer than a timer can hold", () => {
  it("fires after all of it", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const delays = await delaysOf(() => {
      setLongTimeout(resolve, 60 * DAY_MS);
      return promise;
    });
    assertEquals(delays, [
      MAX_DELAY_MS,
      MAX_DELAY_MS,
      60 * DAY_MS - 2 * MAX_DELAY_MS,
    ]);
  });

  it("is a plain timer where it is not longer", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const delays = await delaysOf(() => {
      setLongTimeout(resolve, 20);
      return promise;
    });
    assertEquals(delays, [20]);
  });

  for (const ms of [30 * DAY_MS, Infinity]) {
    it(`can be cleared before and never fires at once: ${ms} ms`, async () => {
      let fired = false;
      const timeout = setLongTimeout(() => fired = true, ms);
      await delay(20);
      clearLongTimeout(timeout);
      assertEquals(fired, false);
    });
  }
});

describe("a delay longer than a timer can hold", () => {
  it("ends after all of it", async () => {
    const delays = await delaysOf(() => delay(30 * DAY_MS));
    assertEquals(delays, [MAX_DELAY_MS, 30 * DAY_MS - MAX_DELAY_MS]);
  });

  for (const ms of [30 * DAY_MS, Infinity]) {
    it(`ends when it is aborted: ${ms} ms`, async () => {
      const signal = AbortSignal.timeout(20);
      await assertRejects(() => delay(ms, { signal }), DOMException);
    });
  }
});

it("work within a limit of a month is not late at once", async () => {
  const result = await within(() => delay(20).then(() => "done"), {
    timeout: 30 * DAY_MS,
    late: () => new Error("late"),
  });
  assertEquals(result, "done");
});
