/**
 * Tables: figures, data behind a chart, options.
 *
 * ```ts
 * import { figuresTable } from "./table.ts";
 * ```
 *
 * @module
 */

import { type Markup, markup } from "./markup.ts";
import type { ReportRow } from "./types.ts";

/** A figure as text, and exactly, if it is a number. */
export interface Figure {
  /** What it is. */
  label: string;
  /** As people read it. */
  text: string;
  /** All its digits, in the unit of the summary. */
  exact?: number | undefined;
}

/** The text of a figure; its exact value is in the source. */
export function figureValue({ text, exact }: Figure): Markup {
  return exact === undefined || !Number.isFinite(exact)
    ? markup`${text}`
    : markup`<data value="${exact}">${text}</data>`;
}

/** The most important figures, large. */
export function cards(figures: readonly Figure[]): Markup {
  return markup`<dl class="cards">
${
    figures.map((figure) =>
      markup`<div><dt>${figure.label}</dt><dd>${figureValue(figure)}</dd></div>
`
    )
  }</dl>
`;
}

/** Figures with their labels. */
export function figuresTable(
  title: string,
  figures: readonly Figure[],
): Markup | undefined {
  if (figures.length === 0) return undefined;
  return markup`<section>
<h2>${title}</h2>
<table class="pairs">
${
    figures.map((figure) =>
      markup`<tr><th scope="row">${figure.label}</th><td>${
        figureValue(figure)
      }</td></tr>
`
    )
  }</table>
</section>
`;
}

/** Labels and values that are text. */
export function rowsTable(
  title: string,
  rows: readonly ReportRow[],
): Markup | undefined {
  if (rows.length === 0) return undefined;
  return markup`<section>
<h2>${title}</h2>
<table class="pairs text">
${
    rows.map(({ label, value }) =>
      markup`<tr><th scope="row">${label}</th><td>${value}</td></tr>
`
    )
  }</table>
</section>
`;
}

/** A table of figures in columns. */
export interface DataTable {
  /** What it holds. */
  caption: string;
  /** The headings. */
  columns: readonly string[];
  /** The cells, the first of a row being its heading. */
  rows: readonly (readonly (string | Markup)[])[];
  /** The column that holds text and not numbers, counted from 0. */
  text?: number | undefined;
}

/** The table itself, which scrolls where it is wider than the page. */
export function grid({ caption, columns, rows, text }: DataTable): Markup {
  const kind = (i: number) => i === text && markup` class="text"`;
  return markup`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table class="data">
<caption>${caption}</caption>
<thead><tr>${
    columns.map((column, i) => markup`<th scope="col"${kind(i)}>${column}</th>`)
  }</tr></thead>
<tbody>
${
    rows.map((cells) =>
      markup`<tr>${
        cells.map((cell, i) =>
          i === 0
            ? markup`<th scope="row">${cell}</th>`
            : markup`<td${kind(i)}>${cell}</td>`
        )
      }</tr>
`
    )
  }</tbody>
</table></div>
`;
}

/** The same, folded until somebody wants to see it. */
export function dataTable(table: DataTable): Markup {
  return markup`<details><summary>${table.caption}</summary>
${grid(table)}</details>
`;
}
