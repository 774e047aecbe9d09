/**
 * Figures as lines for people: ping's in its own words and order, a load run's
 * with a picture of its latencies.
 *
 * ```ts
 * import { load } from "./load.ts";
 * import { loadReport } from "./report.ts";
 * console.log(loadReport("127.0.0.1:12345", await load(), 80));
 * ```
 *
 * @module
 */

import type { Bucket } from "./histogram.ts";
import type { LoadSecond, LoadSummary } from "./load_options.ts";
import type { PingSummary, Probe } from "./ping.ts";
import { printable } from "./printable.ts";

/** Milliseconds with three decimals, as ping(8) has them. */
function ms(value: number): string {
  return value.toFixed(3);
}

/** A count with thousands apart. */
function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** The line of a probe. */
export function probeLine(where: string, probe: Probe): string {
  const { seq, size, rtt, error, reconnected } = probe;
  const line = rtt === undefined
    ? `no echo from ${where}: seq=${seq} (${error?.message ?? "lost"})`
    : `${size} bytes from ${where}: seq=${seq} time=${ms(rtt)} ms`;
  return reconnected ? `${line} (reconnected)` : line;
}

/** What all probes came to. */
export function pingReport(where: string, summary: PingSummary): string {
  const { sent, received, loss, duration, rtt } = summary;
  const lines = [
    `--- ${where} ping statistics ---`,
    `${sent} probes sent, ${received} received, ${+(loss * 100).toFixed(
      3,
    )}% loss, time ${Math.round(duration)} ms`,
  ];
  if (received > 0) {
    const { min, mean, max, mdev, p50, p99 } = rtt;
    lines.push(
      `rtt min/avg/max/mdev = ${[min, mean, max, mdev].map(ms).join("/")} ms`,
      `rtt p50/p99 = ${ms(p50)}/${ms(p99)} ms`,
    );
  }
  return lines.join("\n");
}

/** How far a run is, and where it ends. */
export interface Progress {
  /** Messages that have come back so far. */
  messages: number;
  /** Errors so far. */
  errors: number;
  /** Milliseconds that it is to take; without them, `count` ends it. */
  duration?: number | undefined;
  /** Messages that it is to send. */
  count?: number | undefined;
}

/** How a run goes, within a line. */
export function progressLine(
  { elapsed, messagesPerSecond }: LoadSecond,
  { messages, errors, duration, count }: Progress,
): string {
  const seconds = `${(elapsed / 1_000).toFixed(0)} s`;
  const done = duration === undefined
    ? `${seconds}, ${grouped(messages)} of ${grouped(count ?? 0)} messages`
    : `${seconds} of ${duration / 1_000} s`;
  return `${done}: ${grouped(messagesPerSecond)} messages/s, ${errors} error${
    errors === 1 ? "" : "s"
  }`;
}

/** A latency in the unit that suits it, in 8 columns. */
function short(value: number): string {
  const text = value < 1
    ? `${+(value * 1_000).toPrecision(3)} µs`
    : value < 1_000
    ? `${+value.toPrecision(3)} ms`
    : `${+(value / 1_000).toPrecision(3)} s`;
  return text.padStart(8);
}

/** Columns of a line with a bar, at most: longer bars tell nothing more. */
const MAX_COLUMNS = 100;

/**
 * Latencies as bars, the longest as wide as there is room. Their lengths are
 * logarithmic: each doubling of the count adds the same, so that the few slow
 * ones show beside the many fast ones.
 */
export function bars(buckets: readonly Bucket[], width: number): string[] {
  const most = Math.max(...buckets.map(({ count }) => count));
  const digits = grouped(most).length;
  const room = Math.max(1, Math.min(width, MAX_COLUMNS) - 8 - 1 - digits - 2);
  const scale = room / Math.log2(most + 1);
  return buckets.map(({ from, count }) => {
    const length = count === 0
      ? 0
      : Math.max(1, Math.round(Math.log2(count + 1) * scale));
    return `${short(from)} ${grouped(count).padStart(digits)} ${
      "█".repeat(length)
    }`.trimEnd();
  });
}

/** A pause of the runtime's own, such as for garbage, takes less, in ms. */
const SLIP_MS = 15;

/** What a run came to, for a terminal of so many columns. */
export function loadReport(
  where: string,
  summary: LoadSummary,
  columns: number,
): string {
  const { connections, size, duration, latency } = summary;
  const errors = Object.entries(summary.errors);
  const lines = [
    `--- ${where} load: ${connections} connection${
      connections === 1 ? "" : "s"
    }, ${size} bytes a message ---`,
    `${grouped(summary.messages)} messages verified in ${
      (duration / 1_000).toFixed(1)
    } s: ${grouped(summary.messagesPerSecond)} messages/s, ${
      (summary.bytesPerSecond / 1e6).toFixed(1)
    } MB/s each way`,
    errors.length === 0
      ? "no errors"
      : `errors: ${
        errors.map(([kind, count]) => `${count} ${kind}`).join(", ")
      }`,
  ];
  for (const [kind, message] of Object.entries(summary.firstErrors)) {
    lines.push(`first ${kind}: ${printable(message)}`);
  }
  if (summary.unanswered > 0) {
    lines.push(
      `${
        grouped(summary.unanswered)
      } unanswered: in flight at the end, and not back within the wait for them`,
    );
  }
  if (summary.reconnects > 0) {
    lines.push(
      `${
        grouped(summary.reconnects)
      } reconnects: the server had closed the connection between messages`,
    );
  }
  // Where nobody got anything, all got the same.
  const fairness = `fairness ${summary.fairness.toFixed(4)} (Jain), `;
  lines.push(
    `${summary.messages > 0 ? fairness : ""}${summary.starved} starved`,
  );
  if (summary.unsent > 0) {
    lines.push(
      `${
        grouped(summary.unsent)
      } more were due at this rate and not sent: it is too much for the server, or for so few connections`,
    );
  }
  if (summary.slip > SLIP_MS) {
    lines.push(
      `this program was up to ${
        ms(summary.slip)
      } ms late itself: it may be too slow for the rate`,
    );
  }
  if (summary.messages > 0) {
    const { min, mean, p50, p90, p99, p999, max } = latency;
    lines.push(
      `latency min/avg/max = ${[min, mean, max].map(ms).join("/")} ms`,
      `latency p50/p90/p99/p99.9 = ${
        [p50, p90, p99, p999].map(ms).join("/")
      } ms`,
      "",
      "latency from   count (bars: each doubling adds the same)",
      ...bars(summary.buckets, columns),
    );
  }
  return lines.join("\n");
}
