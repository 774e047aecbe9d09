/**
 * The pages of a load run and of a ping run.
 *
 * @module
 */

import type { RunVerdict } from "../stats/findings.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFixed,
  formatPercent,
  formatRate,
  plural,
} from "../stats/format.ts";
import type { LoadSummary, PingSummary } from "../stats/summaries.ts";
import { type Figure, latencies, type PageContent } from "./page.ts";
import {
  histogramChart,
  intervalTable,
  latencyChart,
  percentileChart,
  type Run,
  throughputChart,
} from "./run_charts.ts";

const MAIN = ["p50", "p99", "p99.9", "max"] as const;
const ALL = ["min", "mean", "stddev", "p50", "p90", ...MAIN.slice(1)] as const;

/** Where all messages are. */
function account(run: Run): Figure[] {
  return [
    ["due", formatCount(run.scheduled)],
    ["dropped, not sent", formatCount(run.dropped)],
    ["sent", formatCount(run.sent)],
    ["failed", formatCount(run.failed)],
    ["unanswered at the end", formatCount(run.unanswered)],
    ["received", formatCount(run.received)],
    ["loss", formatPercent(run.loss)],
  ];
}

function errors(run: Run): Figure[] {
  return Object.entries(run.errors).sort((a, b) => b[1] - a[1])
    .map(([kind, count]) => [kind, formatCount(count)]);
}

/** What the page of a load run shows. */
export function loadPage(load: LoadSummary, verdict: RunVerdict): PageContent {
  const { results } = verdict;
  const { connections, size, rate, duration, connects, lag } = load;
  const failures = Object.values(load.errors).reduce((a, b) => a + b, 0);
  return {
    heading: "Load test",
    subtitle: [
      plural(connections, "connection"),
      `${plural(size, "byte")} per message`,
      rate === null
        ? "each message as soon as the last one came back"
        : `${formatRate(rate)} messages/s asked for`,
      formatDuration(duration),
    ],
    verdict,
    cards: [
      ["messages/s", formatRate(load.receivedPerSecond)],
      ...latencies(load.latency, MAIN),
      ["received", formatCount(load.received)],
      ["errors", formatCount(failures)],
      ["loss", formatPercent(load.loss)],
    ],
    charts: [
      throughputChart(load, results),
      latencyChart(load, results),
      percentileChart(load, results),
      histogramChart(load),
    ],
    data: intervalTable(load),
    sections: {
      Messages: account(load),
      Errors: errors(load),
      Latency: latencies(load.latency, ALL),
      Run: [
        ["bytes per second, each way", formatBytes(load.bytesPerSecond)],
        ["warm-up before the run", formatDuration(load.warmup)],
        ["received after the run", formatCount(load.late)],
        ["fairness (Jain)", formatFixed(load.fairness, 4)],
        ["connections without an echo", formatCount(load.starved)],
        ["connections replaced", formatCount(load.reconnects)],
      ],
      Client: [
        ["sent late by, p50", formatDuration(lag?.p50)],
        ["sent late by, p99", formatDuration(lag?.p99)],
        ["sent late by, max", formatDuration(lag?.max)],
        ["messages over 3 ms late", formatCount(load.delayed)],
        ["CPU, of one core", formatPercent(load.cpuUtilization)],
      ],
      Connecting: connects === null ? [] : [
        ["connections made", formatCount(connects.count)],
        ...latencies(connects, ALL),
      ],
    },
  };
}

/** What the page of a ping run shows. */
export function pingPage(ping: PingSummary, verdict: RunVerdict): PageContent {
  const { results } = verdict;
  const { sent, interval, duration, size, connect } = ping;
  const jitter: Figure = ["jitter", formatDuration(ping.jitter)];
  return {
    heading: connect ? "Connect ping" : "Ping",
    subtitle: [
      plural(sent, "probe"),
      ...connect ? [] : [plural(size, "byte")],
      `one every ${formatDuration(interval)}`,
      formatDuration(duration),
    ],
    verdict,
    cards: [
      ...latencies(ping.latency, ["mean", ...MAIN]),
      jitter,
      ["received", formatCount(ping.received)],
      ["loss", formatPercent(ping.loss)],
    ],
    charts: [
      latencyChart(ping, results),
      percentileChart(ping, results),
      histogramChart(ping),
    ],
    data: intervalTable(ping),
    sections: {
      Probes: account(ping),
      Errors: errors(ping),
      Latency: [...latencies(ping.latency, ALL), jitter],
    },
  };
}
