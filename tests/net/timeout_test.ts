import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  clearLongTimeout,
  MAX_DELAY_MS,
  setLongTimeout,
  sleep,
  withTimeout,
} from "../../lib/net/timeout.ts";

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
      await sleep(20);
      clearLongTimeout(timeout);
      assertEquals(fired, false);
    });
  }
});

describe("a delay longer than a timer can hold", () => {
  it("ends after all of it", async () => {
    const delays = await delaysOf(() => sleep(30 * DAY_MS));
    assertEquals(delays, [MAX_DELAY_MS, 30 * DAY_MS - MAX_DELAY_MS]);
  });

  for (const ms of [30 * DAY_MS, Infinity]) {
    it(`ends when it is aborted: ${ms} ms`, async () => {
      const signal = AbortSignal.timeout(20);
      await assertRejects(() => sleep(ms, signal), DOMException);
    });
  }
});

it("work within a limit of a month is not late at once", async () => {
  const result = await withTimeout(() => sleep(20).then(() => "done"), {
    timeout: 30 * DAY_MS,
    onTimeout: () => new Error("late"),
  });
  assertEquals(result, "done");
});

describe("work with a time limit", () => {
  const onTimeout = () => new RangeError("late");
  const forever = (signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(new Error("aborted")))
    );

  it("resolves as the work does", async () => {
    assertEquals(
      await withTimeout(() => Promise.resolve(1), {
        timeout: 1e6,
        onTimeout,
      }),
      1,
    );
  });

  it("rejects with the error of onTimeout, not with that of the work", async () => {
    await assertRejects(
      () => withTimeout(forever, { timeout: 1, onTimeout }),
      RangeError,
      "late",
    );
  });

  it("needs a limit above zero", async () => {
    for (const timeout of [0, -1, NaN]) {
      await assertRejects(
        () => withTimeout(() => Promise.resolve(), { timeout, onTimeout }),
        RangeError,
        `Cannot wait for ${timeout} ms`,
      );
    }
  });

  it("rejects with the reason of the caller's signal, and does not start after it", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const work = withTimeout(forever, {
      timeout: Infinity,
      signal,
      onTimeout,
    });
    controller.abort(new TypeError("mine"));
    await assertRejects(() => work, TypeError, "mine");
    let started = false;
    await assertRejects(() =>
      withTimeout(() => Promise.resolve(started = true), {
        timeout: 1,
        signal,
        onTimeout,
      })
    );
    assert(!started);
  });
});
