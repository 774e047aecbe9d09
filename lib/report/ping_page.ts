/**
 * The page of a ping run.
 *
 * ```ts
 * import { pingPage } from "./ping_page.ts";
 * ```
 *
 * @module
 */

import { histogramChart, percentileChart } from "./distribution_charts.ts";
import { latencyFigures, timeFigure } from "./figures.ts";
import { count, elapsed, percent, plural } from "./format.ts";
import { intervalTable } from "./interval_table.ts";
import type { Markup } from "./markup.ts";
import type { PageContent } from "./page.ts";
import type { Figure } from "./table.ts";
import { latencyChart } from "./latency_chart.ts";
import type { PingSummary } from "../stats/summaries.ts";

function probeFigures(summary: PingSummary): Figure[] {
  const { sent, received, loss, jitter } = summary;
  return [
    // The first difference needs two round trips.
    timeFigure("jitter", jitter, received > 1),
    { label: "sent", text: count(sent), exact: sent },
    { label: "received", text: count(received), exact: received },
    { label: "loss", text: percent(loss), exact: loss },
  ];
}

function charts(summary: PingSummary): Markup[] {
  const { received, rtt, intervals, percentiles, buckets } = summary;
  const measured = received > 0;
  const quantity = "round-trip time";
  return [
    latencyChart(intervals, {
      id: "latency",
      title: "Round-trip time over time",
      failure: "lost probe",
      quantity,
    }),
    percentileChart(measured ? percentiles : [], {
      id: "percentiles",
      title: "Round-trip time by percentile",
      quantity,
      total: received,
    }),
    histogramChart(measured ? buckets : [], rtt, {
      id: "histogram",
      title: "Histogram of round-trip times",
      quantity,
      total: received,
    }),
  ];
}

/** What the page of a ping run shows. */
export function pingPage(summary: PingSummary): PageContent {
  const { sent, received, rtt, duration, intervals } = summary;
  const measured = received > 0;
  return {
    heading: "Ping",
    subtitle: `${plural(sent, "probe")} in ${elapsed(duration)}`,
    warnings: [],
    cards: [
      timeFigure("p50", rtt.p50, measured),
      timeFigure("mean", rtt.mean, measured),
      timeFigure("p99", rtt.p99, measured),
      timeFigure("max", rtt.max, measured),
      ...probeFigures(summary),
    ],
    charts: charts(summary),
    data: intervalTable(intervals, "lost"),
    figures: [
      { title: "Round-trip time", rows: latencyFigures(rtt, measured) },
      {
        title: "Run",
        rows: [
          { label: "duration", text: elapsed(duration), exact: duration },
          ...probeFigures(summary),
        ],
      },
    ],
  };
}
