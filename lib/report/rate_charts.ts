/**
 * What a rate search found: latency over rate, and the rate reached over the
 * rate asked for.
 *
 * ```ts
 * import { rateLatencyChart } from "./rate_charts.ts";
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
  type LegendEntry,
} from "./chart.ts";
import { axisCount, duration, plural, rate } from "./format.ts";
import { lineKey, lines } from "./line.ts";
import { type Markup, markup } from "./markup.ts";
import { latencyScale, linearScale, type Scale } from "./scale.ts";
import type { RateSearchSummary, RateStep } from "../stats/rate_step.ts";

const RATE_LABEL = "messages/s asked for";

const NO_STEPS = "No step was completed, so there is nothing to draw.";

/** Each verdict has a shape, so that not the colour alone says it. */
const SHAPES: Record<RateStep["verdict"], Markup> = {
  "met": markup`<circle class="mark met" r="4.5"/>`,
  "not met": markup`<path class="mark not-met" d="M-5 -5L5 5M-5 5L5 -5"/>`,
  "client limited":
    markup`<path class="mark client-limited" d="M0 -5.5L5.5 4.5H-5.5Z"/>`,
};

const VERDICTS = ["met", "not met", "client limited"] as const;

const FIGURES = [
  { figure: "p999", style: "third", label: "p99.9" },
  { figure: "p99", style: "second", label: "p99" },
  { figure: "p50", style: "first", label: "p50" },
] as const;

function verdictLegend(steps: readonly RateStep[]): LegendEntry[] {
  return VERDICTS
    .filter((verdict) => steps.some((step) => step.verdict === verdict))
    .map((verdict) => ({
      key: markup`<g transform="translate(12 5)">${SHAPES[verdict]}</g>`,
      label: verdict,
    }));
}

function stepMarks(
  steps: readonly RateStep[],
  { x, y, pick }: { x: Scale; y: Scale; pick: (step: RateStep) => number },
): (Markup | undefined)[] {
  return steps.map((step) => {
    const left = x.at(step.rate), bottom = y.at(pick(step));
    if (left === undefined || bottom === undefined) return undefined;
    return markup`<svg x="${across(left)}" y="${
      down(bottom)
    }" overflow="visible"><title>${rate(step.rate)} messages/s asked for, ${
      rate(step.messagesPerSecond)
    } reached, p99 ${duration(step.p99)}: ${step.verdict}</title>${
      SHAPES[step.verdict]
    }</svg>`;
  });
}

function answerLine(answer: number | undefined, x: Scale): Markup | undefined {
  const at = answer === undefined ? undefined : x.at(answer);
  if (answer === undefined || at === undefined) return undefined;
  // Curves rise to the right, so there is more space on the left.
  const side = at > 0.35 ? "end" : "start";
  return markup`<line class="answer" x1="${across(at)}" x2="${
    across(at)
  }" y1="-6" y2="${HEIGHT}"/><text class="answer-label ${side}" x="${
    across(at)
  }" y="4" dx="${side === "end" ? -6 : 6}">answer: ${rate(answer)}</text>`;
}

/** Always linear: what matters is near the highest rates. */
function rateScale(rates: readonly number[]): Scale {
  return linearScale(Math.max(...rates), { format: axisCount });
}

function byRate(steps: readonly RateStep[]): RateStep[] {
  return [...steps].sort((a, b) => a.rate - b.rate);
}

/**
 * The last step of each rate, which decided on it. A line through all of them would
 * jump up and down where a rate was measured again.
 */
function lastOfEachRate(steps: readonly RateStep[]): RateStep[] {
  return [...new Map(steps.map((step) => [step.rate, step])).values()];
}

function answerText(answer: number | undefined): string {
  return answer === undefined
    ? "No rate held."
    : `The highest rate that held is ${rate(answer)} messages per second.`;
}

/** p50, p99 and p99.9 of the steps over the rate that was asked for. */
export function rateLatencyChart(summary: RateSearchSummary): Markup {
  const id = "rate-latency", title = "Latency over rate";
  const steps = byRate(summary.steps);
  if (steps.length === 0) return emptyChart({ id, title, reason: NO_STEPS });
  // A step in which nothing came back has no latency.
  const figure = (ms: number) => ms > 0 ? ms : undefined;
  const values = steps.flatMap(({ p50, p99, p999 }) => [p50, p99, p999]);
  const area = {
    x: rateScale(steps.map((step) => step.rate)),
    y: latencyScale(values.map(figure)),
  };
  return chart({
    id,
    title,
    description: `Three lines over ${plural(steps.length, "step")} from ${
      rate(steps[0]!.rate)
    } to ${
      rate(steps.at(-1)!.rate)
    } messages per second: the median, the 99th and the 99.9th percentile. ${
      answerText(summary.rate)
    }`,
    x: { scale: area.x, label: RATE_LABEL },
    y: { scale: area.y, label: "latency" },
    legend: [
      ...FIGURES.map(({ style, label }) => ({ key: lineKey(style), label })),
      ...verdictLegend(steps),
    ],
    marks: [
      answerLine(summary.rate, area.x),
      lines(
        FIGURES.toReversed().map(({ figure: name, style }) => ({
          style,
          points: lastOfEachRate(steps).map((step) => ({
            x: step.rate,
            y: figure(step[name]),
          })),
        })),
        area,
      ),
      markup`${
        stepMarks(steps.filter(({ p99 }) => p99 > 0), {
          ...area,
          pick: (step) => step.p99,
        })
      }`,
    ],
  });
}

/** The rate that was reached beside the one that was asked for. */
export function rateReachedChart(summary: RateSearchSummary): Markup {
  const id = "rate-reached", title = "Rate reached";
  const steps = byRate(summary.steps);
  if (steps.length === 0) return emptyChart({ id, title, reason: NO_STEPS });
  const asked = steps.map((step) => step.rate);
  const reached = steps.map((step) => step.messagesPerSecond);
  const x = rateScale(asked);
  const y = rateScale([...asked, ...reached]);
  return chart({
    id,
    title,
    description: `The rate reached by each step beside the rate asked for. ${
      answerText(summary.rate)
    }`,
    x: { scale: x, label: RATE_LABEL },
    y: { scale: y, label: "messages/s" },
    legend: [
      { key: lineKey("first"), label: "reached" },
      { key: lineKey("reference"), label: "asked for" },
      ...verdictLegend(steps),
    ],
    marks: [
      answerLine(summary.rate, x),
      lines([
        {
          style: "reference",
          points: asked.map((rate) => ({ x: rate, y: rate })),
        },
        {
          style: "first",
          points: lastOfEachRate(steps).map((step) => ({
            x: step.rate,
            y: step.messagesPerSecond,
          })),
        },
      ], { x, y }),
      markup`${
        stepMarks(steps, { x, y, pick: (step) => step.messagesPerSecond })
      }`,
    ],
  });
}
