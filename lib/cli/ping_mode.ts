/**
 * The mode `--ping`: prints each probe and the statistics, worded as in ping(8).
 *
 * ```sh
 * deno task client --ping -c 3 --expect 'loss<1%'
 * ```
 *
 * @module
 */

import { DEFAULT_PING_SIZE } from "../net/defaults.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { ping, type PingSummary, type Probe } from "../ping.ts";
import { formatExpectation } from "../stats/expectation.ts";
import { judge } from "../stats/findings.ts";
import { formatFixed, formatPercent, plural } from "../stats/format.ts";
import { type ModeInput, runOptions } from "./client_flags.ts";
import { print, printable, writeStderr } from "./output.ts";
import { findingLines, latencyLines, Run } from "./run.ts";
import { onQuitSignal } from "./signals.ts";

/** The reason of a lost probe, without what was attempted. */
function lossReason({ error }: Probe, endpoint: string): string {
  const message = error?.message ?? "lost";
  const [, reason = message] = message.split(`${endpoint}: `);
  return printable(reason);
}

/** The result of one probe, which only connects if `connect` is true. */
export function probeLine(
  probe: Probe,
  endpoint: string,
  connect = false,
): string {
  const { seq, size, latency, reconnected } = probe;
  const target = printable(endpoint);
  const [success, failure] = connect
    ? [`connected to ${target}`, `no connection to ${target}`]
    : [`${size} bytes from ${target}`, `no echo from ${target}`];
  const line = latency === undefined
    ? `${failure}: seq=${seq} (${lossReason(probe, endpoint)})`
    : `${success}: seq=${seq} time=${formatFixed(latency, 3)} ms`;
  return reconnected ? `${line} (reconnected)` : line;
}

/** The result of all probes. */
export function pingReport(summary: PingSummary, target: string): string {
  const { sent, received, loss, duration, latency, jitter } = summary;
  return [
    `--- ${target} ping statistics ---`,
    `${plural(sent, "probe")} sent, ${received} received, ${
      formatPercent(loss)
    } loss, time ${Math.round(duration)} ms`,
    ...latencyLines("rtt", latency, "min", "mean", "max", "stddev"),
    ...latencyLines("rtt", latency, "p50", "p90", "p99"),
    ...jitter === null ? [] : [`jitter = ${formatFixed(jitter, 3)} ms`],
    ...findingLines(summary),
  ].join("\n");
}

/** Sends probes, and prints each result and a summary. */
export async function runPing(input: ModeInput): Promise<number> {
  const { values, options, expectations } = input;
  const { json, connect, size = DEFAULT_PING_SIZE } = values;
  // Before the heading: who has seen it may press Ctrl-C.
  const run = await Run.start(input);
  const { target } = run;
  if (!json) {
    const what = connect ? "connect" : `${size} bytes of data`;
    print(`PING ${target}: ${what}`);
  }
  const summary = await ping({
    ...runOptions(input),
    signal: run.signal,
    onRun: (running) =>
      onQuitSignal(() => writeStderr(pingReport(running.summary(), target))),
    onProbe(probe) {
      run.print(
        "probe",
        { ...probe, error: probe.error?.message },
        () => probeLine(probe, formatEndpoint(options), connect),
      );
    },
  });
  const verdict = judge(summary, expectations);
  return run.end(summary, verdict, () =>
    [
      "",
      pingReport(summary, target),
      ...verdict.results.map(formatExpectation),
    ].join("\n"));
}
