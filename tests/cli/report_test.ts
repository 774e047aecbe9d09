import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  histogramLines,
  loadReport,
  pingHeading,
  pingReport,
  probeLine,
  progressLine,
} from "../../lib/cli/report.ts";

const none = {
  min: 0,
  mean: 0,
  stddev: 0,
  p50: 0,
  p90: 0,
  p99: 0,
  p999: 0,
  max: 0,
};

/** The fields that only the page shows. */
const charts = { buckets: [], intervals: [], percentiles: [] };

const timestamp = "2026-01-02T03:04:05.000Z";

describe("the output of ping", () => {
  it("has a line for each probe", () => {
    assertEquals(
      probeLine("h:7", { timestamp, seq: 3, size: 56, rtt: 0.12345 }),
      "56 bytes from h:7: seq=3 time=0.123 ms",
    );
    assertEquals(
      probeLine("h:7", {
        timestamp,
        seq: 3,
        size: 56,
        rtt: 1,
        reconnected: true,
      }),
      "56 bytes from h:7: seq=3 time=1.000 ms (reconnected)",
    );
    assertEquals(
      probeLine("h:7", {
        timestamp,
        seq: 4,
        size: 56,
        error: new Error("late"),
      }),
      "no echo from h:7: seq=4 (late)",
    );
  });

  it("says of a probe that only connects that it does", () => {
    assertEquals(
      pingHeading("h:7", { size: 56, connect: true }),
      "PING h:7: connect",
    );
    assertEquals(
      probeLine("h:7", { timestamp, seq: 3, size: 56, rtt: 1 }, true),
      "connected to h:7: seq=3 time=1.000 ms",
    );
    assertEquals(
      probeLine("h:7", {
        timestamp,
        seq: 3,
        size: 56,
        error: new Error("late"),
      }, true),
      "no connection to h:7: seq=3 (late)",
    );
  });

  it("has a summary in the order of ping(8)", () => {
    const rtt = {
      ...none,
      min: 1,
      mean: 2,
      max: 4,
      stddev: 0.5,
      p50: 2,
      p99: 4,
    };
    assertEquals(
      pingReport("h:7", {
        sent: 3,
        received: 2,
        loss: 1 / 3,
        duration: 2001.4,
        rtt,
        jitter: 0.25,
        ...charts,
      }),
      `--- h:7 ping statistics ---
3 probes sent, 2 received, 33.333% loss, time 2001 ms
rtt min/avg/max/mdev = 1.000/2.000/4.000/0.500 ms
rtt p50/p99 = 2.000/4.000 ms
jitter = 0.250 ms`,
    );
    assertEquals(
      pingReport("h:7", {
        sent: 1,
        received: 0,
        loss: 1,
        duration: 5,
        rtt: none,
        jitter: 0,
        ...charts,
      }),
      `--- h:7 ping statistics ---
1 probes sent, 0 received, 100% loss, time 5 ms`,
    );
  });
});

describe("the report of a load run", () => {
  const summary: Parameters<typeof loadReport>[1] = {
    warmup: 0,
    cpuUtilization: 0.5,
    intervals: [],
    percentiles: [],
    connections: 50,
    size: 512,
    duration: 2_000,
    messages: 123_456,
    messagesPerSecond: 61_728,
    bytesPerSecond: 31_604_736,
    errors: {},
    firstErrors: {},
    latency: { ...none, min: 0.1, mean: 0.5, p50: 0.4, p90: 0.8, max: 9 },
    buckets: [
      { from: 0.096, to: 0.128, count: 1 },
      { from: 0.128, to: 0.192, count: 0 },
      { from: 0.192, to: 0.256, count: 1023 },
    ],
    fairness: 0.99987,
    starved: 0,
    reconnects: 0,
    late: 0,
    unanswered: 0,
    maxLag: 0,
    delayed: 0,
    dropped: 0,
  };

  it("has a histogram with logarithmic bars that fits the terminal", () => {
    for (const width of [40, 80, 100]) {
      const all = histogramLines(summary.buckets, width);
      const [heading, ...lines] = all;
      assertEquals(heading, "latency ≥  count  (log scale)");
      assertEquals(lines.length, 3);
      assert(all.every((line) => line.length <= width));
      const [one, zero, most] = lines.map((line) => line.split("█").length - 1);
      assertEquals(zero, 0);
      assert(most! / one! > 8 && most! / one! < 14);
    }
  });

  it("uses at most 100 columns of a wide terminal", () => {
    assertEquals(
      histogramLines(summary.buckets, 200),
      histogramLines(summary.buckets, 100),
    );
  });

  it("has throughput, errors, fairness and latencies", () => {
    assertEquals(
      loadReport("h:7", summary, 50).split("\n").slice(0, 6),
      [
        "--- h:7 load: 50 connections, 512 bytes a message ---",
        "123,456 messages verified in 2 s: 61,728 messages/s, 31.6 MB/s each way",
        "no errors",
        "fairness 0.9999 (Jain), 0 starved",
        "latency min/avg/max = 0.100/0.500/9.000 ms",
        "latency p50/p90/p99/p99.9 = 0.400/0.800/0.000/0.000 ms",
      ],
    );
  });

  it("has errors by kind, and no latency if no message came back", () => {
    const failed = {
      ...summary,
      messages: 0,
      buckets: [],
      errors: { timeout: 3, mismatch: 1 },
      firstErrors: {
        timeout: "Cannot load h:7: 0 of 512 bytes within 500 ms",
        mismatch:
          "Cannot load h:7: differs at byte 3: sent 0x61, received 0x62",
      },
      unanswered: 2,
      reconnects: 1_000,
      maxLag: 20,
      delayed: 1_000,
      dropped: 1_234,
    };
    const report = loadReport("h:7", failed, 80);
    assert(report.includes("errors: 3 timeout, 1 mismatch"));
    assert(report.includes(`
first timeout: Cannot load h:7: 0 of 512 bytes within 500 ms
first mismatch: Cannot load h:7: differs at byte 3: sent 0x61, received 0x62
2 unanswered: no echo within the wait at the end
1,000 reconnects: the server had closed the connection between messages
`));
    assert(
      report.includes(
        "\nthis client was up to 20.000 ms late, and 1,000 messages over 3 ms: ",
      ),
    );
    assert(report.includes("1,234 scheduled messages not sent"));
    assert(!report.includes("fairness"));
    assert(!report.includes("latency"));
  });

  it("has the warm-up, the times to connect, and that the client was busy", () => {
    const report = loadReport("h:7", {
      ...summary,
      warmup: 1_000,
      cpuUtilization: 0.961,
      connects: { ...none, count: 9, p50: 1, p99: 2, max: 3 },
    }, 80);
    assert(
      report.includes(
        "\nafter 1 s of warm-up, which is in no figure:\n123,456",
      ),
    );
    assert(report.includes("\nconnect p50/p99/max = 1.000/2.000/3.000 ms\n"));
    assert(report.includes(
      "\nthe client was busy 96 % of the time: the server may be faster\n",
    ));
    const idle = loadReport("h:7", summary, 80);
    assert(!/warm-up|busy|connect p50/.test(idle));
  });

  it("has counts of one without a plural", () => {
    const report = loadReport(
      "h:7",
      { ...summary, connections: 1, reconnects: 1, dropped: 1 },
      80,
    );
    assert(report.includes("load: 1 connection, "));
    assert(report.includes("\n1 reconnect: "));
    assert(report.includes("\n1 scheduled message not sent: "));
  });

  it("has a line of progress, with the time or the count that ends the run", () => {
    const interval = {
      elapsed: 3_001,
      messages: 10,
      messagesPerSecond: 12_345.6,
      errors: 0,
      timestamp: "2026-01-01T00:00:01.000Z",
      p50: 1,
      p99: 2,
      max: 3,
    };
    assertEquals(
      progressLine(interval, { messages: 0, errors: 1, duration: 10_000 }),
      "3 s of 10 s: 12,346 messages/s, 1 error",
    );
    assertEquals(
      progressLine(interval, { messages: 4_500, errors: 0, count: 100_000 }),
      "3 s, 4,500 of 100,000 messages: 12,346 messages/s, 0 errors",
    );
  });
});
