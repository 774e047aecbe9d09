import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  checkExpectations,
  formatExpectation,
  parseExpectation,
} from "../../lib/stats/expectation.ts";
import {
  type LoadFigures,
  METRIC_UNITS,
  metricsOf,
  type PingFigures,
} from "../../lib/stats/metrics.ts";

const latency = {
  min: 0.1,
  mean: 0.5,
  stddev: 0.2,
  p50: 0.4,
  p90: 0.8,
  p99: 3.2,
  p999: 8,
  max: 9,
};
const PING: PingFigures = {
  sent: 100,
  received: 99,
  rtt: latency,
  jitter: 0.3,
};
const LOAD: LoadFigures = {
  messages: 990,
  messagesPerSecond: 9_123.4,
  errors: { timeout: 7, reset: 3 },
  latency,
  dropped: 12,
  fairness: 0.98,
};
const NOTHING: LoadFigures = {
  messages: 0,
  messagesPerSecond: 0,
  errors: {},
  latency: {
    min: 0,
    mean: 0,
    stddev: 0,
    p50: 0,
    p90: 0,
    p99: 0,
    p999: 0,
    max: 0,
  },
  dropped: 0,
  fairness: 1,
};

function ping(text: string, figures = PING) {
  return checkExpectations([parseExpectation(text)], "ping", figures)[0]!;
}

function load(text: string, figures = LOAD) {
  return checkExpectations([parseExpectation(text)], "load", figures)[0]!;
}

describe("a condition is read", () => {
  for (
    const [text, metric, op, limit] of [
      ["p99<5ms", "p99", "<", 5],
      ["p99.9<=1s", "p99.9", "<=", 1_000],
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
      ["p95<5ms", "expected min, mean, p50, p90, p99, p99.9, max,"],
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
      "expected a metric that ping measures (min, mean, p50, p90, p99, p99.9, max, stddev, jitter, loss or errors), not rate",
    );
    assertThrows(
      () => parseExpectation("jitter<1ms", "load"),
      RangeError,
      "load measures (min, mean, p50, p90, p99, p99.9, max, stddev, loss, rate, errors, dropped or fairness), not jitter",
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
    const measured = metricsOf("ping").map((metric) =>
      ping(`${metric}<${limits[METRIC_UNITS[metric]]}`)
    );
    assertEquals(
      measured.map(({ measured }) => measured),
      [0.1, 0.5, 0.4, 0.8, 3.2, 8, 9, 0.2, 0.3, 0.01, 1],
    );
    assertEquals(measured.every(({ met }) => met), true);
  });

  it("for each metric of load, in its own unit", () => {
    const values = ["loss<2%", "rate>9000", "errors=10", "dropped=12"];
    assertEquals(
      [...values, "fairness>0.9", "p99.9<8.1ms"].map((text) => load(text)),
      [
        { expectation: "loss<2%", measured: 0.01, met: true },
        { expectation: "rate>9000", measured: 9_123.4, met: true },
        { expectation: "errors=10", measured: 10, met: true },
        { expectation: "dropped=12", measured: 12, met: true },
        { expectation: "fairness>0.9", measured: 0.98, met: true },
        { expectation: "p99.9<8.1ms", measured: 8, met: true },
      ],
    );
  });

  it("in full precision, a share equal to its percentage", () => {
    for (let lost = 0; lost <= 1_000; lost++) {
      const figures = { ...PING, sent: 1_000, received: 1_000 - lost };
      const percent = `${Math.floor(lost / 10)}.${lost % 10}%`;
      assertEquals(ping(`loss=${percent}`, figures).met, true, percent);
    }
    const rtt = { ...latency, p99: 5 - 1e-12 };
    assertEquals(ping("p99<5ms", { ...PING, rtt }).met, true);
  });

  it("and is not met where nothing was measured", () => {
    for (const text of ["p99<5ms", "min>=0s", "loss<1%", "fairness>0.5"]) {
      assertEquals(load(text, NOTHING), { expectation: text, met: false });
    }
    assertEquals(load("errors=0", NOTHING).met, true);
    assertEquals(load("rate>0", NOTHING).measured, 0);
    const one = { ...PING, sent: 2, received: 1, jitter: 0 };
    assertEquals(ping("jitter<1ms", one).met, false);
    assertEquals(ping("loss<=50%", one).met, true);
    assertEquals(ping("loss=0%", { ...one, sent: 0, received: 0 }).met, false);
  });
});

describe("a condition is printed", () => {
  for (
    const [expectation, measured, met, line] of [
      ["p99<5ms", 3.2, true, "p99 3.2 ms < 5 ms: met"],
      ["p99<5ms", 7.1234, false, "p99 7.12 ms < 5 ms: not met"],
      ["p50<100us", 0.0701, true, "p50 70.1 µs < 100 µs: met"],
      ["max<=1.5s", 32.1, true, "max 0.0321 s <= 1.5 s: met"],
      ["loss<1%", 1 / 300, true, "loss 0.333% < 1%: met"],
      ["loss<0.7%", 0.007, false, "loss 0.7% < 0.7%: not met"],
      ["rate>9000", 9_123.4, true, "rate 9,123 > 9,000: met"],
      ["rate>1,000,000", 12, false, "rate 12 > 1,000,000: not met"],
      ["errors=0", 0, true, "errors 0 = 0: met"],
      ["dropped=0", 1_234_567, false, "dropped 1,234,567 = 0: not met"],
      ["fairness>0.99", 0.99987, true, "fairness 1 > 0.99: met"],
    ] as const
  ) {
    it(line, () => {
      assertEquals(formatExpectation({ expectation, measured, met }), line);
    });
  }

  it("with the digits that show on which side of its limit it is", () => {
    const line = (measured: number) =>
      formatExpectation({
        expectation: "p99<5ms",
        measured,
        met: measured < 5,
      });
    assertEquals(line(4.9996), "p99 4.9996 ms < 5 ms: met");
    assertEquals(line(5), "p99 5 ms < 5 ms: not met");
    assertEquals(line(5.0004), "p99 5 ms < 5 ms: not met");
    assertEquals(
      formatExpectation({
        expectation: "p99=5ms",
        measured: 5.0004,
        met: false,
      }),
      "p99 5.0004 ms = 5 ms: not met",
    );
  });

  it("without a figure where nothing was measured", () => {
    assertEquals(
      formatExpectation({ expectation: "p99<5ms", met: false }),
      "p99 < 5 ms: not met (nothing measured)",
    );
  });
});
