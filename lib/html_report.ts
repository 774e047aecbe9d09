/**
 * A run as a page to send to a colleague: verdict, findings, figures, charts,
 * options and machine in one HTML file. The page has no script and loads
 * nothing, has a light and a dark scheme, and fits a phone and a wide screen.
 *
 * ```ts
 * import { htmlReport } from "./html_report.ts";
 * import { load } from "./load.ts";
 *
 * async function report(target: string): Promise<string> {
 *   const summary = await load({ port: 12345, duration: 10_000 });
 *   return htmlReport({ target, summary, expectations: ["p99<5ms"] });
 * }
 * ```
 *
 * @module
 */

import { page, type PageContent } from "./report/page.ts";
import { rateSearchPage } from "./report/rate_search_page.ts";
import { loadPage, pingPage } from "./report/run_page.ts";
import { parseExpectation } from "./stats/expectation.ts";
import { findings, judge } from "./stats/findings.ts";
import type { Summary } from "./stats/summaries.ts";

export type { ExpectationResult } from "./stats/expectation.ts";
export type { Bucket, Histogram, HistogramJson } from "./stats/histogram.ts";
export type { Bounds, Latencies } from "./stats/latencies.ts";
export type * from "./stats/summaries.ts";

/** A label and its value, both plain text. */
export interface ReportRow {
  /** What it is. */
  label: string;
  /** What it was in this run. */
  value: string;
}

/** A run, and what its page says besides. */
export interface HtmlReportInput {
  /** What was measured. Its `mode` decides what the page shows. */
  summary: Summary;
  /** Where the server is, such as `127.0.0.1:12345`. */
  target: string;
  /**
   * Conditions of a load or ping run, such as `p99<5ms`. The page shows their
   * limits and whether they are met. A rate search has them in its steps.
   */
  expectations?: readonly string[] | undefined;
  /** Options of the run. */
  options?: readonly ReportRow[] | undefined;
  /** Versions, machine and time of the run. */
  environment?: readonly ReportRow[] | undefined;
}

function contentOf(input: HtmlReportInput): PageContent {
  const { summary, expectations = [] } = input;
  if (summary.mode === "rate search") return rateSearchPage(summary);
  const { mode } = summary;
  const conditions = expectations.map((text) => parseExpectation(text, mode));
  const verdict = judge(summary, conditions);
  return mode === "load"
    ? loadPage(summary, verdict)
    : pingPage(summary, verdict);
}

/**
 * Makes the page as a string. It reads no clock, no file and no environment: the
 * same input yields the same page. All text in it is escaped.
 *
 * @throws {RangeError} if one of the expectations is not valid.
 */
export function htmlReport(input: HtmlReportInput): string {
  const { summary, target, options = [], environment = [] } = input;
  const content = contentOf(input);
  const rows = ({ label, value }: ReportRow) => [label, value] as const;
  const sections = {
    ...content.sections,
    Options: options.map(rows),
    Environment: environment.map(rows),
  };
  return page(target, findings(summary), { ...content, sections });
}
