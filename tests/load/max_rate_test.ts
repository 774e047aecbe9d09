import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConnectionRefusedError } from "../../lib/echo.ts";
import type { LoadSummary } from "../../lib/load.ts";
import {
  findMaxRate,
  type LoadFunction,
  type RateStep,
} from "../../lib/max_rate.ts";
import { loadSummary } from "../support/summaries.ts";

/** The summary of a run at a rate, all well unless the fields say otherwise. */
function summary(rate: number, fields: Partial<LoadSummary> = {}): LoadSummary {
  return loadSummary({ rate, receivedPerSecond: rate, ...fields });
}

/** A run whose latencies are all of so many milliseconds. */
function slow(rate: number, ms: number): LoadSummary {
  return loadSummary({ receivedPerSecond: rate }, Array(1_000).fill(ms));
}

/** A server that takes 10,000 messages a second, and is slow above. */
const server: LoadFunction = ({ rate = 0 }) =>
  Promise.resolve(
    rate <= 10_000 ? summary(rate) : slow(10_000, 80),
  );

describe("the search for the highest rate", () => {
  it("finds the rate that a server holds, and measures it again", async () => {
    const asked: (number | undefined)[] = [];
    const steps: RateStep[] = [];
    const found = await findMaxRate({
      expectations: ["p99<5ms"],
      connections: 7,
      warmup: 20,
      onStep: (step) => steps.push(step),
    }, (options) => {
      asked.push(options.rate);
      assertEquals(
        [options.connections, options.duration, options.warmup],
        [7, 3_000, 20],
      );
      return server(options);
    });
    assertEquals(found.confirmed, true);
    assertEquals(found.limitedBy, "server");
    const rate = found.rate ?? 0;
    assertEquals(rate > 9_400 && rate <= 10_000, true);
    assertEquals(asked, found.steps.map((step) => step.rate));
    assertEquals(steps.map((step) => step.rate), asked);
    assertEquals(steps[0]?.expectations, [
      {
        expectation: "p99<5ms",
        measured: 2,
        atLeast: false,
        met: true,
        needs: null,
      },
    ]);
  });

  it("needs all conditions to hold", async () => {
    const found = await findMaxRate({
      expectations: ["p99<5ms", "max<2ms"],
    }, server);
    assertEquals([found.rate, found.confirmed], [null, false]);
  });

  const maxSteps = { start: 1_000, min: 1_000, max: 1_000 };

  for (
    const [errors, expectations, verdict] of [
      [{ timeout: 1 }, ["p99<5ms"], "not met"],
      [{ timeout: 1 }, ["p99<5ms", "loss<1%"], "met"],
      [{ timeout: 1 }, ["errors<=1"], "met"],
      [{ timeout: 1 }, ["errors=0"], "not met"],
      [{}, ["p99<5ms"], "met"],
    ] as const
  ) {
    it(`is ${verdict} with ${JSON.stringify(errors)} under ${expectations}`, async () => {
      const { steps } = await findMaxRate(
        { expectations, search: maxSteps },
        ({ rate = 0 }) => Promise.resolve(summary(rate, { errors })),
      );
      assertEquals(steps[0]?.verdict, verdict);
    });
  }

  for (
    const [missing, expectations, verdict] of [
      [{ unanswered: 1 }, ["p50<5ms"], "not met"],
      [{ unanswered: 1 }, ["errors=0"], "not met"],
      [{ unanswered: 1 }, ["loss<1%"], "met"],
      [{ dropped: 1 }, ["p50<5ms"], "not met"],
      [{ dropped: 1 }, ["dropped<=1"], "met"],
      [{ dropped: 1 }, ["loss<1%"], "met"],
    ] as const
  ) {
    it(`is ${verdict} with ${JSON.stringify(missing)} under ${expectations}`, async () => {
      const { steps } = await findMaxRate(
        { expectations, search: maxSteps },
        ({ rate = 0 }) => Promise.resolve(summary(rate, missing)),
      );
      assertEquals(steps[0]?.verdict, verdict);
    });
  }

  it("passes on an error that is no failed connection, at any step", async () => {
    for (const failing of [1_000, 4_000]) {
      await assertRejects(
        () =>
          findMaxRate(
            { expectations: ["p99<5ms"] },
            (options) =>
              options.rate === failing
                ? Promise.reject(new TypeError("a mistake"))
                : server(options),
          ),
        TypeError,
        "a mistake",
      );
    }
  });

  it("takes a step that cannot connect for one that does not hold", async () => {
    const refused = new ConnectionRefusedError("Cannot connect");
    const steps: RateStep[] = [];
    const found = await findMaxRate(
      {
        expectations: ["p99<5ms"],
        onStep: (step) => steps.push(step),
      },
      (options) =>
        options.rate! > 3_000 ? Promise.reject(refused) : server(options),
    );
    assertEquals(found.confirmed, true);
    assertEquals(found.rate! > 2_800 && found.rate! <= 3_000, true);
    const failed = steps.find(({ error }) => error);
    assertEquals(
      [failed?.error, failed?.receivedPerSecond, failed?.verdict],
      [refused, null, "not met"],
    );
  });

  it("rejects if the first step cannot run", async () => {
    const refused = new ConnectionRefusedError("Cannot connect");
    await assertRejects(
      () =>
        findMaxRate(
          { expectations: ["p99<5ms"] },
          () => Promise.reject(refused),
        ),
      ConnectionRefusedError,
    );
  });

  it("returns what it found when it is aborted, without the step under way", async () => {
    const controller = new AbortController();
    const found = await findMaxRate(
      { expectations: ["p99<5ms"], signal: controller.signal },
      (options) => {
        if (options.rate === 4_000) controller.abort();
        return server(options);
      },
    );
    assertEquals(found.steps.map(({ rate }) => rate), [1_000, 2_000]);
    assertEquals(
      [found.rate, found.confirmed, found.limitedBy],
      [2_000, false, "search"],
    );
  });

  for (
    const [expectations, message] of [
      [[], "without expectations"],
      [["p99<5"], 'with expectation "p99<5": expected a number with the unit'],
      [["jitter<5ms"], "expected a metric that load measures"],
    ] as const
  ) {
    it(`rejects ${JSON.stringify(expectations)} before the first step`, async () => {
      let isLoaded = false;
      await assertRejects(
        () =>
          findMaxRate({ expectations }, (options) => {
            isLoaded = true;
            return server(options);
          }),
        RangeError,
        message,
      );
      assertEquals(isLoaded, false);
    });
  }
});
