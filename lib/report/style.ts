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
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --card: #f5f7f9; --text: #1a1f24; --muted: #57606a; --grid: #e7eaed;
  --first: #0067a5; --second: #b44d00; --third: #8a4a7d;
  --good: #0067a5; --good-card: #e6f1f9; --error: #b3380c; --error-card: #fdeee7;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1e2226; --text: #e4e7ea; --muted: #9ba5ae; --grid: #292e33;
    --first: #5ab5ec; --second: #f0a04a; --third: #d79bc4;
    --good: #6cbdf0; --good-card: #162a38; --error: #ff9063; --error-card: #3a2018;
  }
}
* { box-sizing: border-box; margin: 0; min-width: 0; }
body {
  margin: 0 auto; padding: 24px 16px 48px; max-width: 1240px;
  background: var(--page); color: var(--text); overflow-wrap: anywhere;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
h1 { font-size: 24px; line-height: 1.25; font-weight: 600; }
h2 { padding-bottom: 8px; font-size: 16px; line-height: 1.3; font-weight: 600; }
h1 span, .subtitle, .status, .legend, summary, dt, .pairs th { font-weight: 400; color: var(--muted); }
.subtitle { margin-top: 4px; }
.banner { display: flex; flex-wrap: wrap; gap: 0 16px; justify-content: space-between; margin-top: 16px; padding: 10px 14px; border-left: 4px solid; font-weight: 600; }
.banner.good { background: var(--good-card); }
.banner.error { background: var(--error-card); }
.remarks { margin-top: 12px; padding: 0 14px; list-style: none; }
.remarks li { padding-left: 1.4em; text-indent: -1.4em; }
.sign { display: inline-block; width: 1.2em; text-indent: 0; font-weight: 600; }
.good { color: var(--good); }
.error { color: var(--error); }
.warning { color: var(--second); }
.note { color: var(--muted); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 8px; margin-top: 20px; }
.cards div { padding: 10px 12px; background: var(--card); border-radius: 6px; }
dt, .legend, summary { font-size: 13px; }
dd { font-size: 21px; line-height: 1.25; font-weight: 600; }
.charts { display: grid; grid-template-columns: minmax(0, 1fr); gap: 36px 40px; margin: 36px 0 24px; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 16px; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; padding: 0 0 6px; list-style: none; }
.legend li { display: flex; align-items: center; gap: 6px; }
.plot { padding: 0 20px 0 68px; }
svg { display: block; overflow: visible; }
text { fill: var(--muted); font-size: 12px; }
text.end { text-anchor: end; }
text.middle { text-anchor: middle; }
text.rule { fill: currentColor; font-weight: 600; paint-order: stroke; stroke: var(--page); stroke-width: 4px; }
path { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; --ink: currentColor; }
.first { --ink: var(--first); }
.second { --ink: var(--second); }
.third { --ink: var(--third); }
.line { stroke: var(--ink); stroke-width: 2; stroke-linecap: round; }
.line.second { stroke-dasharray: 7 4; }
.line.third { stroke-width: 1.5; stroke-dasharray: 1 4; }
.line.base, .line.grid, .line.guide, .line.asked { stroke-width: 1; }
.line.base, .line.asked { --ink: var(--muted); }
.line.grid { --ink: var(--grid); }
.line.rule { stroke-dasharray: 6 4; stroke-width: 1.5; }
.dots { stroke: var(--ink); stroke-width: 10; stroke-linecap: round; }
.dots.error { stroke-width: 9; stroke-linecap: square; }
.dots.probe { --ink: var(--first); stroke-width: 4; opacity: 0.6; }
.bars { fill: var(--ink); stroke: var(--page); }
.bars:hover { opacity: 0.75; }
.bars.area { --ink: var(--first); stroke: none; opacity: 0.12; }
.some-lost, .most-lost { --ink: var(--error); stroke: none; opacity: 0.15; }
.most-lost { opacity: 0.35; }
.bars.lost { fill: none; stroke: var(--error); opacity: 0.6; }
.hints { --ink: var(--muted); stroke: none; opacity: 0; }
.hints:hover { opacity: 0.2; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 4px 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; font-weight: 400; }
.pairs th { padding-right: 16px; }
.pairs td, .data td, .data th + th { text-align: right; }
.data th, .data td { padding-left: 16px; white-space: nowrap; }
.data th:first-child { padding-left: 0; }
.scroll { max-height: 480px; overflow: auto; }
thead th { position: sticky; top: 0; background: var(--page); color: var(--muted); }
summary { cursor: pointer; padding-bottom: 8px; }
.sections { columns: 2 340px; column-gap: 40px; margin-top: 36px; }
section { padding-bottom: 32px; break-inside: avoid; }
@media (min-width: 1100px) {
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  figure:first-child:nth-last-child(odd) { grid-column: 1 / -1; }
}
@media (max-width: 599px) {
  .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  dd { font-size: 19px; }
  .middle:nth-of-type(even) { display: none; }
}
@media print {
  :root { color-scheme: light; }
  figure { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
