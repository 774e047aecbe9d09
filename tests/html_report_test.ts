import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  htmlReport,
  type HtmlReportInput,
  type LatencySummary,
} from "../lib/html_report.ts";
import {
  byId,
  cells,
  classed,
  elements,
  named,
  type Node,
  numberOf,
  parse,
  textOf,
} from "./report/parse.ts";
import {
  emptyRun,
  loadSummary,
  pingSummary,
  run,
  searchSummary,
} from "./report/summaries.ts";

const context = {
  target: "127.0.0.1:12345",
  expectations: [
    { expectation: "p99<5ms", measured: 1.625, met: true },
    { expectation: "rate>9000", measured: 8123.5, met: false },
    { expectation: "loss<1%", measured: 0.0125, met: false },
  ],
  options: [{ label: "--connections", value: "50" }],
  environment: [
    { label: "Deno", value: "2.9.6" },
    { label: "time", value: "2026-01-02T03:04:05Z" },
  ],
};

const HOSTILE =
  `<script>alert(1)</script>"'><img src=x onerror=alert(1)>]]>--&gt;&\x00\x1b[2J\u202e`;

const some = run({ intervals: 12, messages: 400, failing: [3], empty: [5] });
const full = loadSummary(some, {
  errors: { timeout: 17, unexpectedEof: 4 },
  firstErrors: { timeout: "0 of 512 bytes within 500 ms" },
  late: 123,
  unanswered: 45,
  rate: 400.5,
  dropped: 1_234,
  starved: 3,
  maxLag: 31.25,
  delayed: 4_321,
  reconnects: 21,
  cpuUtilization: 0.9375,
  connects: { ...some.latency, count: 23, mean: 0.4375, stddev: 0.0625 },
});
const odd = {
  ...full,
  messages: NaN,
  messagesPerSecond: Infinity,
  latency: { ...full.latency, p99: NaN, max: Infinity },
  percentiles: [{ percentile: NaN, latency: NaN }, {
    percentile: 100,
    latency: 0,
  }],
  buckets: [{ from: 0, to: Infinity, count: 3 }, { from: 0, to: 0, count: 0 }],
  intervals: [{ ...some.intervals[0]!, elapsed: 0, p50: 0, p99: NaN }],
};
const huge = loadSummary(some, {
  messages: Number.MAX_SAFE_INTEGER,
  messagesPerSecond: 1e12,
  buckets: [{ from: 1, to: 1.5, count: 1 }, { from: 1.5, to: 2, count: 1e15 }],
});
const zeros: LatencySummary = {
  min: 0,
  mean: 0,
  stddev: 0,
  p50: 0,
  p90: 0,
  p99: 0,
  p999: 0,
  max: 0,
};

/** Runs of every kind, and what could go wrong with them. */
const PAGES: Record<string, HtmlReportInput> = {
  "a load run": { ...context, mode: "load", summary: full },
  "a load run without anything else": {
    target: "h:1",
    mode: "load",
    summary: loadSummary(some),
  },
  "a load run without messages": {
    ...context,
    mode: "load",
    summary: loadSummary(emptyRun(3), { errors: { timeout: 3 } }),
  },
  "a load run that ended at once": {
    ...context,
    mode: "load",
    summary: loadSummary(emptyRun(), { duration: 0 }),
  },
  "a load run of one message": {
    ...context,
    mode: "load",
    summary: loadSummary(run({ intervals: 1, messages: 1 })),
  },
  "a load run whose messages took no time": {
    ...context,
    mode: "load",
    summary: loadSummary({
      ...some,
      latency: zeros,
      buckets: [{ from: 0, to: 0.001, count: 9 }],
      percentiles: [{ percentile: 0, latency: 0 }],
      intervals: some.intervals.map((interval) => ({
        ...interval,
        p50: 0,
        p99: 0,
        max: 0,
      })),
    }),
  },
  "a load run of hours": {
    ...context,
    mode: "load",
    summary: loadSummary(run({ intervals: 5_000, messages: 3, failing: [7] })),
  },
  "a load run with huge counts": { ...context, mode: "load", summary: huge },
  "a load run with figures that are no numbers": {
    ...context,
    mode: "load",
    summary: odd,
  },
  "a load run against a hostile server": {
    target: HOSTILE,
    expectations: [{
      expectation: HOSTILE,
      measured: NaN,
      met: false,
    }],
    options: [{ label: HOSTILE, value: HOSTILE }],
    environment: [{ label: HOSTILE, value: HOSTILE.repeat(1_000) }],
    mode: "load",
    summary: loadSummary(some, {
      errors: Object.fromEntries(
        Array.from({ length: 1_000 }, (_, i) => [HOSTILE + i, i + 1]),
      ),
      firstErrors: { [`${HOSTILE}999`]: HOSTILE },
    }),
  },
  "a ping run": { ...context, mode: "ping", summary: pingSummary(some) },
  "a ping run of single probes": {
    ...context,
    mode: "ping",
    summary: pingSummary(run({ intervals: 20, messages: 1, empty: [4] })),
  },
  "a ping run without an answer": {
    ...context,
    mode: "ping",
    summary: pingSummary(emptyRun(), { sent: 3, loss: 1 }),
  },
  "a rate search": {
    ...context,
    mode: "rate search",
    summary: searchSummary(),
  },
  "a rate search without an answer": {
    ...context,
    mode: "rate search",
    summary: {
      steps: [{
        rate: 1_000,
        messagesPerSecond: 0,
        p50: 0,
        p99: 0,
        p999: 0,
        dropped: 1_000,
        verdict: "not met",
      }],
      confirmed: false,
      limitedBy: "server",
    },
  },
  "a rate search without steps": {
    ...context,
    mode: "rate search",
    summary: { steps: [], confirmed: false, limitedBy: "search" },
  },
};

/** Everything in a page that is a number in full. */
function exactValues(page: Node): number[] {
  return named(page, "data").map(({ attributes }) =>
    Number(attributes.get("value"))
  );
}

/** The numbers of a summary, those of lists excepted. */
function numbersOf(summary: object): number[] {
  return Object.values(summary).flatMap((value) =>
    typeof value === "number"
      ? [value]
      : value !== null && typeof value === "object" && !Array.isArray(value)
      ? numbersOf(value)
      : []
  );
}

describe("every page", () => {
  for (const [name, input] of Object.entries(PAGES)) {
    const html = htmlReport(input);

    it(`is well-formed: ${name}`, () => {
      const page = parse(html);
      const ids = [...elements(page)].flatMap(({ attributes }) =>
        attributes.get("id") ?? []
      );
      assertEquals(ids.length, new Set(ids).size, "no id twice");
      assertEquals(named(page, "h1").length, 1);
    });

    it(`has no script and loads nothing: ${name}`, () => {
      const page = parse(html);
      const allowed =
        /^(class|id|lang|charset|name|content|role|aria-[a-z]+|tabindex|scope|value|width|height|viewBox|preserveAspectRatio|overflow|x|y|dx|dy|[xy][12]|c[xy]|r|d|transform)$/;
      for (const { name, attributes } of elements(page)) {
        assert(!/^(script|link|img|image|use|a|iframe|base)$/i.test(name));
        for (const attribute of attributes.keys()) {
          assert(allowed.test(attribute), `${attribute} of ${name}`);
        }
      }
      const style = named(page, "style").flatMap(({ children }) => children);
      assertEquals(style.length, 1);
      assert(!/url\(|@import|image|src/i.test(style.join()));
      assert(!/<script|https?:|url\(|\/\//i.test(html));
    });

    it(`has only numbers where numbers are: ${name}`, () => {
      assert(!/NaN|Infinity|undefined|null|\[object/.test(html));
      for (const { attributes } of elements(parse(html))) {
        for (const geometry of ["x", "y", "width", "height", "cx", "cy"]) {
          const value = attributes.get(geometry);
          if (value === undefined) continue;
          assert(/^-?[\d.]+(e-\d+)?%?$/.test(value), `${geometry}="${value}"`);
          if (geometry.length > 2) assert(!value.startsWith("-"), value);
        }
        const path = attributes.get("d");
        assert(path === undefined || /^[MLHVvZz\d. -]+$/.test(path), path);
      }
    });

    it(`has a text for each chart: ${name}`, () => {
      const page = parse(html);
      for (const chart of elements(page)) {
        if (chart.attributes.get("role") !== "img") continue;
        const ids = chart.attributes.get("aria-labelledby")!.split(" ");
        for (const id of ids) assert(textOf(byId(page, id)).length > 5);
      }
    });

    it(`is the same each time, and not too long: ${name}`, () => {
      assertEquals(htmlReport(input), html);
      assert(html.length < 250_000, `${html.length} characters`);
    });

    it(`shows the control characters that it was given: ${name}`, () => {
      // deno-lint-ignore no-control-regex
      assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/.test(html));
    });
  }
});

describe("the page of a load run", () => {
  const page = parse(htmlReport(PAGES["a load run"]!));
  const text = textOf(page);

  it("has every figure of the summary, exactly", () => {
    const shown = new Set(exactValues(page));
    const numbers = numbersOf(full);
    assert(numbers.length > 30);
    assertEquals(numbers.filter((number) => !shown.has(number)), []);
  });

  it("names the kinds of errors", () => {
    const errors = named(page, "section").find((section) =>
      textOf(section).includes("unexpectedEof")
    );
    assertStringIncludes(textOf(errors!), "timeout17");
  });

  it("has every interval in a table", () => {
    const rows = cells(page, "Figures over time");
    assertEquals(rows.length, full.intervals.length);
    for (const [i, interval] of full.intervals.entries()) {
      const [time, messages, , errors, p50, p99, max, at] = rows[i]!;
      assertEquals(numberOf(time), interval.elapsed / 1_000);
      assertEquals(numberOf(messages), interval.messages);
      assertEquals(numberOf(errors), interval.errors);
      assertEquals(at, interval.timestamp);
      if (interval.messages === 0) {
        assertEquals([p50, p99, max].join(), "–,–,–");
      } else {
        assertAlmostEquals(numberOf(p50), interval.p50, 0.001);
        assertAlmostEquals(numberOf(p99), interval.p99, 0.001);
        assertAlmostEquals(numberOf(max), interval.max, 0.001);
      }
    }
  });

  it("has every percentile and every bucket in a table", () => {
    const percentiles = cells(page, "Latency by percentile");
    for (const [i, { percentile, latency }] of full.percentiles.entries()) {
      const [first, second] = percentiles[i]!;
      assertEquals(parseFloat(first!), percentile);
      assertAlmostEquals(numberOf(second), latency, 0.001);
    }
    assertEquals(
      cells(page, "Histogram").map((row) => numberOf(row[2])),
      full.buckets.map(({ count }) => count),
    );
  });

  it("draws a bar for each bucket that is not empty, as high as its count", () => {
    const counts = full.buckets.map(({ count }) => count).filter((n) => n > 0);
    const heights = classed(byId(page, "histogram"), "bar").map((bar) =>
      Number(bar.attributes.get("height"))
    );
    assertEquals(heights.length, counts.length);
    assertEquals(
      heights.indexOf(Math.max(...heights)),
      counts.indexOf(Math.max(...counts)),
    );
    for (const height of heights) assert(height > 0);
  });

  it("has a gap in the latencies where no message came back", () => {
    const lines = classed(byId(page, "latency"), "line")
      .filter(({ name, attributes }) =>
        name === "path" && !attributes.get("class")!.includes("failure")
      );
    assertEquals(lines.length, 3);
    for (const { attributes } of lines) {
      assertEquals(attributes.get("d")!.match(/M/g)?.length, 2);
    }
  });

  it("labels the percentile curve in percentiles", () => {
    const ticks = classed(byId(page, "percentiles"), "middle").map(textOf);
    for (const percentile of ["50", "90", "99", "99.9"]) {
      assert(ticks.includes(`${percentile}\u00a0%`), percentile);
    }
  });

  it("says each verdict in words", () => {
    const rows = cells(page, "Expectations");
    assertEquals(rows.map((row) => row[0]), [
      "p99<5ms",
      "rate>9000",
      "loss<1%",
    ]);
    assertEquals(rows.map((row) => row[2]), [
      "✓ met",
      "✗ not met",
      "✗ not met",
    ]);
    assertEquals(rows.map((row) => row[1]!.replaceAll("\u00a0", " ")), [
      "1.63 ms",
      "8,124 messages/s",
      "1.25 %",
    ]);
    assertStringIncludes(text, "2 of 3 expectations were not met");
  });

  it("warns if the client was the limit, or messages were not sent", () => {
    const warnings = textOf(classed(page, "warnings")[0]!);
    assertStringIncludes(warnings, "0 of 512 bytes within 500 ms");
    assertStringIncludes(warnings, "The client was busy 94 % of the time");
    assertStringIncludes(warnings, "1,234 scheduled messages were not sent");
    assertStringIncludes(warnings, "ms late, and 4,321 messages over 3 ms");
    assertStringIncludes(warnings, "3 connections got no reply");
  });

  it("has the options and the environment", () => {
    for (
      const { label, value } of [...context.options, ...context.environment]
    ) {
      assertStringIncludes(text, label + value);
    }
  });
});

describe("the page of a ping run", () => {
  it("has every figure of the summary, exactly", () => {
    const page = parse(htmlReport(PAGES["a ping run"]!));
    const shown = new Set(exactValues(page));
    const numbers = numbersOf(pingSummary(some));
    assert(numbers.length >= 13);
    assertEquals(numbers.filter((number) => !shown.has(number)), []);
  });

  it("draws one line if an interval has one probe", () => {
    const page = parse(htmlReport(PAGES["a ping run of single probes"]!));
    const paths = named(byId(page, "latency"), "path");
    assertEquals(paths.length, 1);
  });

  it("has dashes where nothing came back", () => {
    const page = parse(htmlReport(PAGES["a ping run without an answer"]!));
    assertStringIncludes(textOf(page), "maximum–");
    assertStringIncludes(textOf(page), "100\u00a0%");
    assertEquals(classed(page, "empty").length, 3);
  });
});

describe("the page of a rate search", () => {
  const summary = searchSummary();
  const page = parse(htmlReport(PAGES["a rate search"]!));

  it("says that the answer is a lower bound where the client was the limit", () => {
    const of = (limitedBy: "server" | "client") =>
      textOf(parse(htmlReport({
        target: "h:1",
        mode: "rate search",
        summary: { ...summary, limitedBy },
      })));
    assertStringIncludes(of("client"), "at least 37,500");
    assertStringIncludes(of("client"), "The client was the limit");
    assert(!of("server").includes("at least"));
  });

  it("has every step in a table, and marks the answer", () => {
    const rows = cells(page, "The steps");
    assertEquals(rows.length, summary.steps.length);
    for (const [i, step] of summary.steps.entries()) {
      const [rate, verdict, reached, p50, p99, p999, dropped] = rows[i]!;
      assertEquals(numberOf(rate), step.rate);
      assertStringIncludes(verdict!, step.verdict);
      assertAlmostEquals(numberOf(reached), step.messagesPerSecond, 0.5);
      assertAlmostEquals(numberOf(p50), step.p50, 0.001);
      assertAlmostEquals(numberOf(p99), step.p99, 0.001);
      assertAlmostEquals(numberOf(p999), step.p999, 0.001);
      assertEquals(numberOf(dropped), step.dropped);
    }
    const answers = rows.filter((row) => row[1]!.includes("answer"));
    assertEquals(answers.length, 1);
    assertEquals(numberOf(answers[0]![0]), summary.rate);
  });

  it("draws three lines, a mark for each step, and the answer", () => {
    const chart = byId(page, "rate-latency");
    const svg = named(chart, "svg").find(({ attributes }) =>
      attributes.get("role") === "img"
    )!;
    const drawn = classed(svg, "line");
    assertEquals(drawn.length, 3);
    // 37,500 was measured twice, and the second time decided.
    for (const { attributes } of drawn) {
      const points = attributes.get("d")!.match(/[ML]/g)!.length;
      assertEquals(points, summary.steps.length - 1);
    }
    assertEquals(classed(svg, "mark").length, summary.steps.length);
    assertEquals(textOf(classed(svg, "answer-label")[0]!), "answer: 37,500");
  });

  it("says that no rate held, and when the client was the limit", () => {
    const none = parse(htmlReport(PAGES["a rate search without an answer"]!));
    assertStringIncludes(textOf(none), "No rate held");
    assertStringIncludes(
      textOf(classed(page, "warnings")[0]!),
      "In 1 step the client was the limit",
    );
  });
});

describe("text from outside", () => {
  it("is text in the page and nothing else", () => {
    const page = parse(
      htmlReport(PAGES["a load run against a hostile server"]!),
    );
    const visible = HOSTILE.replace("\x00", "\\x00").replace("\x1b", "\\x1b")
      .replace("\u202e", "\\u202e");
    assertStringIncludes(textOf(named(page, "h1")[0]!), visible);
    assertStringIncludes(textOf(named(page, "title")[0]!), visible);
    assertEquals(cells(page, "Expectations")[0]![0], visible);
    assertStringIncludes(textOf(classed(page, "warnings")[0]!), visible);
    assertStringIncludes(textOf(page), "980 other kinds");
  });
});
