import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  checkExpectations,
  formatExpectation,
  parseExpectation,
} from "../../lib/stats/expectation.ts";
import { metricsOf, unitOf } from "../../lib/stats/metrics.ts";
import { loadSummary, pingSummary } from "../support/summaries.ts";

/** 1 to 1,000 ms. */
const REPLIES = Array.from({ length: 1_000 }, (_, i) => i + 1);
const PING = pingSummary({ jitter: 0.3, errors: { timeout: 1 }, loss: 0.01 });
const LOAD = loadSummary({
  receivedPerSecond: 9_123.4,
  errors: { timeout: 7, reset: 3 },
  loss: 0.01,
  dropped: 12,
  fairness: 0.98,
}, REPLIES);
const NOTHING = loadSummary({ fairness: null, receivedPerSecond: 0 }, []);

function ping(text: string, summary = PING) {
  return checkExpectations([parseExpectation(text, "ping")], summary)[0]!;
}

function load(text: string, summary = LOAD) {
  return checkExpectations([parseExpectation(text, "load")], summary)[0]!;
}

describe("a condition is read", () => {
  for (
    const [text, metric, op, limit] of [
      ["p99<5ms", "p99", "<", 5],
      ["p99.9<=1s", "p99.9", "<=", 1_000],
      ["p95<5ms", "p95", "<", 5],
      ["p99.97<5ms", "p99.97", "<", 5],
      ["p0>=1us", "p0", ">=", 0.001],
      ["p100<5ms", "p100", "<", 5],
      ["min>=100us", "min", ">=", 0.1],
      ["jitter<0.5µs", "jitter", "<", 0.0005],
      ["max<50\u03bcs", "max", "<", 0.05],
      ["  mean  <  1.5 ms ", "mean", "<", 1.5],
      ["loss<1%", "loss", "<", 0.01],
      ["loss=0 %", "loss", "=", 0],
      ["loss<=100%", "loss", "<=", 1],
      ["rate>9000", "rate", ">", 9_000],
      ["rate>9,000", "rate", ">", 9_000],
      ["rate>0.5", "rate", ">", 0.5],
      ["errors=0", "errors", "=", 0],
      ["dropped<=1,234,567", "dropped", "<=", 1_234_567],
      ["errors==0", "errors", "=", 0],
      ["fairness>0.99", "fairness", ">", 0.99],
    ] as const
  ) {
    it(JSON.stringify(text), () => {
      const read = parseExpectation(text);
      assertEquals([read.metric, read.op, read.limit], [metric, op, limit]);
    });
  }

  it("and restated without blanks", () => {
    assertEquals(parseExpectation(" p99 < 5 ms ").text, "p99<5ms");
    assertEquals(parseExpectation("errors == 0").text, "errors=0");
  });

  it("its limit the nearest double to what was written", () => {
    assertEquals(parseExpectation("loss<0.7%").limit, 0.007);
    assertEquals(parseExpectation("p50<70.1us").limit, 0.0701);
  });
});

describe("a condition is refused", () => {
  for (
    const [text, reason] of [
      ["", "such as p99<5ms"],
      ["p99", "such as p99<5ms"],
      ["p99<", "such as p99<5ms"],
      ["<5ms", "such as p99<5ms"],
      ["p99 5ms", "such as p99<5ms"],
      ["p99 max<5ms", "such as p99<5ms"],
      ["p99<5", "the unit us, ms or s, such as 5ms, as the value of p99"],
      ["p99<5m", "the unit us, ms or s"],
      ["p99<5%", "the unit us, ms or s"],
      ["p99<-5ms", "the unit us, ms or s"],
      ["p99<5e3ms", "the unit us, ms or s"],
      ["p99<5ms,loss<1%", "the unit us, ms or s"],
      ["p99=<5ms", "the unit us, ms or s"],
      [`p99<${"9".repeat(400)}ms`, "the unit us, ms or s"],
      ["loss<1", "a percentage from 0% to 100%, such as 0.5%"],
      ["loss<0.01", "a percentage"],
      ["loss<101%", "a percentage"],
      ["rate>9000/s", "messages a second without a unit, such as 9000"],
      ["rate>9ms", "messages a second"],
      ["rate>9,00", "messages a second"],
      ["errors<0.5", "a whole number without a unit"],
      ["dropped<1%", "a whole number without a unit"],
      ["fairness>1.1", "a number from 0 to 1"],
      ["fairness>99%", "a number from 0 to 1"],
      ["p101<5ms", "expected pNN (such as p50, p99.9), min, mean, max,"],
      ["p100.1<5ms", "expected pNN"],
      ["p<5ms", "did you mean p99?"],
      ["p9.<5ms", "did you mean p99?"],
      ["fairnes>0.9", "did you mean fairness?"],
      ["P99<5ms", "did you mean p99?"],
      ["p999<5ms", "did you mean p99.9?"],
      ["avg<5ms", "did you mean mean?"],
      ["mdev<5ms", "did you mean stddev?"],
      ["constructor<5ms", "did you mean"],
    ] as const
  ) {
    it(`${JSON.stringify(text.slice(0, 20))}, with the reason`, () => {
      const error = assertThrows(
        () => parseExpectation(text),
        RangeError,
        reason,
      );
      assertEquals(error.message.startsWith("expected "), true);
      assertEquals(error.message.includes("\n"), false);
    });
  }

  it("if the mode does not measure it, with what the mode does", () => {
    const error = assertThrows(
      () => parseExpectation("rate>9000", "ping"),
      RangeError,
    );
    assertEquals(
      error.message,
      "expected a metric that ping measures (pNN (such as p50, p99.9), min, mean, max, stddev, jitter, loss or errors), not rate",
    );
    assertThrows(
      () => parseExpectation("jitter<1ms", "load"),
      RangeError,
      "load measures (pNN (such as p50, p99.9), min, mean, max, stddev, loss, rate, errors, dropped or fairness), not jitter",
    );
    assertThrows(() => ping("fairness>0"), RangeError, "ping measures");
  });
});

describe("a condition is checked", () => {
  it("by its operator, the limit included where it says so", () => {
    for (
      const [op, verdicts] of [
        ["<", [false, false, true]],
        ["<=", [false, true, true]],
        [">", [true, false, false]],
        [">=", [true, true, false]],
        ["=", [false, true, false]],
      ] as const
    ) {
      const met = ["11", "12", "13"].map((n) => load(`dropped${op}${n}`).met);
      assertEquals(met, [...verdicts]);
    }
  });

  it("for each metric of ping, in its own unit", () => {
    const limits = {
      duration: "1s",
      percentage: "50%",
      count: "5",
      rate: "",
      share: "",
    };
    const measured = metricsOf("ping").slice(1).map((metric) =>
      ping(`${metric}<${limits[unitOf(metric)!]}`)
    );
    const { latency } = PING;
    assertEquals(
      measured.map(({ measured }) => measured),
      [latency.min, latency.mean, 2, latency.stddev, 0.3, 0.01, 1],
    );
    assertEquals(measured.every(({ met }) => met), true);
  });

  it("for each metric of load, in its own unit", () => {
    const values = ["loss<2%", "rate>9000", "errors=10", "dropped=12"];
    assertEquals(
      [...values, "fairness>0.9", "max<1001ms"].map((text) => load(text)),
      [
        ["loss<2%", 0.01],
        ["rate>9000", 9_123.4],
        ["errors=10", 10],
        ["dropped=12", 12],
        ["fairness>0.9", 0.98],
        ["max<1001ms", 1_000],
      ].map(([expectation, measured]) => ({
        expectation: expectation as string,
        measured: measured as number,
        atLeast: false,
        met: true,
        needs: null,
      })),
    );
  });

  for (const [p, ms] of [[37.5, 375], [95, 950], [99.9, 999]] as const) {
    it(`for p${p}, by its nearest rank`, () => {
      assertEquals(load(`p${p}<${ms * 1.001}ms`).met, true);
      assertEquals(load(`p${p}>${ms * 0.999}ms`).met, true);
    });
  }

  it("in full precision, a share equal to its percentage", () => {
    for (let lost = 0; lost <= 1_000; lost++) {
      const summary = pingSummary({ loss: lost / 1_000 });
      const percent = `${Math.floor(lost / 10)}.${lost % 10}%`;
      assertEquals(ping(`loss=${percent}`, summary).met, true, percent);
    }
    assertEquals(load("max<1000.0000000001ms").met, true);
  });

  it("and is not met where nothing was measured", () => {
    for (const text of ["p99<5ms", "min>=0s", "loss<1%", "mean<1s"]) {
      assertEquals(load(text, NOTHING), {
        expectation: text,
        measured: null,
        atLeast: false,
        met: false,
        needs: null,
      });
    }
    assertEquals(load("errors=0", NOTHING).met, true);
    assertEquals(load("rate>0", NOTHING).measured, 0);
    const one = pingSummary({ jitter: null }, [1]);
    assertEquals(ping("jitter<1ms", one).met, false);
  });

  it("and is not met where too few messages support it", () => {
    const ten = loadSummary({ fairness: null }, Array(10).fill(1));
    for (
      const [text, met, needs] of [
        ["p90<5ms", true, null],
        ["p95<5ms", false, 20],
        ["p99.9<5ms", false, 1_000],
        ["max<5ms", true, null],
        ["fairness>0.1", false, 500],
      ] as const
    ) {
      const result = load(text, ten);
      assertEquals([result.met, result.needs], [met, needs], text);
    }
  });

  it("and is not met where missing messages could break it", () => {
    // 5 of 1,000 had waited for 3 s.
    const summary = loadSummary(
      {},
      REPLIES.slice(0, 995),
      Array(5).fill(3_000),
    );
    for (
      const [text, met, atLeast] of [
        ["p99<1s", true, false],
        ["p99.9<10s", false, true],
        ["p99.9>2s", true, true],
        ["max<10s", false, true],
        ["max>1s", true, true],
        ["mean<10s", false, true],
        ["stddev<10s", false, true],
        ["min<=1ms", true, false],
        ["p50=1ms", false, false],
      ] as const
    ) {
      const result = load(text, summary);
      assertEquals([result.met, result.atLeast], [met, atLeast], text);
    }
  });
});

describe("a condition is printed", () => {
  const known = { atLeast: false, needs: null };

  for (
    const [expectation, measured, met, line] of [
      ["p99<5ms", 3.2, true, "p99<5ms: met (3.2 ms)"],
      ["p99<5ms", 7.1234, false, "p99<5ms: not met (7.12 ms)"],
      ["p50<100us", 0.0701, true, "p50<100us: met (70.1 µs)"],
      ["max<=1.5s", 32.1, true, "max<=1.5s: met (0.0321 s)"],
      ["loss<1%", 1 / 300, true, "loss<1%: met (0.333%)"],
      ["loss<0.7%", 0.007, false, "loss<0.7%: not met (0.7%)"],
      ["rate>9000", 9_123.4, true, "rate>9000: met (9,123)"],
      ["rate>1,000,000", 12, false, "rate>1,000,000: not met (12)"],
      ["errors=0", 40, false, "errors=0: not met (40)"],
      ["errors=0", 0, true, "errors=0: met (0)"],
      ["dropped=0", 1_234_567, false, "dropped=0: not met (1,234,567)"],
      ["fairness>0.99", 0.99987, true, "fairness>0.99: met (1)"],
      ["p99<5ms", 1e-7, true, "p99<5ms: met (0.0000001 ms)"],
      // With the digits that show on which side of its limit it is.
      ["p99<5ms", 4.9996, true, "p99<5ms: met (4.9996 ms)"],
      ["p99<5ms", 5, false, "p99<5ms: not met (5 ms)"],
      ["p99<5ms", 5.0004, false, "p99<5ms: not met (5 ms)"],
      ["p99=5ms", 5.0004, false, "p99=5ms: not met (5.0004 ms)"],
    ] as const
  ) {
    it(line, () => {
      const result = { ...known, expectation, measured, met };
      assertEquals(formatExpectation(result), line);
    });
  }

  it("without a figure where there is none, and as a lower bound", () => {
    const result = {
      ...known,
      expectation: "p99<5ms",
      measured: null,
      met: false,
    };
    assertEquals(
      [
        result,
        { ...result, needs: 1_000 },
        { ...result, measured: 3_300, atLeast: true },
        { ...result, measured: 4, atLeast: true },
      ].map(formatExpectation),
      [
        "p99<5ms: not met (nothing measured)",
        "p99<5ms: not met (too few messages to know: it needs 1,000)",
        "p99<5ms: not met (≥ 3,300 ms)",
        "p99<5ms: not met (≥ 4 ms)",
      ],
    );
  });
});
