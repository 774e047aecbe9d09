/**
 * The options of the client's modes, and which of them fit together.
 *
 * ```ts
 * import { checkRunOptions } from "./run_options.ts";
 *
 * checkRunOptions("load", { rate: "max", expect: [] }); // UsageError
 * ```
 *
 * @module
 */

import type { LoadOptions } from "../load.ts";
import type { PingOptions } from "../ping.ts";
import type { Expectation } from "../stats/expectation.ts";
import type { Mode } from "../stats/metrics.ts";
import { requireMeasured } from "./expectation_flag.ts";
import { UsageError } from "./flags.ts";
import type { HtmlFile } from "./html_file.ts";

/** The options of all modes. */
export interface ModeOptions extends PingOptions, Omit<LoadOptions, "rate"> {
  /** Prints JSON, one object per line, instead of text. */
  json?: boolean | undefined;
  /** Messages per second, or the highest rate that holds is searched for. */
  rate?: number | "max" | undefined;
  /** Conditions on the figures. */
  expect?: readonly Expectation[] | undefined;
  /** The file for the report as a page. */
  html?: HtmlFile | undefined;
}

/** The flags of ping and load runs that do not all fit together. */
interface RunFlags {
  rate?: number | "max" | undefined;
  count?: number | undefined;
  size?: number | undefined;
  connect?: boolean | undefined;
  expect: readonly Expectation[];
}

/** @throws {UsageError} if flags of a mode do not fit together. */
export function checkRunOptions(
  mode: Mode,
  { rate, count, size, connect, expect }: RunFlags,
): void {
  requireMeasured(expect, mode);
  if (connect && size !== undefined) {
    throw new UsageError(
      "--connect cannot be combined with --size: it sends no message",
    );
  }
  if (rate !== "max") return;
  if (expect.length === 0) {
    throw new UsageError(
      "--rate max needs at least one --expect, such as --expect 'p99<5ms'",
    );
  }
  if (count !== undefined) {
    throw new UsageError(
      "--rate max cannot be combined with --count: each step takes --duration",
    );
  }
}
