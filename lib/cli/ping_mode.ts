/**
 * The mode `--ping`: prints each probe and the statistics.
 *
 * ```sh
 * deno task client --ping --count 3 --expect 'loss<1%'
 * ```
 *
 * @module
 */

import { DEFAULT_PING_SIZE } from "../net/defaults.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { ping } from "../ping.ts";
import { EXIT } from "./program.ts";
import { pingHeading, pingReport, probeLine } from "./report.ts";
import { printEvent, RunControl } from "./run_control.ts";
import type { ModeOptions } from "./run_options.ts";
import { onQuitSignal } from "./signals.ts";
import { print, writeStderr } from "./stdio.ts";
import { printable } from "./terminal.ts";
import { judgeRun } from "./verdict.ts";

/** Sends probes, and prints each result and a summary. */
export async function runPing(options: ModeOptions): Promise<number> {
  const endpoint = printable(formatEndpoint(options));
  const { json, size = DEFAULT_PING_SIZE, connect, html, expect = [] } =
    options;
  // Before the heading: who has seen it may press Ctrl-C.
  const control = new RunControl();
  if (!json) print(pingHeading(endpoint, { size, connect }));
  const summary = await ping({
    ...options,
    signal: control.signal,
    onRun: (run) =>
      onQuitSignal(() => writeStderr(pingReport(endpoint, run.summary()))),
    onProbe: (probe) =>
      control.write(() =>
        json
          ? printEvent("probe", { ...probe, error: probe.error?.message })
          : print(probeLine(endpoint, probe, connect))
      ),
  });
  control.throwIfOutputClosed();
  const { lines, fields, results, isMet } = judgeRun(expect, "ping", summary);
  if (json) printEvent("summary", { ...summary, ...fields });
  else print(["", pingReport(endpoint, summary), ...lines].join("\n"));
  html?.write({
    mode: "ping",
    target: endpoint,
    summary: summary,
    expectations: results,
  });
  return summary.received > 0 && isMet ? EXIT.ok : EXIT.failed;
}
