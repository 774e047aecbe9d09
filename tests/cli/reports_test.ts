import { assertEquals, assertLessOrEqual } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { histogramLines, loadReport } from "../../lib/cli/load_mode.ts";
import { pingReport, probeLine } from "../../lib/cli/ping_mode.ts";
import { liveLine } from "../../lib/cli/progress.ts";
import { HEADER, stepLine } from "../../lib/cli/search_mode.ts";
import type { RateStep } from "../../lib/stats/summaries.ts";
import { loadSummary, pingSummary } from "../support/summaries.ts";

const { latency } = loadSummary();

/** Reports of load runs, bars left out. */
const LOADS: [name: string, summary: Parameters<typeof loadSummary>, string][] =
  [
    [
      "in which all was well",
      [{ connections: 1, warmup: 1_000 }],
      `--- h:7 load: 1 connection, 512 bytes each, 1 s warm-up ---
1,000 messages verified in 1 s: 1,000 messages/s, 512 kB/s each way
no errors
latency min/avg/max/mdev = 1.000/1.020/2.000/0.140 ms
latency p50/p90/p99/p99.9 = 1.000/1.000/2.000/2.000 ms
fairness 1.0000 (Jain)

   latency ≥         count  (log scale)
    1.000 ms           980
    1.500 ms             0
    2.000 ms            20`,
    ],
    [
      "with errors, and messages that never came back",
      [
        {
          ...{ rate: 1_000, dropped: 12, failed: 4, fairness: null },
          errors: { timeout: 3, unexpectedEof: 1 },
          firstErrors: { timeout: "too late", unexpectedEof: "gone \x1b[2J" },
          connects: { ...latency, count: 9 },
        },
        [1, 2, 3],
        [900, 1_200],
      ],
      `--- h:7 load: 50 connections, 512 bytes each ---
3 of 5 messages verified in 1 s: 3 messages/s, 1.54 kB/s each way
3 messages timed out; the first: too late
1 connection was closed before a whole echo came back; the first: gone \\x1b[2J
2 messages were without an echo at the end, after up to 1.2 s
12 scheduled messages were not sent: their connections still waited for an earlier echo
latency min/avg/max/mdev = 1.000/≥ 2.000/≥ 1,200.000/0.816 ms
latency p50 = 3.001 ms
connect p50/p99/max = 1.000/2.000/2.000 ms

   latency ≥         count  (log scale)
    1.000 ms             1
    1.500 ms             0
    2.000 ms             1
    3.000 ms             1`,
    ],
    [
      "without a reply",
      [
        {
          ...{ connections: 2, receivedPerSecond: 0, bytesPerSecond: 0 },
          fairness: null,
        },
        [],
        [400, 900],
      ],
      `--- h:7 load: 2 connections, 512 bytes each ---
0 of 2 messages verified in 1 s: 0 messages/s, 0 B/s each way
2 messages were without an echo at the end, after up to 900 ms
latency max = ≥ 900.000 ms
latency p50 = ≥ 400.000 ms`,
    ],
  ];

describe("the report of a load run", () => {
  for (const [name, summary, expected] of LOADS) {
    it(name, () => {
      const report = loadReport(loadSummary(...summary), "h:7");
      assertEquals(report.replace(/ *█*$/gm, ""), expected);
    });
  }

  it("has a histogram of at most 8 rows and 80 columns, all messages in it", () => {
    for (const length of [1, 7, 8, 9, 16, 17, 60]) {
      const buckets = Array.from({ length }, (_, i) => ({
        ...{ from: i, to: i + 1, count: i * 1_000 },
      }));
      const [, ...rows] = histogramLines(buckets);
      assertLessOrEqual(rows.length, 8);
      for (const row of rows) assertLessOrEqual(row.length, 80);
      const counts = rows.map((row) =>
        Number(/ms +([\d,]+)/.exec(row)![1]!.replaceAll(",", ""))
      );
      assertEquals(
        counts.reduce((sum, n) => sum + n, 0),
        length * (length - 1) * 500,
      );
    }
  });

  it("has bars that are logarithmic, and visible for one message", () => {
    const buckets = [1, 0, 1_023].map((count, i) => ({
      ...{ from: i, to: i + 1, count },
    }));
    const bars = histogramLines(buckets).slice(1)
      .map((row) => row.split("█").length - 1);
    assertEquals(bars, [6, 0, 52]);
  });
});

describe("the report of a ping run", () => {
  it("is worded as in ping(8), and leaves out what is not known", () => {
    const summary = pingSummary({ duration: 2001.4, interval: 0 }, [1, 2, 4]);
    assertEquals(
      pingReport(summary, "h:7"),
      `--- h:7 ping statistics ---
3 probes sent, 3 received, 0% loss, time 2001 ms
rtt min/avg/max/mdev = 1.000/2.333/4.000/1.247 ms
rtt p50 = 2.001 ms
jitter = 0.100 ms`,
    );
    const lost = { jitter: null, failed: 1, unanswered: 0 };
    assertEquals(
      pingReport(pingSummary(lost, [], [500]), "h:7"),
      `--- h:7 ping statistics ---
1 probe sent, 0 received, 100% loss, time 1000 ms
rtt max = ≥ 500.000 ms`,
    );
  });

  const probe = { timestamp: "2026-01-02T03:04:05.000Z", seq: 3, size: 56 };
  const error = new Error("Cannot ping h:7: 0 of 56 bytes within 2 s\x1b");
  for (
    const [more, connect, expected] of [
      [{ latency: 0.12345 }, false, "56 bytes from h:7: seq=3 time=0.123 ms"],
      [
        { latency: 1, reconnected: true },
        false,
        "56 bytes from h:7: seq=3 time=1.000 ms (reconnected)",
      ],
      [
        { error },
        false,
        "no echo from h:7: seq=3 (0 of 56 bytes within 2 s\\x1b)",
      ],
      [{ latency: 1 }, true, "connected to h:7: seq=3 time=1.000 ms"],
      [
        { error: new Error("Cannot connect to h:7: refused") },
        true,
        "no connection to h:7: seq=3 (refused)",
      ],
    ] as const
  ) {
    it(`has a line for a probe: ${expected}`, () => {
      assertEquals(probeLine({ ...probe, ...more }, "h:7", connect), expected);
    });
  }
});

describe("the table of a rate search", () => {
  const step: RateStep = {
    ...{ rate: 16_000, receivedPerSecond: 15_998.6, reached: true },
    ...{ dropped: 0, unanswered: 0, expectations: [], errors: {} },
    latency: { ...latency, p50: 0.0871, p99: 1.234, "p99.9": 12.34 },
    verdict: "met",
  };
  const nothing = { ...latency, p50: null, p99: null, "p99.9": null };

  it("has a line for each step, its columns aligned, within 80 columns", () => {
    const steps: RateStep[] = [
      step,
      { ...step, dropped: 123_456, unanswered: 4, verdict: "client limited" },
      {
        ...{ ...step, rate: 1.97, receivedPerSecond: 1.97 },
        latency: { ...step.latency, "p99.9": 1_234, atLeast: ["p99.9"] },
        verdict: "not met",
      },
      {
        ...{ ...step, receivedPerSecond: 0, reached: false, latency: nothing },
        verdict: "not met",
      },
      { ...step, rate: 1e7, receivedPerSecond: 9_999_999.9 },
    ];
    const lines = [HEADER, ...steps.map(stepLine)];
    for (const line of lines) assertLessOrEqual(line.length, 80);
    assertEquals(lines, [
      "   asked/s  reached/s       p50       p99     p99.9   missing  verdict",
      "    16,000     15,999   87.1 µs   1.23 ms   12.3 ms         0  met",
      "    16,000     15,999   87.1 µs   1.23 ms   12.3 ms   123,460  client limited",
      "      1.97       1.97   87.1 µs   1.23 ms  ≥ 1.23 s         0  not met",
      "    16,000          0         –         –         –         0  not reached",
      "10,000,000 10,000,000   87.1 µs   1.23 ms   12.3 ms         0  met",
    ]);
  });
});

describe("a line that is redrawn", () => {
  /** What is on a terminal of this width after texts were shown. */
  function shown(width: () => number, texts: string[]) {
    const cells: string[] = [];
    let [cursor, wrapped] = [0, false];
    const show = liveLine((text) => {
      for (const character of text) {
        if (character === "\r") cursor = 0;
        else cells[cursor++] = character;
        wrapped ||= cursor >= width();
      }
    }, width);
    for (const text of texts) show(text);
    return [cells.join("").trimEnd(), cursor, wrapped];
  }

  const long = "x".repeat(100);
  for (
    const [name, width, texts, line, cursor] of [
      ["fits, and leaves the last column empty", 40, [long], 39, 39],
      ["fits one column", 1, [long], 0, 0],
      ["erases a longer one", 40, ["a long line", "short"], "short", 11],
      ["is erased", 40, ["text", ""], "", 0],
      ["is not there before the first", 40, [""], "", 0],
    ] as const
  ) {
    it(name, () => {
      const expected = typeof line === "number" ? "x".repeat(line) : line;
      assertEquals(shown(() => width, [...texts]), [
        expected,
        cursor,
        false,
      ]);
    });
  }
});
