import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { htmlReport, type HtmlReportInput } from "../lib/html_report.ts";
import {
  loadSummary,
  pingSummary,
  searchSummary,
  step,
} from "./report/summaries.ts";

const HOSTILE = `<script>alert(1)</script>"'>&\x00\x1b[2J\u202e`;
const HOSTILE_TEXT = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;" +
  "&amp;\\x00\\x1b[2J\\u202e";

/** 12 s at 100 messages/s; the server is down from the 5th to the 6th. */
const OUTAGE = { seconds: 12, perSecond: 100, down: [5] };

const failing = loadSummary(OUTAGE, {
  rate: 100,
  failed: 17,
  errors: { timeout: 17, unexpectedEof: 4 },
  firstErrors: { timeout: "0 of 512 bytes", unexpectedEof: "closed" },
  dropped: 1_234,
  droppedBy: { down: 1_200, slow: 34, client: 0 },
  lag: { p50: 0.1, p99: 1.2, max: 31.25 },
  delayed: 4_321,
  cpuUtilization: 0.9375,
  fairness: 0.9987,
});
const refused = loadSummary({ seconds: 0, perSecond: 0 }, {
  errors: { connectionRefused: 205 },
  firstErrors: { connectionRefused: "connection refused" },
  ...{ receivedPerSecond: null, bytesPerSecond: null, fairness: null },
});
const odd = {
  ...failing,
  received: NaN,
  receivedPerSecond: Infinity,
  latency: { ...failing.latency, p99: NaN, max: Infinity, p50: 0 },
  percentiles: [{ percentile: 99, latency: NaN, atLeast: false }],
  buckets: [{ from: 0, to: Infinity, count: 3 }, { from: 0, to: 0, count: 0 }],
  intervals: [{ ...failing.intervals[0]!, elapsed: 0, p50: 0, p99: NaN }],
};

/** Runs of every kind, and what could go wrong with them. */
const RUNS = {
  "a load run": {
    summary: loadSummary({ seconds: 12, perSecond: 400 }),
    expectations: ["p99<5ms", "rate>300", "loss<1%"],
  },
  "a load run that failed": {
    summary: failing,
    expectations: ["p99<1ms", "rate>9000", "loss=0%"],
  },
  "a short run": { summary: loadSummary({ seconds: 1, perSecond: 1 }) },
  "a load run without messages": { summary: refused },
  "a load run of hours": {
    summary: loadSummary({ seconds: 9_000, perSecond: 2, down: [7_000] }),
  },
  "a load run with figures that are no numbers": { summary: odd },
  "a load run against a hostile server": {
    target: HOSTILE,
    options: [{ label: HOSTILE, value: HOSTILE.repeat(1_000) }],
    summary: {
      ...failing,
      errors: { [HOSTILE]: 3 },
      firstErrors: { [HOSTILE]: HOSTILE.repeat(1_000) },
    },
  },
  "a ping run": { summary: pingSummary({ ...OUTAGE, perSecond: 10 }) },
  "a ping run of more probes than are drawn": {
    summary: pingSummary(OUTAGE, { probes: [] }),
  },
  "a ping run without an answer": {
    summary: pingSummary({ seconds: 3, perSecond: 1, down: [0, 1, 2] }),
  },
  "a rate search": { summary: searchSummary() },
  "a rate search without steps": {
    summary: searchSummary({ steps: [], rate: null, confirmed: false }),
  },
} satisfies Record<string, Partial<HtmlReportInput>>;

function report(input: Pick<HtmlReportInput, "summary">): string {
  return htmlReport({
    target: "127.0.0.1:12345",
    options: [{ label: "--connections", value: "50" }],
    environment: [{ label: "Deno", value: "2.9.6" }],
    ...input,
  });
}

function pageOf(name: keyof typeof RUNS): string {
  return report(RUNS[name]);
}

/** The figure of a chart. */
function figure(html: string, id: string): string {
  const pattern = new RegExp(`<figure id="${id}">.*?</figure>`, "s");
  return pattern.exec(html)?.[0] ?? "";
}

/** The paths of a class in the picture, as their sources. */
function paths(html: string, style: string): string[] {
  const picture = html.replaceAll(/<ul class="legend">.*?<\/ul>/g, "");
  return [...picture.matchAll(/<path class="([^"]*)" d="([^"]*)"/g)]
    .filter(([, classes]) => classes === style).map(([, , d]) => d!);
}

/** Points of the first path of a class. */
function points(html: string, style: string): number | undefined {
  return paths(html, style)[0]?.match(/[ML]/g)?.length;
}

/** What follows a label, in cards and sections. */
function value(html: string, label: string): string | undefined {
  const start = `<(?:dt|th scope="row")>${label}</(?:dt|th)>`;
  return new RegExp(`${start}<[td]d>(.*?)</[td]d>`).exec(html)?.[1];
}

/** The banner, and the conditions and findings below it, as text. */
function top(html: string): string[] {
  const lines = html.match(/<p class="banner.*?<\/p>|<li><span.*?<\/li>/gs);
  return (lines ?? []).map((line) => line.replaceAll(/<[^>]*>/g, "").trim());
}

const TAG = /<(\/?)(\w+)((?: [\w:-]+="[^"<>]*")*)\s*(\/?)>/g;
const ATTRIBUTES =
  /^(class|id|lang|charset|name|content|role|aria-[a-z]+|tabindex|scope|width|height|viewBox|preserveAspectRatio|x|y|dx|d)$/;

describe("every page", () => {
  for (const [name, input] of Object.entries(RUNS)) {
    const html = report(input);

    it(`is well-formed, and the same each time: ${name}`, () => {
      const body = html.replace("<!DOCTYPE html>", "")
        .replace(/<style>.*<\/style>/s, "");
      const open: string[] = [];
      for (const [, isEnd, tag, , isVoid] of body.matchAll(TAG)) {
        if (isEnd) assertEquals(open.pop(), tag);
        else if (!isVoid && tag !== "meta") open.push(tag!);
      }
      assertEquals(open, []);
      assertEquals(report(input), html);
      assert(html.length < 250_000, `${html.length} characters`);
      assert(!/[<>]/.test(body.replaceAll(TAG, "")), "all tags were read");
      const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      assertEquals(ids.length, new Set(ids).size, "no id is there twice");
      for (const [, texts] of html.matchAll(/aria-labelledby="([^"]*)"/g)) {
        for (const id of texts!.split(" ")) assert(ids.includes(id));
      }
    });

    it(`has no script and loads nothing: ${name}`, () => {
      for (const [, , tag, attributes] of html.matchAll(TAG)) {
        assert(!/^(script|link|img|image|use|a|iframe|base)$/i.test(tag!));
        for (const [, attribute] of attributes!.matchAll(/ ([\w:-]+)="/g)) {
          assert(ATTRIBUTES.test(attribute!), `${attribute} of ${tag}`);
        }
      }
      assert(!/<script|https?:|url\(|@import|\/\//i.test(html));
    });

    it(`has only numbers where numbers are: ${name}`, () => {
      assert(!/NaN|Infinity|undefined|null|\[object/.test(html));
      for (const [, d] of html.matchAll(/ d="([^"]*)"/g)) {
        assertMatch(d!, /^[MLHVhvzZ\d., -]*$/);
      }
      for (const [, place] of html.matchAll(/ (?:x|y|dx)="([^"]*)"/g)) {
        assertMatch(place!, /^-?[\d.]+%?$/);
      }
    });
  }

  it("has the options, the environment, a light and a dark scheme", () => {
    const html = pageOf("a load run");
    assertEquals(value(html, "--connections"), "50");
    assertEquals(value(html, "Deno"), "2.9.6");
    assertMatch(
      html,
      /color-scheme: light dark;.*light-dark\(#fff, #14171a\)/s,
    );
  });

  it("shows text from outside as text, without control characters", () => {
    const html = pageOf("a load run against a hostile server");
    for (const tag of ["title", "span", "li", "th", "td"]) {
      const element = new RegExp(`<${tag}[^>]*>(?:(?!</?${tag}).)*&lt;script`);
      assertMatch(html, element);
    }
    assert(html.includes(`<span>${HOSTILE_TEXT}</span>`));
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/.test(html));
  });

  it("refuses a condition that is none", () => {
    const input = { ...RUNS["a load run"], expectations: ["p99"] };
    assertThrows(() => report(input), RangeError, "such as p99<5ms");
  });
});

describe("the top of a page", () => {
  it("says that a run passed, and each condition that it met", () => {
    assertMatch(pageOf("a load run"), /<p class="banner good">/);
    assertEquals(top(pageOf("a load run")), [
      "✓ Passed exit status 0",
      "✓ p99&lt;5ms: met (1.49 ms)",
      "✓ rate&gt;300: met (400)",
      "✓ loss&lt;1%: met (0%)",
    ]);
  });

  it("says why a run failed: conditions, then findings, the worst first", () => {
    assertMatch(pageOf("a load run that failed"), /<p class="banner error">/);
    const lines = [
      "✗ Failed: 3 of 3 expectations not met exit status 1",
      "✗ p99&lt;1ms: not met (≥ 6,",
      "✗ rate&gt;9000: not met (91.7)",
      "✗ loss=0%: not met (8.33%)",
      "✗ 17 messages timed out; the first: 0 of 512 bytes",
      "✗ 4 connections were closed",
      "✗ 100 messages were without an echo at the end",
      "✗ 1,234 scheduled messages were not sent: 1,200 because",
      "△ The client was busy 93.8% of the time",
      "△ This client was up to 31.3 ms late",
    ];
    const shown = top(pageOf("a load run that failed"));
    for (const [i, line] of lines.entries()) {
      assertEquals(shown[i]?.slice(0, line.length), line);
    }
  });

  it("is a failure if nothing came back, and no figure looks good", () => {
    const html = pageOf("a load run without messages");
    assertMatch(html, /<p class="banner error">/);
    assertEquals(top(html), [
      "✗ Failed: nothing came back, 205 errors exit status 1",
      "✗ 205 connections were refused; the first: connection refused",
    ]);
    assertEquals(value(html, "errors"), "205");
    assertEquals(value(html, "received"), "0");
    assert(!/fairness|p50|<figure|<details/.test(html));
  });

  it("marks lower bounds, and leaves out what a run is too short for", () => {
    const html = pageOf("a load run that failed");
    assertMatch(value(html, "p99")!, /^≥ 6\.\d+ s$/);
    assertEquals(value(html, "max"), "≥ 7 s");
    assertMatch(value(html, "p50")!, /^[\d.]+ ms$/);
    assertEquals(value(pageOf("a short run"), "p99"), undefined);
    assertEquals(value(pageOf("a short run"), "max"), "500 µs");
  });
});

describe("the charts of a run", () => {
  const html = pageOf("a load run that failed");
  const latency = figure(html, "latency-over-time");
  const throughput = figure(html, "throughput-over-time");

  it("shade the time in which few or most messages were lost", () => {
    for (const chart of [latency, throughput]) {
      assertEquals(paths(chart, "bars most-lost"), ["M416.7 200V0H500V200Z"]);
      assertMatch(chart, /<\/svg>most lost<\/li>/);
    }
    const summary = loadSummary(OUTAGE);
    summary.intervals[2]!.missing = 1;
    const chart = figure(report({ summary }), "latency-over-time");
    assertEquals(paths(chart, "bars some-lost"), ["M166.7 200V0H250V200Z"]);
    assertEquals(paths(chart, "bars most-lost").length, 1);
  });

  it("draw latencies when messages were due: the dead second is the slowest", () => {
    const [p50 = ""] = paths(latency, "line first");
    const steps = [...p50.matchAll(/[ML]?([\d.]+),([\d.]+)/g)]
      .map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
    assertEquals(steps.length, 24);
    assert(paths(latency, "line third")[0] !== p50);
    assertEquals(steps.reduce((a, b) => b.y < a.y ? b : a).x, 416.7);
  });

  it("have the limit of each condition as a line", () => {
    assertMatch(latency, /<text class="rule error end"[^>]*>p99&lt;1ms</);
    assertEquals(paths(latency, "line rule error").length, 1);
    assertMatch(throughput, /<text class="rule error end"[^>]*>rate&gt;9000</);
    assertMatch(throughput, /<text class="rule guide end"[^>]*>asked for 100</);
    const met = figure(pageOf("a load run"), "latency-by-percentile");
    assertMatch(met, /<text class="rule good end"[^>]*>p99&lt;5ms</);
  });

  it("end the percentile curve where messages are missing", () => {
    const chart = figure(html, "latency-by-percentile");
    const lost = Number(
      /^M([\d.]+)/.exec(paths(chart, "bars some-lost")[0]!)?.[1],
    );
    const known = paths(chart, "line first")[0]!.match(/[\d.]+(?=,)/g)!;
    assert(Math.max(...known.map(Number)) <= lost);
    const whole = figure(pageOf("a load run"), "latency-by-percentile");
    assertEquals(paths(whole, "bars some-lost"), []);
  });

  it("draw a bar for each bucket, and the percentiles that are known", () => {
    const chart = figure(html, "histogram-of-latencies");
    assertEquals(paths(chart, "bars first").length, failing.buckets.length);
    assertEquals(chart.match(/>p[\d.]+<\/text>/g), [">p50</text>"]);
  });

  it("have every interval in a table, and merge them in a long run", () => {
    const rows = (page: string) =>
      /<details>.*<\/details>/s.exec(page)![0].match(/<tr>/g)!.length - 1;
    assertEquals(rows(html), 12);
    assert(rows(pageOf("a load run of hours")) <= 150);
  });

  it("draw a dot for each probe of a ping, and a line where one was lost", () => {
    const dots = figure(pageOf("a ping run"), "latency-over-time");
    assertEquals([points(dots, "dots probe"), points(dots, "bars lost")], [
      110,
      10,
    ]);
    const many = pageOf("a ping run of more probes than are drawn");
    assertEquals(points(figure(many, "latency-over-time"), "line first"), 24);
  });
});

describe("the figures of a load run", () => {
  const connects = { ...failing.latency, count: 23 };
  const html = report({ summary: { ...failing, connects } });

  it("account for every message, and for the client", () => {
    const figures = {
      ...{ "due": "1,200", "dropped, not sent": "1,234", "sent": "1,200" },
      ...{ "failed": "17", "unanswered at the end": "100", "loss": "8.33%" },
      ...{ "received": "1,100", "timeout": "17", "connections made": "23" },
      ...{ "sent late by, p99": "1.2 ms", "messages over 3 ms late": "4,321" },
      ...{ "CPU, of one core": "93.8%", "fairness \\(Jain\\)": "0.9987" },
    };
    for (const [label, text] of Object.entries(figures)) {
      assertEquals(value(html, label), text, label);
    }
  });
});

describe("the page of a rate search", () => {
  const html = pageOf("a rate search");
  const chart = figure(html, "latency-by-rate");

  it("has a dot for each step by its verdict, on a line through each rate", () => {
    const dots = ["good", "error", "warning"].map((style) =>
      points(chart, `dots ${style}`)
    );
    assertEquals(dots, [4, 1, 1]);
    assertEquals(points(chart, "line second"), 5);
  });

  it("marks the answer and the limit, and has every step in a table", () => {
    assertMatch(chart, />answer: 37,500</);
    assertMatch(chart, /class="rule good end"[^>]*>p99&lt;20ms</);
    assertEquals(html.match(/<tr><td><span class="sign/g)?.length, 6);
    assertMatch(html, /client limited<\/td><td>60,000<\/td><td>40,000<\/td>/);
  });

  it("says how far the answer is known, and fails without one", () => {
    for (
      const [changes, answer, banner] of [
        [{}, "37,500", "✓ Passed exit status 0"],
        [{ limitedBy: "client" }, "≥ 37,500", "✓ Passed exit status 0"],
        [
          { range: { from: 26_900, to: 34_900 } },
          "26,900 to 34,900",
          "✓ Passed",
        ],
        [{ confirmed: false }, "37,500", "✗ Failed: highest rate that holds"],
        [
          { rate: null, confirmed: false },
          undefined,
          "✗ Failed: no rate holds",
        ],
      ] as const
    ) {
      const page = report({ summary: searchSummary(changes) });
      assertEquals(value(page, "messages/s"), answer);
      assertEquals(top(page)[0]?.slice(0, banner.length), banner);
    }
  });

  it("shows why a step could not run, or that its rate was not reached", () => {
    const error = new Error("no <route>");
    const steps = [
      { ...step(1_000, "not met"), error },
      step(50_000, "not met"),
    ];
    const page = report({ summary: searchSummary({ steps }) });
    assertEquals(
      top(page)[1],
      "✗ No load ran at 1,000 messages/s: no &lt;route&gt;",
    );
    assertMatch(page, /not met<\/td><td>1,000<.*not reached<\/td><td>50,000</s);
  });
});
