/**
 * The style of the pages.
 *
 * @module
 */

/**
 * The colours of lines and verdicts are from Okabe and Ito's palette (2008),
 * which people with colour-vision deficiencies can tell apart, darkened on
 * white and lightened on black for contrast.
 */
export const STYLE = `:root {
  color-scheme: light dark;
  --page: #ffffff;
  --card: #f5f7f9;
  --text: #1a1f24;
  --muted: #57606a;
  --border: #d5dade;
  --grid: #e7eaed;
  --first: #0067a5;
  --second: #b44d00;
  --third: #8a4a7d;
  --met: #0067a5;
  --met-card: #e6f1f9;
  --not-met: #b3380c;
  --not-met-card: #fdeee7;
  --limited: #57606a;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14171a;
    --card: #1e2226;
    --text: #e4e7ea;
    --muted: #9ba5ae;
    --border: #3a4148;
    --grid: #292e33;
    --first: #5ab5ec;
    --second: #f0a04a;
    --third: #d79bc4;
    --met: #6cbdf0;
    --met-card: #162a38;
    --not-met: #ff9063;
    --not-met-card: #3a2018;
    --limited: #9ba5ae;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto;
  padding: 24px 16px 48px;
  max-width: 1240px;
  background: var(--page);
  color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 24px; line-height: 1.25; font-weight: 600; }
h2 { margin: 0 0 8px; font-size: 16px; line-height: 1.3; font-weight: 600; }
.target { font-weight: 400; color: var(--muted); }
.subtitle { margin: 4px 0 0; color: var(--muted); }
.banner { margin: 16px 0 0; padding: 8px 12px; border-left: 4px solid; font-weight: 600; }
.banner.met { background: var(--met-card); }
.banner.not-met { background: var(--not-met-card); }
.met { color: var(--met); }
.not-met { color: var(--not-met); }
.client-limited { color: var(--limited); }
.verdict { font-weight: 600; white-space: nowrap; }
.warnings { margin: 16px 0 0; padding: 8px 12px; list-style: none; border: 1px solid var(--border); border-left: 4px solid var(--second); }
.warnings li { padding-left: 1.3em; text-indent: -1.3em; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 8px; margin: 20px 0 0; }
.cards div { padding: 10px 12px; background: var(--card); border-radius: 6px; }
.cards dt { color: var(--muted); font-size: 13px; line-height: 1.3; }
.cards dd { margin: 2px 0 0; font-size: 22px; line-height: 1.25; font-weight: 600; }
section, figure, details { min-width: 0; }
section { margin: 32px 0 0; }
.charts { display: grid; grid-template-columns: minmax(0, 1fr); gap: 36px 40px; margin: 36px 0 0; }
figure { margin: 0; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 16px; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 0 0 6px; padding: 0; list-style: none; font-size: 13px; color: var(--muted); }
.legend li { display: flex; align-items: center; gap: 6px; }
.plot { padding: 0 20px 0 68px; }
.frame { display: block; overflow: visible; }
.key { flex: none; overflow: visible; }
.empty { margin: 0; padding: 32px 16px; background: var(--card); border-radius: 6px; color: var(--muted); text-align: center; }
svg text { fill: var(--muted); font-size: 12px; }
svg .end { text-anchor: end; }
svg .middle { text-anchor: middle; }
.grid { stroke: var(--grid); }
.base { stroke: var(--muted); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.line.first { stroke: var(--first); }
.line.second { stroke: var(--second); stroke-dasharray: 7 3; }
.line.third { stroke: var(--third); stroke-width: 1.5; stroke-dasharray: 2 3; }
.line.reference { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 5 4; }
.line.failure { stroke: var(--not-met); }
.fill { opacity: 0.12; }
.fill.first, .dot.first { fill: var(--first); }
.dot.second { fill: var(--second); }
.dot.third { fill: var(--third); }
.bar { fill: var(--first); stroke: var(--page); stroke-width: 1; }
.bar:hover { opacity: 0.75; }
.guide { stroke: var(--text); stroke-dasharray: 3 3; }
svg .guide-label { fill: var(--text); }
.answer { stroke: var(--text); stroke-width: 1; }
svg .answer-label { fill: var(--text); font-weight: 600; paint-order: stroke; stroke: var(--page); stroke-width: 3px; }
.mark { stroke-width: 2; stroke: currentColor; fill: var(--page); }
.mark.met { fill: currentColor; }
.hints rect { fill: transparent; }
.hints rect:hover { fill: var(--muted); opacity: 0.2; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 4px 16px 4px 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; font-weight: 400; }
thead th { color: var(--muted); font-size: 13px; vertical-align: bottom; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { position: relative; overflow-x: auto; }
.data td, .data thead th + th { text-align: right; }
.data td.text, .data thead th.text { text-align: left; }
.data th, .data td { white-space: nowrap; }
.conditions .data { max-width: 600px; }
.data th:last-child, .data td:last-child { padding-right: 0; }
.pairs th { color: var(--muted); }
.pairs.text th { width: 35%; }
.pairs td { text-align: right; padding-right: 0; white-space: nowrap; }
.pairs.text td { text-align: left; white-space: normal; }
.tables { columns: 2 340px; column-gap: 40px; margin: 36px 0 0; }
.tables section { margin: 0; padding: 0 0 32px; break-inside: avoid; }
details { margin: 8px 0 0; }
.charts + details { margin: 24px 0 0; }
summary { color: var(--muted); font-size: 13px; cursor: pointer; }
details .scroll { max-height: 360px; overflow-y: auto; margin: 8px 0 0; }
details thead th { position: sticky; top: 0; background: var(--page); }
@media (min-width: 1100px) {
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .charts figure:first-child:nth-last-child(odd) { grid-column: 1 / -1; }
}
@media (max-width: 599px) {
  h1 { font-size: 21px; }
  .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .cards dd { font-size: 19px; }
  .minor { display: none; }
  .data { font-size: 13px; }
  .data th, .data td { padding-right: 10px; }
}
@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 12px; }
  details:not([open]) { display: none; }
  details .scroll { max-height: none; }
  figure, section, .cards { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
