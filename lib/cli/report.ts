/**
 * The results of the client as text. Those of ping are worded as ping(8) does,
 * those of a load run include a histogram of its latencies.
 *
 * ```ts
 * import { load } from "../load.ts";
 * import { loadReport } from "./report.ts";
 *
 * console.log(loadReport("127.0.0.1:12345", await load(), 80));
 * ```
 *
 * @module
 */

import type { Bucket, LoadInterval, LoadSummary } from "../load.ts";
import { formatCount, formatDuration, plural } from "../net/format.ts";
import type { PingSummary, Probe } from "../ping.ts";
import { CLIENT_BUSY_SHARE } from "../stats/rate_step.ts";
import { printable } from "./terminal.ts";

/** Latencies in milliseconds, as ping(8) prints them: `0.123/4.500 ms`. */
function formatLatencies(...latencies: number[]): string {
  return `${latencies.map((ms) => ms.toFixed(3)).join("/")} ms`;
}

/** What a ping run does. */
export function pingHeading(
  endpoint: string,
  { size, connect }: { size: number; connect?: boolean | undefined },
): string {
  return `PING ${endpoint}: ${connect ? "connect" : `${size} bytes of data`}`;
}

/** The result of one probe, which only connects if `connect` is true. */
export function probeLine(
  endpoint: string,
  { seq, size, rtt, error, reconnected }: Probe,
  connect = false,
): string {
  const [success, failure] = connect
    ? [`connected to ${endpoint}`, `no connection to ${endpoint}`]
    : [`${size} bytes from ${endpoint}`, `no echo from ${endpoint}`];
  const line = rtt === undefined
    ? `${failure}: seq=${seq} (${error?.message ?? "lost"})`
    : `${success}: seq=${seq} time=${formatLatencies(rtt)}`;
  return reconnected ? `${line} (reconnected)` : line;
}

/** The result of all probes. */
export function pingReport(
  endpoint: string,
  summary: PingSummary,
): string {
  const { sent, received, loss, duration, rtt, jitter } = summary;
  const percent = Number((loss * 100).toFixed(3));
  const lines = [
    `--- ${endpoint} ping statistics ---`,
    `${sent} probes sent, ${received} received, ${percent}% loss, time ${
      Math.round(duration)
    } ms`,
  ];
  if (received > 0) {
    const { min, mean, max, stddev, p50, p99 } = rtt;
    lines.push(
      `rtt min/avg/max/mdev = ${formatLatencies(min, mean, max, stddev)}`,
      `rtt p50/p99 = ${formatLatencies(p50, p99)}`,
    );
    // The first difference needs two round trips.
    if (received > 1) lines.push(`jitter = ${formatLatencies(jitter)}`);
  }
  return lines.join("\n");
}

/** The progress of a load run. */
export interface Progress {
  /** Messages that have come back. */
  messages: number;
  /** Errors. */
  errors: number;
  /** Milliseconds that the run takes. If undefined, `count` ends it. */
  duration?: number | undefined;
  /** Messages that the run sends. */
  count?: number | undefined;
}

/** The progress of a load run after an interval, as one line. */
export function progressLine(
  { elapsed, messagesPerSecond }: LoadInterval,
  { messages, errors, duration, count }: Progress,
): string {
  const done = duration === undefined
    ? `${formatDuration(elapsed)}, ${formatCount(messages)} of ${
      formatCount(count ?? 0)
    } messages`
    : `${formatDuration(elapsed)} of ${formatDuration(duration)}`;
  return `${done}: ${formatCount(messagesPerSecond)} messages/s, ${
    plural(errors, "error")
  }`;
}

const LATENCY_HEADING = "latency ≥";
const COUNT_HEADING = "count";

/** Columns of a line with a bar at most. Longer bars are not easier to read. */
const MAX_COLUMNS = 100;

/**
 * A histogram: a line per bucket, with a bar. The length of a bar is logarithmic,
 * so that a few slow messages are visible beside many fast ones.
 */
export function histogramLines(
  buckets: readonly Bucket[],
  columns: number,
): string[] {
  const latencies = buckets.map(({ from }) => formatLatencies(from));
  const counts = buckets.map(({ count }) => formatCount(count));
  const width = (heading: string, cells: string[]) =>
    Math.max(heading.length, ...cells.map(({ length }) => length));
  const left = width(LATENCY_HEADING, latencies);
  const middle = width(COUNT_HEADING, counts);
  const row = (latency: string, count: string, right: string) =>
    `${latency.padStart(left)}  ${count.padStart(middle)}  ${right}`.trimEnd();
  const longest = Math.max(
    1,
    Math.min(columns, MAX_COLUMNS) - (left + 2 + middle + 2),
  );
  const max = Math.max(...buckets.map(({ count }) => count));
  const scale = longest / Math.log2(max + 1);
  return [
    row(LATENCY_HEADING, COUNT_HEADING, "(log scale)"),
    ...buckets.map(({ count }, i) => {
      const bar = Math.round(Math.log2(count + 1) * scale);
      const length = count === 0 ? 0 : Math.max(1, bar);
      return row(latencies[i]!, counts[i]!, "█".repeat(length));
    }),
  ];
}

/** A delay of this many ms is no sign of overload: a GC pause may take as long. */
const MAX_NORMAL_LAG_MS = 15;

/** What went wrong in a load run, or what may have distorted it. */
function problemLines(summary: LoadSummary): string[] {
  const { unanswered, reconnects, dropped, maxLag, delayed, cpuUtilization } =
    summary;
  const errors = Object.entries(summary.errors);
  const lines = errors.length === 0
    ? ["no errors"]
    : [`errors: ${errors.map(([kind, n]) => `${n} ${kind}`).join(", ")}`];
  for (const [kind, message] of Object.entries(summary.firstErrors)) {
    lines.push(`first ${kind}: ${printable(message)}`);
  }
  if (unanswered > 0) {
    lines.push(
      `${
        formatCount(unanswered)
      } unanswered: no echo within the wait at the end`,
    );
  }
  if (reconnects > 0) {
    lines.push(
      `${
        plural(reconnects, "reconnect")
      }: the server had closed the connection between messages`,
    );
  }
  if (dropped > 0) {
    lines.push(
      `${
        plural(dropped, "scheduled message")
      } not sent: the rate is too high for the server, or for this many connections`,
    );
  }
  if (maxLag > MAX_NORMAL_LAG_MS) {
    lines.push(
      `this client was up to ${formatLatencies(maxLag)} late, and ${
        plural(delayed, "message")
      } over 3 ms: it may be too slow for this rate`,
    );
  }
  if (cpuUtilization >= CLIENT_BUSY_SHARE) {
    lines.push(
      `the client was busy ${
        Math.round(cpuUtilization * 100)
      } % of the time: the server may be faster`,
    );
  }
  return lines;
}

/** The result of a load run, for a terminal of this many columns. */
export function loadReport(
  endpoint: string,
  summary: LoadSummary,
  columns: number,
): string {
  const { connections, size, messages, duration, starved, warmup, connects } =
    summary;
  const lines = [
    `--- ${endpoint} load: ${
      plural(connections, "connection")
    }, ${size} bytes a message ---`,
    ...warmup > 0
      ? [`after ${formatDuration(warmup)} of warm-up, which is in no figure:`]
      : [],
    `${formatCount(messages)} messages verified in ${
      formatDuration(duration)
    }: ${formatCount(summary.messagesPerSecond)} messages/s, ${
      (summary.bytesPerSecond / 1e6).toFixed(1)
    } MB/s each way`,
    ...problemLines(summary),
  ];
  if (messages === 0) return [...lines, `${starved} starved`].join("\n");
  const { min, mean, p50, p90, p99, p999, max } = summary.latency;
  return [
    ...lines,
    `fairness ${summary.fairness.toFixed(4)} (Jain), ${starved} starved`,
    `latency min/avg/max = ${formatLatencies(min, mean, max)}`,
    `latency p50/p90/p99/p99.9 = ${formatLatencies(p50, p90, p99, p999)}`,
    ...connects
      ? [
        `connect p50/p99/max = ${
          formatLatencies(connects.p50, connects.p99, connects.max)
        }`,
      ]
      : [],
    "",
    ...histogramLines(summary.buckets, columns),
  ].join("\n");
}
