/**
 * The frame of every chart: heading, legend, axes, grid, text alternatives.
 *
 * A chart has no viewBox. It is as wide as its column, places things in
 * percentages of the width and pixels of the height, and so keeps its text at
 * the size of the page's at any width. Only curves are stretched, in an inner
 * `svg` (see `curves`).
 *
 * ```ts
 * import { chart } from "./chart.ts";
 * ```
 *
 * @module
 */

import { type Markup, markup } from "./markup.ts";
import type { Scale, Tick } from "./scale.ts";

/** Height of the area inside the axes, in pixels. */
export const HEIGHT = 200;

/** Pixels above it, for the label of the y axis. */
const TOP = 28;

/** Pixels below it, for the ticks and the label of the x axis. */
const BOTTOM = 46;

/** Width of the coordinates in which curves are drawn before they stretch. */
const WIDTH = 1_000;

/** A scale and what it shows. */
export interface Axis {
  /** Where values lie. */
  scale: Scale;
  /** What they are. */
  label: string;
}

/** An entry of a legend. */
export interface LegendEntry {
  /** Drawn in a box of 24 by 10 pixels. */
  key: Markup;
  /** What it stands for. */
  label: string;
}

/** All that a chart shows. */
export interface Chart {
  /** Unique in the page. */
  id: string;
  /** Its heading. */
  title: string;
  /** What a reader sees in it, for those who cannot. */
  description: string;
  /** From left to right. */
  x: Axis;
  /** From bottom to top. */
  y: Axis;
  /** What the marks stand for, if there are several kinds. */
  legend?: readonly LegendEntry[] | undefined;
  /** Drawn in the area inside the axes. */
  marks: readonly (Markup | undefined)[];
  /** The same as a table. */
  data?: Markup | undefined;
}

/** A place from 0 to 1 on the x axis, as a percentage of the width. */
export function across(at: number): string {
  return `${Number((at * 100).toFixed(3))}%`;
}

/** A place from 0 to 1 on the y axis, in pixels from the top. */
export function down(at: number): number {
  return Number(((1 - at) * HEIGHT).toFixed(1));
}

/** The same as `across` for the path of a curve. */
export function along(at: number): number {
  return Number((at * WIDTH).toFixed(1));
}

/** Paths in coordinates of `along` and `down`, stretched to the width. */
export function curves(paths: readonly Markup[]): Markup {
  return markup`<svg width="100%" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" overflow="visible">${paths}</svg>`;
}

function yAxis({ scale, label }: Axis): Markup {
  const lines = scale.ticks.map((tick) => {
    const at = scale.at(tick.value);
    if (at === undefined) return undefined;
    const y = down(at);
    return markup`<line class="grid" x1="0" x2="100%" y1="${y}" y2="${y}"/><text class="tick end" x="-8" y="${y}" dy="4">${tick.label}</text>`;
  });
  const scaleName = scale.log ? ", log scale" : "";
  return markup`${lines}<text class="axis" x="0" y="-14">${label}${scaleName}</text>`;
}

function xTick({ label, minor }: Tick, at: number): Markup {
  const x = across(at);
  return markup`<line class="base" x1="${x}" x2="${x}" y1="${HEIGHT}" y2="${
    HEIGHT + 4
  }"/><text class="tick middle${minor ? " minor" : ""}" x="${x}" y="${
    HEIGHT + 18
  }">${label}</text>`;
}

function xAxis({ scale, label }: Axis): Markup {
  const ticks = scale.ticks.map((tick) => {
    const at = scale.at(tick.value);
    return at === undefined ? undefined : xTick(tick, at);
  });
  return markup`<line class="base" x1="0" x2="100%" y1="${HEIGHT}" y2="${HEIGHT}"/>${ticks}<text class="axis end" x="100%" y="${
    HEIGHT + 38
  }">${label}</text>`;
}

function legendOf(entries: readonly LegendEntry[]): Markup {
  const items = entries.map(({ key, label }) =>
    markup`<li><svg class="key" width="24" height="10" aria-hidden="true">${key}</svg>${label}</li>`
  );
  return markup`<ul class="legend">${items}</ul>`;
}

/** A figure with its heading, its picture and its data. */
export function chart(options: Chart): Markup {
  const { id, title, description, x, y, legend = [], marks, data } = options;
  return markup`<figure id="${id}">
<figcaption><h2>${title}</h2>${
    legend.length > 0 && legendOf(legend)
  }</figcaption>
<div class="plot"><svg class="frame" role="img" aria-labelledby="${id}-title ${id}-desc" width="100%" height="${
    TOP + HEIGHT + BOTTOM
  }"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc><svg y="${TOP}" width="100%" height="${HEIGHT}" overflow="visible">${
    yAxis(y)
  }${xAxis(x)}${marks}</svg></svg></div>
${data}</figure>
`;
}

/** Why a chart of latencies may be empty. */
export const NO_MESSAGES = "No message came back, so there is nothing to draw.";

/** In place of a chart that would be empty. */
export function emptyChart(
  { id, title, reason }: { id: string; title: string; reason: string },
): Markup {
  return markup`<figure id="${id}">
<figcaption><h2>${title}</h2></figcaption>
<p class="empty">${reason}</p>
</figure>
`;
}
