import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  isReached,
  RateSearch,
  type RateSearchOptions,
  verdictOf,
} from "../../lib/load/rate_search.ts";
import { prng as random } from "../../lib/faults/prng.ts";
import type {
  LoadSummary,
  RateSearchSummary,
  Verdict,
} from "../../lib/stats/summaries.ts";

const CONDITION_MS = 5;

/** What the search sees of a run. */
type Figures =
  & Pick<LoadSummary, "cpuUtilization" | "delayed" | "scheduled">
  & { p99: number; receivedPerSecond: number };

function figures(p99: number, rest: Partial<Figures> = {}): Figures {
  return {
    p99,
    scheduled: 1_000,
    receivedPerSecond: 0,
    delayed: 0,
    cpuUtilization: 0.2,
    ...rest,
  };
}

interface Step {
  rate: number;
  verdict: Verdict;
  receivedPerSecond: number;
}

type Found =
  & Pick<RateSearchSummary, "rate" | "range" | "confirmed" | "limitedBy">
  & { steps: Step[] };

/** Searches a simulated server: from the rate that is asked for to figures. */
function search(
  server: (rate: number, step: number) => Figures,
  options?: RateSearchOptions,
): Found {
  const search = new RateSearch(options);
  const steps: Step[] = [];
  for (let rate; (rate = search.next) !== undefined;) {
    const measured = server(rate, steps.length);
    const summary = measured as unknown as LoadSummary;
    const verdict = verdictOf(rate, summary, measured.p99 < CONDITION_MS);
    search.record({ verdict, reached: isReached(rate, summary) });
    const { receivedPerSecond } = measured;
    steps.push({ rate, verdict, receivedPerSecond });
  }
  return { ...search.answer(), steps };
}

/** A server that takes any rate up to its capacity, and no more. */
function sharp(capacity: number) {
  return (rate: number) =>
    figures(rate <= capacity ? 1 : 1_000, {
      receivedPerSecond: Math.min(rate, capacity),
    });
}

/** A server whose latency rises with its load, with noise on both. */
function noisy(capacity: number, seed: number) {
  const chance = random(seed);
  return (rate: number) => {
    const normal = Math.sqrt(-2 * Math.log(1 - chance())) *
      Math.cos(2 * Math.PI * chance());
    const today = capacity * Math.exp(0.02 * normal);
    // One run in twenty is disturbed by something else on the machine.
    const spike = chance() < 0.05 ? 20 : 1;
    const wait = 0.1 * Math.exp(0.2 * normal) / (1 - rate / today);
    return figures(rate < today ? wait * spike : 1_000, {
      receivedPerSecond: Math.min(rate, today),
    });
  };
}

function rates({ steps }: Found): number[] {
  return steps.map(({ rate }) => rate);
}

describe("the search for the highest rate", () => {
  it("doubles, halves the bracket, and measures both ends again", () => {
    assertEquals(rates(search(sharp(3_000))), [
      ...[1_000, 2_000, 4_000, 4_000],
      ...[2_830, 3_360, 3_360, 3_080, 3_080, 2_950],
      ...[3_080, 2_950],
    ]);
  });

  it("finds a sharp capacity within its tolerance", () => {
    for (const capacity of [1, 9.9, 700, 1_000, 21_000, 333_333, 9e6]) {
      const { rate, confirmed, limitedBy, steps } = search(sharp(capacity));
      assertLessOrEqual(rate!, capacity);
      assertLessOrEqual(capacity, rate! * 1.05);
      assertEquals([confirmed, limitedBy], [true, "server"]);
      assertLessOrEqual(steps.length, 30);
    }
  });

  it("agrees with itself within 15 % on a noisy server", () => {
    for (const capacity of [5_000, 60_000]) {
      let apart = 0;
      for (let seed = 0; seed < 300; seed += 3) {
        const three = [0, 1, 2].map((i) =>
          search(noisy(capacity, seed + i)).rate!
        );
        const [least, most] = [Math.min(...three), Math.max(...three)];
        assert(least > capacity * 0.7 && most < capacity * 1.1);
        if (most > least * 1.15) apart++;
      }
      assertLessOrEqual(apart, 2);
    }
  });

  it("is not misled by a single unlucky run, wherever it falls", () => {
    const { length } = search(sharp(50_000)).steps;
    for (let unlucky = 0; unlucky < length; unlucky++) {
      const { rate, confirmed } = search((rate, step) =>
        step === unlucky
          ? figures(100, { receivedPerSecond: rate })
          : sharp(50_000)(rate)
      );
      assert(rate! >= 50_000 / 1.05 && rate! <= 50_000 && confirmed);
    }
  });

  it("recovers from two unlucky runs on the way up", () => {
    const { rate, steps } = search((rate, step) =>
      step === 2 || step === 3 ? figures(100) : sharp(50_000)(rate)
    );
    assertEquals(steps[3]?.verdict, "not met");
    assert(rate! >= 50_000 / 1.05 && rate! <= 50_000);
  });

  it("gives up an answer that does not hold when measured again", () => {
    // It slows down once the search has climbed.
    const { rate, confirmed } = search((rate, step) =>
      sharp(step < 14 ? 50_000 : 30_000)(rate)
    );
    assert(confirmed);
    assert(rate! >= 30_000 / 1.05 && rate! <= 30_000);
  });
});

describe("the verdict on a step", () => {
  const verdict = (rest: Partial<Figures>, met: boolean) =>
    verdictOf(1_000, figures(1, rest) as unknown as LoadSummary, met);

  it("is that of the conditions", () => {
    assertEquals(verdict({ receivedPerSecond: 1_000 }, true), "met");
    assertEquals(verdict({ receivedPerSecond: 1_000 }, false), "not met");
  });

  it("is not met where less than 95 % of the rate was reached", () => {
    assertEquals(verdict({ receivedPerSecond: 950 }, true), "met");
    assertEquals(verdict({ receivedPerSecond: 949 }, true), "not met");
  });

  it("blames a busy client only where the rate does not hold", () => {
    const busy = { receivedPerSecond: 1_000, cpuUtilization: 0.9 };
    const paused = { receivedPerSecond: 1_000, cpuUtilization: 0.2 };
    for (
      const [rest, met, expected] of [
        [busy, true, "met"],
        [busy, false, "client limited"],
        [{ ...busy, receivedPerSecond: 1 }, true, "client limited"],
        [{ ...busy, cpuUtilization: 0.89 }, false, "not met"],
        [{ ...busy, cpuUtilization: null }, false, "not met"],
        [{ ...paused, delayed: 10 }, false, "client limited"],
        [{ ...paused, delayed: 10 }, true, "met"],
        [{ ...paused, delayed: 9 }, false, "not met"],
        // Nothing came back at all: that is the server's.
        [{ receivedPerSecond: 0, scheduled: 0 }, false, "not met"],
      ] as const
    ) assertEquals(verdict(rest, met), expected, JSON.stringify(rest));
  });
});

describe("the search ends", () => {
  it("at the client's limit, and says so", () => {
    const limit = 40_000;
    const { rate, limitedBy, confirmed, steps } = search((rate) =>
      figures(rate <= limit ? 1 : 80, {
        receivedPerSecond: Math.min(rate, limit),
        cpuUtilization: Math.min(1, rate / limit),
      })
    );
    assert(rate! <= limit && rate! >= limit / 1.05);
    assertEquals([limitedBy, confirmed], ["client", true]);
    assert(steps.some(({ verdict }) => verdict === "client limited"));
    assert(steps.every(({ verdict }) => verdict !== "not met"));
    // Only the answer is measured again, and the rates that were reached.
    const again = steps.filter(({ rate, receivedPerSecond, verdict }) =>
      verdict === "client limited" && receivedPerSecond >= 0.95 * rate
    );
    assertEquals(
      steps.length,
      new Set(steps.map(({ rate }) => rate)).size + 1 + again.length / 2,
    );
  });

  it("at a rate that the client reached, and failed twice", () => {
    const runs = new Map<number, number>();
    const { rate, limitedBy } = search((rate) => {
      const run = (runs.get(rate) ?? 0) + 1;
      runs.set(rate, run);
      // The client pauses in its first run at each rate, and always above 30,000.
      const paused = rate > 30_000 || run === 1;
      return figures(paused ? 20 : 1, {
        receivedPerSecond: rate,
        delayed: paused ? 500 : 0,
      });
    });
    assert(rate! <= 30_000 && rate! >= 30_000 / 1.05);
    assertEquals(limitedBy, "client");
  });

  it("with the server's limit where that is below the client's", () => {
    const { rate, limitedBy } = search((rate) => ({
      ...sharp(30_000)(rate),
      cpuUtilization: Math.min(1, rate / 40_000),
    }));
    assert(rate! <= 30_000 && rate! >= 30_000 / 1.05);
    assertEquals(limitedBy, "server");
  });

  it("without an answer where not even the lowest rate holds", () => {
    for (const [busy, limitedBy] of [[0, "server"], [1, "client"]] as const) {
      const summary = search(() => figures(100, { cpuUtilization: busy }));
      assertEquals(summary.rate, null);
      assertEquals([summary.confirmed, summary.limitedBy], [false, limitedBy]);
      assertEquals(summary.steps.at(-1)?.rate, 1);
      assertLessOrEqual(summary.steps.length, 22);
    }
  });

  it("at the highest rate where every one holds", () => {
    const summary = search((rate) => figures(1, { receivedPerSecond: rate }));
    const { rate, confirmed, limitedBy, steps } = summary;
    assertEquals([rate, confirmed, limitedBy], [10_000_000, true, "search"]);
    assertEquals(steps.length, 16);
  });

  it("where the reached rate no longer follows the asked one", () => {
    // A server without latency, and a client that is not busy.
    const { rate, limitedBy } = search((rate) =>
      figures(1, { receivedPerSecond: Math.min(rate, 12_000) })
    );
    assert(rate! >= 12_000 / 1.05 && rate! <= 12_000 / 0.95);
    assertEquals(limitedBy, "server");
  });

  it("after as many steps as it may take, whatever happens", () => {
    for (let maxSteps = 1; maxSteps <= 40; maxSteps++) {
      for (let seed = 0; seed < 20; seed++) {
        const chance = random(maxSteps, seed);
        const { steps, rate } = search(
          (rate) =>
            figures(chance() < 0.5 ? 1 : 10, {
              receivedPerSecond: rate,
              cpuUtilization: chance(),
            }),
          { maxSteps },
        );
        assertLessOrEqual(steps.length, maxSteps);
        const held = steps.filter(({ verdict }) => verdict === "met");
        assert(rate === null || held.some((step) => step.rate === rate));
      }
    }
  });

  it("with its last steps kept to measure the answer again", () => {
    const { rate, confirmed, limitedBy } = search(sharp(1e9), { maxSteps: 6 });
    assertEquals([rate, confirmed, limitedBy], [8_000, true, "search"]);
  });

  it("and takes no step after that", () => {
    const search = new RateSearch({ maxSteps: 1 });
    search.record({ verdict: "met", reached: true });
    assertEquals(search.next, undefined);
    assertThrows(
      () => search.record({ verdict: "met", reached: true }),
      Error,
      "is over",
    );
    const { rate, confirmed } = search.answer();
    assertEquals([rate, confirmed], [1_000, false]);
  });
});

describe("steps that contradict each other", () => {
  it("are answered with the range between them", () => {
    // It was met at 16,000 once, and failed at 8,000 and above from then on.
    const { rate, range, confirmed } = search((rate, step) =>
      step <= 4 || rate < 8_000
        ? figures(1, { receivedPerSecond: rate })
        : figures(100, { receivedPerSecond: rate })
    );
    assert(rate! < 8_000 && rate! > 7_000 && confirmed);
    assertEquals(range, { from: rate, to: 16_000 });
  });

  it("are no contradiction where repeated steps settle it", () => {
    for (let unlucky = 0; unlucky < 12; unlucky++) {
      const { range } = search((rate, step) =>
        step === unlucky
          ? figures(100, { receivedPerSecond: rate })
          : sharp(50_000)(rate)
      );
      assertEquals(range, null);
    }
  });

  it("have no lower end where nothing held in the end", () => {
    const { rate, range } = search((rate, step) =>
      figures(step === 0 ? 1 : 100, { receivedPerSecond: rate })
    );
    assertEquals([rate, range], [null, { from: null, to: 1_000 }]);
  });
});

describe("the options of a search", () => {
  it("keep it between its lowest and its highest rate", () => {
    const options = { min: 300, max: 5_000 };
    const all = rates(search(sharp(1e9), options));
    assertEquals(Math.max(...all), 5_000);
    assertEquals(Math.min(...rates(search(sharp(1), options))), 300);
    assertEquals(new RateSearch({ start: 9, min: 20 }).next, 20);
    assertEquals(new RateSearch({ start: 9, max: 5 }).next, 5);
  });

  it("are refused by name out of their range", () => {
    for (
      const [options, reason] of [
        [{ start: 0 }, "with start 0: expected more than 0"],
        [{ min: -1 }, "with min -1"],
        [{ max: NaN }, "with max NaN"],
        [{ maxSteps: 0.5 }, "with maxSteps 0.5"],
        [{ min: 10, max: 5 }, "with min 10: expected no more than max, 5"],
      ] as const
    ) assertThrows(() => new RateSearch(options), RangeError, reason);
  });
});
