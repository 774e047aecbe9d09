/**
 * The page around figures and charts: one file without scripts, links or
 * anything else to be loaded. What went wrong is at its top.
 *
 * @module
 */

import { formatExpectation } from "../stats/expectation.ts";
import type { Finding, RunVerdict } from "../stats/findings.ts";
import { formatDuration, NONE } from "../stats/format.ts";
import type { LatencyFigure, LatencySummary } from "../stats/summaries.ts";
import { Markup, markup } from "./markup.ts";
import { STYLE } from "./style.ts";

/** What a figure is, and the figure as people read it. */
export type Figure = readonly [label: string, value: string | Markup];

/** What a kind of run puts into its page, from top to bottom. */
export interface PageContent {
  heading: string;
  subtitle: readonly string[];
  verdict: RunVerdict;
  /** The most important figures, large. */
  cards: readonly Figure[];
  charts: readonly (Markup | undefined)[];
  /** A table as wide as the page. */
  data: Markup | undefined;
  /** All other figures, by the title of their section. */
  sections: Record<string, readonly Figure[]>;
}

/** Beside a verdict or a finding, so that not the colour alone says it. */
const SIGNS = { good: "✓", error: "✗", warning: "△", note: "•" };

/** A text with its sign and colour. */
export function signed(kind: keyof typeof SIGNS, text: string): Markup {
  return markup`<span class="sign ${kind}" aria-hidden="true">${
    SIGNS[kind]
  }</span> ${text}`;
}

/** A duration that may be longer, as messages are missing. */
export function bound(ms: number | null, atLeast: boolean): string {
  return atLeast ? `≥ ${formatDuration(ms)}` : formatDuration(ms);
}

/** Some figures of latencies. */
export function latencies(
  latency: LatencySummary,
  names: readonly LatencyFigure[],
): Figure[] {
  const isBound = (name: LatencyFigure) => latency.atLeast.includes(name);
  return names.map((name) => [name, bound(latency[name], isBound(name))]);
}

/** Rows of the same figures. It scrolls where it is wider than the page. */
export function table(title: string, rows: readonly (readonly Figure[])[]) {
  const columns = rows[0]?.map(([label]) => label) ?? [];
  return markup`<div class="scroll" role="region" aria-label="${title}" tabindex="0"><table class="data">
<thead><tr>${
    columns.map((column) => markup`<th scope="col">${column}</th>`)
  }</tr></thead>
<tbody>
${
    rows.map((row) =>
      markup`<tr>${row.map(([, value]) => markup`<td>${value}</td>`)}</tr>\n`
    )
  }</tbody></table></div>
`;
}

/** Whether a run was long enough for a figure. */
const isKnown = ([, value]: Figure) => value !== NONE;

function section(title: string, figures: readonly Figure[]) {
  const known = figures.filter(isKnown);
  return known.length > 0 && markup`<section><h2>${title}</h2>
<table>
${
    known.map(([label, value]) =>
      markup`<tr><th scope="row">${label}</th><td>${value}</td></tr>\n`
    )
  }</table></section>
`;
}

function banner({ passed, reasons }: RunVerdict): Markup {
  const [kind, text, status] = passed
    ? ["good", "Passed", 0] as const
    : ["error", `Failed: ${reasons.join(", ")}`, 1] as const;
  return markup`<p class="banner ${kind}"><span>${
    signed(kind, text)
  }</span> <span class="status">exit status ${status}</span></p>
`;
}

/** The conditions and whether they held; what else is to be said about a run. */
function remarks({ results }: RunVerdict, findings: readonly Finding[]) {
  return [
    ...results.map((result) =>
      signed(result.met ? "good" : "error", formatExpectation(result))
    ),
    ...findings.map(({ severity, message }) =>
      signed(severity, message.slice(0, 1).toUpperCase() + message.slice(1))
    ),
  ].map((remark) => markup`<li>${remark}</li>\n`);
}

/** The whole page of a run against `target`. */
export function page(
  target: string,
  findings: readonly Finding[],
  content: PageContent,
): string {
  const { heading, verdict, sections } = content;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading}: ${target}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1>${heading} <span>${target}</span></h1>
<p class="subtitle">${content.subtitle.join(" · ")}</p>
${banner(verdict)}<ul class="remarks">
${remarks(verdict, findings)}</ul>
</header>
<main>
<dl class="cards">
${
    content.cards.filter(isKnown).map(([label, value]) =>
      markup`<div><dt>${label}</dt><dd>${value}</dd></div>\n`
    )
  }</dl>
<div class="charts">
${content.charts}</div>
${content.data}<div class="sections">
${Object.entries(sections).map(([title, rows]) => section(title, rows))}</div>
</main>
</body>
</html>
`.source;
}
