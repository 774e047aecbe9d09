/**
 * What a page says besides the summary of a run. Types only; `lib/html_report.ts`
 * exports them.
 *
 * @module
 */

import type { ExpectationResult } from "../stats/expectation.ts";

/** A label and its value, both plain text. */
export interface ReportRow {
  /** What it is. */
  label: string;
  /** What it was in this run. */
  value: string;
}

/** What every page says, whatever was measured. */
export interface ReportContext {
  /** Where the server is, such as `127.0.0.1:12345`. */
  target: string;
  /** Conditions with their results. */
  expectations?: readonly ExpectationResult[] | undefined;
  /** Options of the run. */
  options?: readonly ReportRow[] | undefined;
  /** Versions, machine and time of the run. */
  environment?: readonly ReportRow[] | undefined;
}
