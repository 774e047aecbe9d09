/**
 * The page of a load run.
 *
 * ```ts
 * import { loadPage } from "./load_page.ts";
 * ```
 *
 * @module
 */

import { histogramChart, percentileChart } from "./distribution_charts.ts";
import { latencyFigures, timeFigure } from "./figures.ts";
import {
  bandwidth,
  count,
  duration,
  elapsed,
  fixed,
  plural,
  rate,
  shortCount,
} from "./format.ts";
import { intervalTable } from "./interval_table.ts";
import type { PageContent } from "./page.ts";
import type { Figure } from "./table.ts";
import { latencyChart } from "./latency_chart.ts";
import { throughputChart } from "./throughput_chart.ts";
import { CLIENT_BUSY_SHARE } from "../stats/rate_step.ts";
import type { ConnectSummary, LoadSummary } from "../stats/summaries.ts";

/** The client's own pauses, such as for garbage collection, are shorter; ms. */
const LATE_MS = 15;

/** Kinds of errors that are listed; a server cannot fill the page with them. */
const MAX_KINDS = 20;

/** Messages of errors that are shown; they are long. */
const MAX_MESSAGES = 3;

function subtitle(summary: LoadSummary): string {
  const { connections, size, duration: length, warmup, rate: asked } = summary;
  return [
    plural(connections, "connection"),
    `${plural(size, "byte")} per message`,
    asked === undefined
      ? "each message as soon as the last one came back"
      : `${rate(asked)} messages/s asked for`,
    `${elapsed(length)}${
      warmup > 0 ? ` after ${elapsed(warmup)} of warm-up` : ""
    }`,
  ].join(" · ");
}

/** The kinds of errors with their counts, the most frequent first. */
function byFrequency(errors: Record<string, number>): [string, number][] {
  return Object.entries(errors).sort((a, b) => b[1] - a[1]);
}

function errorCount(summary: LoadSummary): number {
  return Object.values(summary.errors).reduce((sum, n) => sum + n, 0);
}

function warnings(summary: LoadSummary): string[] {
  const { dropped, cpuUtilization, maxLag, delayed, starved } = summary;
  const all = byFrequency(summary.errors).slice(0, MAX_MESSAGES)
    .flatMap(([kind]) => summary.firstErrors[kind] ?? [])
    .map((message) => `First error of its kind: ${message}`);
  if (cpuUtilization >= CLIENT_BUSY_SHARE) {
    all.push(
      `The client was busy ${
        fixed(cpuUtilization * 100, 0)
      } % of the time: the server may be faster.`,
    );
  }
  if (dropped > 0) {
    all.push(
      `${plural(dropped, "scheduled message")} ${
        dropped === 1 ? "was" : "were"
      } not sent: the rate is too high for the server, or for this many connections.`,
    );
  }
  if (maxLag > LATE_MS) {
    all.push(
      `The client was up to ${duration(maxLag)} late, and ${
        plural(delayed, "message")
      } over 3 ms: it may be too slow for the rate.`,
    );
  }
  if (starved > 0) {
    all.push(`${plural(starved, "connection")} got no reply at all.`);
  }
  return all;
}

function cardsOf(summary: LoadSummary): Figure[] {
  const { messages, messagesPerSecond, latency, fairness, dropped } = summary;
  const measured = messages > 0;
  const errors = errorCount(summary);
  return [
    {
      label: "messages/s",
      text: shortCount(messagesPerSecond),
      exact: messagesPerSecond,
    },
    timeFigure("p50", latency.p50, measured),
    timeFigure("p99", latency.p99, measured),
    timeFigure("p99.9", latency.p999, measured),
    timeFigure("max", latency.max, measured),
    { label: "messages", text: shortCount(messages), exact: messages },
    { label: "errors", text: shortCount(errors), exact: errors },
    summary.rate === undefined
      ? { label: "fairness", text: fixed(fairness, 4), exact: fairness }
      : { label: "dropped", text: shortCount(dropped), exact: dropped },
  ];
}

function runFigures(summary: LoadSummary): Figure[] {
  const whole = (label: string, exact: number) => ({
    label,
    text: count(exact),
    exact,
  });
  const perSecond = (label: string, exact: number) => ({
    label,
    text: `${rate(exact)} messages/s`,
    exact,
  });
  const { bytesPerSecond, fairness, cpuUtilization } = summary;
  return [
    whole("connections", summary.connections),
    whole("message size, bytes", summary.size),
    {
      label: "duration",
      text: elapsed(summary.duration),
      exact: summary.duration,
    },
    { label: "warm-up", text: elapsed(summary.warmup), exact: summary.warmup },
    whole("messages", summary.messages),
    whole("of them after the duration", summary.late),
    whole("unanswered", summary.unanswered),
    ...(summary.rate === undefined
      ? []
      : [perSecond("rate asked for", summary.rate)]),
    perSecond("rate reached", summary.messagesPerSecond),
    {
      label: "bandwidth each way",
      text: bandwidth(bytesPerSecond),
      exact: bytesPerSecond,
    },
    whole("dropped", summary.dropped),
    { label: "fairness (Jain)", text: fixed(fairness, 4), exact: fairness },
    whole("starved connections", summary.starved),
    whole("reconnects", summary.reconnects),
    timeFigure("client late by, at most", summary.maxLag),
    whole("messages it was over 3 ms late with", summary.delayed),
    {
      label: "client CPU, of one core",
      text: `${fixed(cpuUtilization * 100, 0)} %`,
      exact: cpuUtilization,
    },
  ];
}

function errorFigures(summary: LoadSummary): Figure[] {
  const kinds = byFrequency(summary.errors);
  const rows: Figure[] = kinds.slice(0, MAX_KINDS).map(([label, exact]) => ({
    label,
    text: count(exact),
    exact,
  }));
  const rest = kinds.slice(MAX_KINDS);
  if (rest.length > 0) {
    const exact = rest.reduce((sum, [, n]) => sum + n, 0);
    rows.push({
      label: `${count(rest.length)} other kinds`,
      text: count(exact),
      exact,
    });
  }
  return rows;
}

function connectFigures(connects: ConnectSummary): Figure[] {
  const { count: made } = connects;
  return [
    { label: "connections made", text: count(made), exact: made },
    ...latencyFigures(connects, made > 0),
  ];
}

/** What the page of a load run shows. */
export function loadPage(summary: LoadSummary): PageContent {
  const { messages, latency, intervals, percentiles, buckets } = summary;
  const measured = messages > 0;
  const failure = "error";
  const quantity = "latency";
  return {
    heading: "Load test",
    subtitle: subtitle(summary),
    cards: cardsOf(summary),
    warnings: warnings(summary),
    charts: [
      throughputChart(intervals, {
        id: "throughput",
        title: "Throughput over time",
        failure,
        asked: summary.rate,
      }),
      latencyChart(intervals, {
        id: "latency",
        title: "Latency over time",
        failure,
        quantity,
      }),
      percentileChart(measured ? percentiles : [], {
        id: "percentiles",
        title: "Latency by percentile",
        quantity,
        total: messages,
      }),
      histogramChart(measured ? buckets : [], latency, {
        id: "histogram",
        title: "Histogram of latencies",
        quantity,
        total: messages,
      }),
    ],
    data: intervalTable(intervals, "errors"),
    figures: [
      { title: "Latency", rows: latencyFigures(latency, measured) },
      { title: "Run", rows: runFigures(summary) },
      { title: "Errors", rows: errorFigures(summary) },
      {
        title: "Connection times",
        rows: summary.connects ? connectFigures(summary.connects) : [],
      },
    ],
  };
}
