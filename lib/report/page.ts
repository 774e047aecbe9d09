/**
 * The page around figures and charts: one file without scripts, links or
 * anything else to be loaded.
 *
 * ```ts
 * import { page } from "./page.ts";
 * ```
 *
 * @module
 */

import { expectationsTable, verdictBanner } from "./expectations.ts";
import { Markup, markup } from "./markup.ts";
import { STYLE } from "./style.ts";
import { cards, type Figure, figuresTable, rowsTable } from "./table.ts";
import type { ReportContext } from "./types.ts";

/** What a kind of run puts into its page. */
export interface PageContent {
  /** What was done: `Load test`. */
  heading: string;
  /** How, in a few words. */
  subtitle: string;
  /** The most important figures. */
  cards: readonly Figure[];
  /** What a reader must know before believing the figures. */
  warnings: readonly string[];
  /** In a grid of one or two columns. */
  charts: readonly Markup[];
  /** Below the charts, over the whole width. */
  data?: Markup | undefined;
  /** Every figure of the summary, in sections. */
  figures: readonly { title: string; rows: readonly Figure[] }[];
}

function warningList(warnings: readonly string[]): Markup | undefined {
  if (warnings.length === 0) return undefined;
  return markup`<ul class="warnings" aria-label="Warnings">
${
    warnings.map((warning) =>
      markup`<li><span aria-hidden="true">△</span> ${warning}</li>
`
    )
  }</ul>
`;
}

/** The whole page. */
export function page(context: ReportContext, content: PageContent): string {
  const { target, expectations = [], options = [], environment = [] } = context;
  const { heading, subtitle, figures } = content;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading}: ${target}</title>
<style>
${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1>${heading} <span class="target">${target}</span></h1>
<p class="subtitle">${subtitle}</p>
${verdictBanner(expectations)}</header>
<main>
${warningList(content.warnings)}${cards(content.cards)}${
    expectationsTable(expectations)
  }<div class="charts">
${content.charts}</div>
${content.data}<div class="tables">
${figures.map(({ title, rows }) => figuresTable(title, rows))}${
    rowsTable("Options", options)
  }${rowsTable("Environment", environment)}</div>
</main>
</body>
</html>
`.toString();
}
