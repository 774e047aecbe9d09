/**
 * A run as a page to send to a colleague: figures, charts, verdicts, options
 * and machine in one HTML file. The page has no script and loads nothing, has a
 * light and a dark scheme, and fits a phone and a wide screen.
 *
 * ```ts
 * import { htmlReport } from "./html_report.ts";
 * const page = htmlReport({
 *   mode: "rate search",
 *   target: "127.0.0.1:12345",
 *   summary: { steps: [], confirmed: false, limitedBy: "search" },
 *   environment: [{ label: "Deno", value: Deno.version.deno }],
 * });
 * ```
 *
 * @module
 */

import { loadPage } from "./report/load_page.ts";
import { page } from "./report/page.ts";
import { pingPage } from "./report/ping_page.ts";
import { rateSearchPage } from "./report/rate_search_page.ts";
import type { ReportContext } from "./report/types.ts";
import type { RateSearchSummary } from "./stats/rate_step.ts";
import type { LoadSummary, PingSummary } from "./stats/summaries.ts";

export type * from "./report/types.ts";
export type { ExpectationResult } from "./stats/expectation.ts";
export type { Bucket, LatencySummary, Percentile } from "./stats/histogram.ts";
export type { Interval as LoadInterval } from "./stats/interval.ts";
export type { RateStep, Verdict } from "./stats/rate_step.ts";
export type { ConnectSummary } from "./stats/summaries.ts";
export type { LoadSummary, PingSummary, RateSearchSummary };

/** A run, and what its page says besides. */
export type HtmlReportInput =
  & ReportContext
  & (
    | { mode: "load"; summary: LoadSummary }
    | { mode: "ping"; summary: PingSummary }
    | { mode: "rate search"; summary: RateSearchSummary }
  );

/**
 * Makes the page as a string. It reads no clock, no file and no environment: the
 * same input yields the same page. All text in it is escaped.
 */
export function htmlReport(input: HtmlReportInput): string {
  switch (input.mode) {
    case "load":
      return page(input, loadPage(input.summary));
    case "ping":
      return page(input, pingPage(input.summary));
    case "rate search":
      return page(input, rateSearchPage(input.summary));
  }
}
