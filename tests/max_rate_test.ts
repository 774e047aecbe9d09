import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConnectionRefusedError } from "../lib/echo.ts";
import type { LoadSummary } from "../lib/load.ts";
import {
  findMaxRate,
  type LoadFunction,
  type MaxRateStep,
} from "../lib/max_rate.ts";

/** The summary of a run at a rate, all well unless the fields say otherwise. */
function summary(rate: number, fields: Partial<LoadSummary> = {}): LoadSummary {
  const latency = {
    min: 1,
    mean: 1,
    stddev: 0,
    p50: 1,
    p90: 1,
    p99: 2,
    p999: 3,
    max: 4,
  };
  return {
    connections: 50,
    size: 512,
    duration: 1_000,
    messages: rate,
    messagesPerSecond: rate,
    bytesPerSecond: rate * 512,
    errors: {},
    firstErrors: {},
    latency,
    buckets: [],
    fairness: 1,
    starved: 0,
    reconnects: 0,
    late: 0,
    unanswered: 0,
    maxLag: 0,
    delayed: 0,
    dropped: 0,
    ...{ warmup: 0, cpuUtilization: 0.2, intervals: [], percentiles: [] },
    ...fields,
  };
}

/** A server that takes 10,000 messages a second, and is slow above. */
const server: LoadFunction = ({ rate = 0 }) =>
  Promise.resolve(
    rate <= 10_000
      ? summary(rate)
      : summary(10_000, { latency: { ...summary(0).latency, p99: 80 } }),
  );

describe("the search for the highest rate", () => {
  it("finds the rate that a server holds, and measures it again", async () => {
    const asked: (number | undefined)[] = [];
    const steps: MaxRateStep[] = [];
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
      { expectation: "p99<5ms", measured: 2, met: true },
    ]);
  });

  it("needs all conditions to hold", async () => {
    const found = await findMaxRate({
      expectations: ["p99<5ms", "max<4ms"],
    }, server);
    assertEquals([found.rate, found.confirmed], [undefined, false]);
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

  it("does not believe a step with unanswered messages", async () => {
    const { steps } = await findMaxRate(
      { expectations: ["loss<1%"], search: maxSteps },
      ({ rate = 0 }) => Promise.resolve(summary(rate, { unanswered: 1 })),
    );
    assertEquals(steps[0]?.verdict, "not met");
  });

  it("takes a step that cannot connect for one that does not hold", async () => {
    const refused = new ConnectionRefusedError("Cannot connect");
    const steps: MaxRateStep[] = [];
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
      [failed?.error, failed?.messagesPerSecond, failed?.verdict],
      [refused, 0, "not met"],
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
