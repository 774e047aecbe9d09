/**
 * A chart: axes, marks, legend, and the same in words.
 *
 * It has no viewBox. Its texts are placed in percent of the width and pixels of
 * the height, and so keep the size of the page's text at any width. Everything
 * else is a path of d3-shape in an inner `svg` that is stretched; its strokes
 * are not, so that a dot is a stroke of no length with round ends.
 *
 * @module
 */

// @ts-types="@types/d3-shape"
import { line } from "d3-shape";
import type { Axis, Scale } from "./axes.ts";
import { Markup, markup } from "./markup.ts";

/** A value, or one that holds from `x` to `to`. */
export interface Point {
  x: number;
  to?: number | undefined;
  /** Without it a line has a gap, and a bar is as high as the chart. */
  y?: number | null | undefined;
  /** Is shown when one points at it. */
  hint?: string | undefined;
}

/** What is drawn through or at points. */
export interface Mark {
  kind: "line" | "dots" | "bars";
  /** Its class in style.ts: colour, dashes, width. */
  style: string;
  points: readonly Point[];
  /** Its name in the legend. */
  legend?: string | undefined;
}

/** A straight line across the chart, with its meaning beside it. */
export interface Rule {
  /** The axis that it crosses. */
  axis: "x" | "y";
  /** Where it crosses it. */
  at: number;
  text: string;
  style: string;
}

/** All that a chart shows. */
export interface Chart {
  /** Its heading, unique in the page. */
  title: string;
  /** What a reader sees in it, for those who cannot. */
  text: string;
  /** For the values of all marks and rules. */
  x: Scale;
  y: Scale;
  /** The first is at the bottom. */
  marks: readonly Mark[];
  rules?: readonly Rule[] | undefined;
}

type Axes = Record<"x" | "y", Axis>;

/** Size of the area inside the axes; the width is that before it stretches. */
const WIDTH = 1_000, HEIGHT = 200;

/** Pixels above and below it, for the labels of the axes. */
const TOP = 28, BOTTOM = 46;

function axesOf({ x, y, marks, rules = [] }: Chart): Axes {
  const points = marks.flatMap((mark) => mark.points);
  const crossings = (axis: "x" | "y") =>
    rules.filter((rule) => rule.axis === axis).map(({ at }) => at);
  return {
    x: x([...points.flatMap((p) => [p.x, p.to ?? p.x]), ...crossings("x")]),
    y: y([...points.map((p) => p.y ?? NaN), ...crossings("y")]),
  };
}

/** A place on an axis in so many units, to a tenth of one. */
function place(axis: Axis, value: number, length: number): number {
  return Number(((axis.at(value) ?? 0) * length).toFixed(1));
}

/** A path of numbers and letters alone, so that there is nothing to escape. */
function pathOf(kind: Mark["kind"], points: readonly Point[], axes: Axes) {
  const x = (value: number) => place(axes.x, value, WIDTH);
  const y = (p: Point) => HEIGHT - place(axes.y, p.y ?? Infinity, HEIGHT);
  const isPlaced = (p: Point) => axes.y.at(p.y ?? NaN) !== undefined;
  const ends = points.flatMap((p) =>
    p.to === undefined ? [p] : [p, { ...p, x: p.to }]
  );
  switch (kind) {
    case "line":
      return line<Point>((p) => x(p.x), y).defined(isPlaced)(ends);
    case "dots":
      return points.filter(isPlaced).map((p) => `M${x(p.x)} ${y(p)}h0`).join(
        "",
      );
    case "bars":
      return points.map((p) =>
        `M${x(p.x)} ${HEIGHT}V${y(p)}H${x(p.to ?? p.x)}V${HEIGHT}Z`
      ).join("");
  }
}

/** One path for all points, or one for each if they have hints. */
function drawn({ kind, style, points }: Mark, axes: Axes): Markup {
  const one = (some: readonly Point[], hint?: string) =>
    markup`<path class="${kind} ${style}" d="${new Markup(
      pathOf(kind, some, axes) ?? "",
    )}">${hint !== undefined && markup`<title>${hint}</title>`}</path>`;
  return points.some(({ hint }) => hint !== undefined)
    ? markup`${points.map((point) => one([point], point.hint))}`
    : one(points);
}

/** A line from end to end, at right angles to an axis. */
function across(axes: Axes, { axis, at, style }: Omit<Rule, "text">): Markup {
  const d = axis === "x"
    ? `M${place(axes.x, at, WIDTH)} 0V${HEIGHT}`
    : `M0 ${HEIGHT - place(axes.y, at, HEIGHT)}H${WIDTH}`;
  return markup`<path class="line ${style}" d="${d}"/>`;
}

/** Those of the x axis are first, as a narrow page shows every other one. */
function tickLabels({ x, y }: Axes): Markup {
  const below = x.ticks.map(({ value, label }) =>
    markup`<text class="middle" x="${place(x, value, 100)}%" y="${
      HEIGHT + 18
    }">${label}</text>`
  );
  const left = y.ticks.map(({ value, label }) =>
    markup`<text class="end" x="-8" y="${
      HEIGHT + 4 - place(y, value, HEIGHT)
    }">${label}</text>`
  );
  return markup`${below}${left}<text x="0" y="-14">${y.label}</text><text class="end" x="100%" y="${
    HEIGHT + 38
  }">${x.label}</text>`;
}

/** Labels of rules, each at another place, so that neighbours do not overlap. */
function ruleLabels({ x, y }: Axes, rules: readonly Rule[]): Markup[] {
  return rules.map(({ axis, at, text, style }) => {
    const row = rules.filter((rule) => rule.axis === axis)
      .findIndex((rule) => rule.text === text);
    const [left, top] = axis === "x"
      ? [place(x, at, 100), 8 + 16 * row]
      : [100 - 33 * (row % 3), HEIGHT - 5 - place(y, at, HEIGHT)];
    const isRight = left > 60 || axis === "y";
    return markup`<text class="rule ${style}${
      isRight && " end"
    }" x="${left}%" dx="${isRight ? -5 : 5}" y="${top}">${text}</text>`;
  });
}

/** How a mark looks in a legend, in a box of 24 by 10. */
const KEYS: Record<Mark["kind"], string> = {
  line: "M0 5h24",
  dots: "M12 5h0",
  bars: "M0 0h24v10h-24z",
};

function legend(marks: readonly Mark[]): Markup {
  return markup`<ul class="legend">${
    marks.filter((mark) => mark.legend !== undefined).map((mark) =>
      markup`<li><svg class="key" width="24" height="10" aria-hidden="true"><path class="${mark.kind} ${mark.style}" d="${
        KEYS[mark.kind]
      }"/></svg>${mark.legend}</li>`
    )
  }</ul>`;
}

/** A figure with its heading and its picture; nothing without any value. */
export function chart(all: Chart): Markup | undefined {
  const { title, text, rules = [] } = all;
  const marks = all.marks.filter(({ points }) => points.length > 0);
  if (!marks.some((mark) => mark.points.some((p) => typeof p.y === "number"))) {
    return;
  }
  const id = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const axes = axesOf(all);
  const grid = (["x", "y"] as const).flatMap((axis) =>
    axes[axis].ticks.map(({ value: at }) => ({ axis, at, style: "grid" }))
  );
  return markup`<figure id="${id}"><figcaption><h2>${title}</h2>${
    legend(marks)
  }</figcaption>
<div class="plot"><svg role="img" aria-labelledby="${id}-title ${id}-text" width="100%" height="${
    TOP + HEIGHT + BOTTOM
  }"><title id="${id}-title">${title}</title><desc id="${id}-text">${text}</desc><svg y="${TOP}" width="100%" height="${HEIGHT}"><svg width="100%" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">${
    grid.map((line) => across(axes, line))
  }${
    marks.map((mark) => drawn(mark, axes))
  }<path class="line base" d="M0 ${HEIGHT}H${WIDTH}"/>${
    rules.map((rule) => across(axes, { ...rule, style: `rule ${rule.style}` }))
  }</svg>${tickLabels(axes)}${
    ruleLabels(axes, rules)
  }</svg></svg></div></figure>
`;
}
