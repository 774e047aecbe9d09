/**
 * How the latencies of a run are distributed: the percentile curve and the
 * histogram.
 *
 * ```ts
 * import { percentileChart } from "./distribution_charts.ts";
 * ```
 *
 * @module
 */

import {
  across,
  chart,
  down,
  emptyChart,
  HEIGHT,
  NO_MESSAGES,
} from "./chart.ts";
import { axisCount, count, duration, milliseconds } from "./format.ts";
import { lines } from "./line.ts";
import { type Markup, markup } from "./markup.ts";
import { percentileScale } from "./percentile_scale.ts";
import {
  latencyScale,
  linearScale,
  logScale,
  type Scale,
  suitableScale,
} from "./scale.ts";
import { dataTable } from "./table.ts";
import type { Bucket, LatencySummary, Percentile } from "../stats/histogram.ts";

/** What a chart of a distribution says besides its figures. */
export interface DistributionOptions {
  /** Unique in the page. */
  id: string;
  /** The heading. */
  title: string;
  /** What the x or y axis shows: `latency` or `round-trip time`. */
  quantity: string;
  /** How many latencies there are. */
  total: number;
}

/** A percentile as people write it: `99.9 %`. */
function percentileText(percentile: number): string {
  return `${Number(percentile.toFixed(7))}\u00a0%`;
}

/**
 * Where the percentiles end: of `total` latencies, the longest is all that is
 * above 1 - 1/total. There the maximum stands, as 100 % has no place.
 */
function lastOf(percentiles: readonly Percentile[], total: number): number {
  return percentiles.reduce(
    (most, { percentile }) =>
      percentile < 100 ? Math.max(most, percentile) : most,
    total > 0 ? 100 * (1 - 1 / total) : 0,
  );
}

/** Latency over 1/(1−p), labelled in percentiles. */
export function percentileChart(
  percentiles: readonly Percentile[],
  { id, title, quantity, total }: DistributionOptions,
): Markup {
  if (percentiles.length === 0) {
    return emptyChart({ id, title, reason: NO_MESSAGES });
  }
  const area = {
    x: percentileScale(lastOf(percentiles, total)),
    y: latencyScale(percentiles.map(({ latency }) => latency)),
  };
  const points = percentiles.map(({ percentile, latency }) => ({
    x: percentile,
    y: latency,
  }));
  const dots = percentiles.map(({ percentile, latency }) => {
    const left = area.x.at(percentile), bottom = area.y.at(latency);
    if (left === undefined || bottom === undefined) return undefined;
    return markup`<circle class="dot first" cx="${across(left)}" cy="${
      down(bottom)
    }" r="3"><title>${percentileText(percentile)}: ${
      duration(latency)
    }</title></circle>`;
  });
  const said = percentiles.filter(({ percentile }) =>
    [50, 90, 99, 99.9, 99.99, 100].includes(percentile)
  );
  return chart({
    id,
    title,
    description: `A rising curve. ${
      said.map(({ percentile, latency }) =>
        `${percentileText(percentile)} take no longer than ${duration(latency)}`
      ).join("; ")
    }.`,
    x: { scale: area.x, label: "percentile" },
    y: { scale: area.y, label: quantity },
    marks: [lines([{ style: "first", points }], area), markup`${dots}`],
    data: dataTable({
      caption: `${title}: data`,
      columns: ["percentile", `${quantity} (ms)`],
      rows: percentiles.map(({ percentile, latency }) => [
        percentileText(percentile),
        milliseconds(latency),
      ]),
    }),
  });
}

function bars(buckets: readonly Bucket[], x: Scale, y: Scale): Markup[] {
  return buckets.filter(({ count }) => count > 0).map((bucket) => {
    // The first bucket may begin at 0, which a log axis does not have.
    const left = x.at(bucket.from) ?? 0;
    const right = x.at(bucket.to) ?? 1;
    const top = down(y.at(bucket.count) ?? 0);
    return markup`<rect class="bar" x="${across(left)}" width="${
      across(Math.max(0, right - left))
    }" y="${top}" height="${Number((HEIGHT - top).toFixed(1))}"><title>${
      duration(bucket.from)
    } to ${duration(bucket.to)}: ${count(bucket.count)}</title></rect>`;
  });
}

/**
 * Linear, or logarithmic if few and many are to be seen side by side. Above the
 * bars there is space for the labels of the percentiles.
 */
function countScale(counts: readonly number[]): Scale {
  const most = Math.max(...counts);
  const headroom = suitableScale(counts, { format: axisCount }).log ? 8 : 1.3;
  const options = { format: axisCount };
  // From a half, so that a count of one has a bar.
  const scale = headroom > 2
    ? logScale(0.5, most * headroom, options)
    : linearScale(most * headroom, options);
  return {
    ...scale,
    ticks: scale.ticks.filter(({ value }) => Number.isInteger(value)),
  };
}

/** Vertical lines at the percentiles of the summary, each label in a row. */
function guides(latency: LatencySummary, x: Scale): Markup[] {
  return ([["p50", latency.p50], ["p99", latency.p99], [
    "p99.9",
    latency.p999,
  ]] as const).map(([label, value], row) => {
    const at = x.at(value);
    if (at === undefined) return markup``;
    const side = at > 0.8 ? "end" : "start";
    return markup`<line class="guide" x1="${across(at)}" x2="${
      across(at)
    }" y1="${
      row * 16 - 4
    }" y2="${HEIGHT}"/><text class="guide-label ${side}" x="${across(at)}" y="${
      row * 16 + 6
    }" dx="${side === "end" ? -4 : 4}">${label}</text>`;
  });
}

/** Counts by size; the x axis is logarithmic, as the sizes of the buckets. */
export function histogramChart(
  buckets: readonly Bucket[],
  latency: LatencySummary,
  { id, title, quantity }: DistributionOptions,
): Markup {
  const first = buckets[0], last = buckets.at(-1);
  if (!first || !last) return emptyChart({ id, title, reason: NO_MESSAGES });
  const counts = buckets.map(({ count }) => count).filter((count) => count > 0);
  const y = countScale(counts);
  const x = logScale(first.from > 0 ? first.from : last.to / 10, last.to, {
    format: duration,
  });
  const peak = buckets.reduce((a, b) => b.count > a.count ? b : a);
  return chart({
    id,
    title,
    description: `Bars from ${duration(first.from)} to ${
      duration(last.to)
    }. The highest, of ${count(peak.count)}, is from ${
      duration(peak.from)
    } to ${duration(peak.to)}.`,
    x: { scale: x, label: `${quantity}, log scale` },
    y: { scale: y, label: "count" },
    marks: [...bars(buckets, x, y), ...guides(latency, x)],
    data: dataTable({
      caption: `${title}: data`,
      columns: ["from (ms)", "to (ms)", "count"],
      rows: buckets.map((bucket) => [
        milliseconds(bucket.from),
        milliseconds(bucket.to),
        count(bucket.count),
      ]),
    }),
  });
}
