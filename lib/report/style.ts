/**
 * The style of the pages. The colours of lines and verdicts are from Okabe and
 * Ito's palette (2008), which people with colour-vision deficiencies can tell
 * apart, darkened on white and lightened on black for contrast.
 *
 * @module
 */

/** CSS. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#fff, #14171a);
  --card: light-dark(#f5f7f9, #1e2226);
  --text: light-dark(#1a1f24, #e4e7ea);
  --muted: light-dark(#57606a, #9ba5ae);
  --grid: light-dark(#e7eaed, #292e33);
  --first: light-dark(#0067a5, #5ab5ec);
  --second: light-dark(#b44d00, #f0a04a);
  --third: light-dark(#8a4a7d, #d79bc4);
  --error: light-dark(#b3380c, #ff9063);
  --good-card: light-dark(#e6f1f9, #162a38);
  --error-card: light-dark(#fdeee7, #3a2018);
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
h1 span, .subtitle, .status, .legend, summary, dt, th { font-weight: 400; color: var(--muted); }
.subtitle { margin-top: 4px; }
.banner { display: flex; flex-wrap: wrap; gap: 0 16px; justify-content: space-between; margin-top: 16px; padding: 10px 14px; border-left: 4px solid; font-weight: 600; }
.banner.good { background: var(--good-card); }
.banner.error { background: var(--error-card); }
.remarks { margin-top: 12px; padding: 0 14px; list-style: none; }
.remarks li { padding-left: 1.4em; text-indent: -1.4em; }
.sign { display: inline-block; width: 1.2em; text-indent: 0; font-weight: 600; }
.good { color: var(--first); }
.error { color: var(--error); }
.warning { color: var(--second); }
.note { color: var(--muted); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 8px; margin-top: 20px; }
.cards div { padding: 10px 12px; background: var(--card); border-radius: 6px; }
dt, .legend, summary { font-size: 13px; }
dd { font-size: 21px; line-height: 1.25; font-weight: 600; }
.charts { display: grid; gap: 36px 40px; margin: 36px 0 24px; }
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
.line.base { stroke: var(--muted); stroke-width: 1; }
.line.grid { stroke: var(--grid); stroke-width: 1; }
.line.rule { stroke-width: 1.5; stroke-dasharray: 12 4 2 4; }
.line.guide { stroke-width: 1; stroke-dasharray: 4 3; }
.dots { stroke: var(--ink); stroke-width: 10; stroke-linecap: round; }
.dots.error { stroke-width: 9; stroke-linecap: square; }
.dots.probe { stroke: var(--first); stroke-width: 4; opacity: 0.6; }
.bars { fill: var(--ink); stroke: var(--page); }
.bars:hover { opacity: 0.75; }
.bars.faint { fill: var(--first); stroke: none; opacity: 0.12; }
.bars.some-lost { fill: var(--error); stroke: none; opacity: 0.15; }
.bars.most-lost { fill: var(--error); stroke: none; opacity: 0.35; }
.bars.lost { fill: none; stroke: var(--error); opacity: 0.6; }
.bars.hints { fill: var(--muted); stroke: none; opacity: 0; }
.bars.hints:hover { opacity: 0.2; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 4px 0 4px 16px; border-bottom: 1px solid var(--grid); text-align: right; vertical-align: top; }
th { overflow-wrap: break-word; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
.data th, .data td { white-space: nowrap; }
.scroll { overflow: auto; }
details .scroll { max-height: 480px; }
thead th { position: sticky; top: 0; background: var(--page); }
summary { cursor: pointer; padding-bottom: 8px; }
.sections { columns: 2 340px; column-gap: 40px; margin-top: 36px; }
section { padding-bottom: 32px; break-inside: avoid; }
@media (min-width: 1100px) {
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  figure:first-child:nth-last-child(odd) { grid-column: 1 / -1; }
}
@media (max-width: 599px) {
  .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .middle:nth-of-type(even) { display: none; }
}
@media print {
  :root { color-scheme: light; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
