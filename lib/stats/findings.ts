/**
 * What is to be said about a run besides its figures: what went wrong, what may
 * have distorted it, and whether it passed. The text, the page and the JSON show
 * the same sentences.
 *
 * ```ts
 * import { findings } from "./findings.ts";
 * import type { LoadSummary } from "./summaries.ts";
 * declare const summary: LoadSummary;
 * for (const { severity, message } of findings(summary)) {
 *   console.log(severity, message); // "warning", "the client was busy …"
 * }
 * ```
 *
 * @module
 */

import {
  checkExpectations,
  type Expectation,
  type ExpectationResult,
} from "./expectation.ts";
import {
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  plural,
} from "./format.ts";
import type {
  LoadSummary,
  PingSummary,
  RateSearchSummary,
  RunSummary,
  Summary,
} from "./summaries.ts";

/** A sentence about a run. */
export interface Finding {
  /** What it is about, such as `timeout`, `dropped` or `clientBusy`. */
  kind: string;
  /**
   * `error`: something did not come back. `warning`: the figures may be distorted.
   * `note`: good to know.
   */
  severity: "error" | "warning" | "note";
  /** The sentence, without a full stop. It may quote what a peer sent. */
  message: string;
}

/** What came of a run as a whole. */
export interface RunVerdict {
  /** The conditions with their results, in the order in which they were given. */
  results: ExpectationResult[];
  /** Whether the run passed: the programs end with status 0. */
  passed: boolean;
  /** Why not, a sentence each. */
  reasons: string[];
}

/**
 * From this share of a core on, figures may be the client's: it has one thread,
 * whose queue grows steeply as it gets no pause.
 */
export const CLIENT_BUSY_SHARE = 0.9;

/**
 * Milliseconds. A client on an idle machine was up to 6 ms late, for collecting
 * garbage and compiling (measured at 5,000 messages a second).
 */
export const NORMAL_LAG_MS = 6;

/**
 * A schedule is kept if its error is below this share of the mean time between two
 * messages: then few of them leave in one bunch with their neighbours.
 */
const KEPT_SHARE = 0.5;

/** The share of an interval by which so many probes may be late on average. */
const LATE_PROBES = { share: 0.1, probes: 10 };

/** The kinds of errors in words, for one of them and for several. */
const ERROR_KINDS: Record<string, [one: string, several: string]> = {
  timeout: ["message timed out", "messages timed out"],
  unexpectedEof: [
    "connection was closed before a whole echo came back",
    "connections were closed before a whole echo came back",
  ],
  connectionReset: ["connection was reset", "connections were reset"],
  mismatch: ["echo was wrong", "echoes were wrong"],
  connectionRefused: ["connection was refused", "connections were refused"],
  connect: ["connection could not be made", "connections could not be made"],
  handshake: ["TLS handshake failed", "TLS handshakes failed"],
};

/** A kind of error and how often it occurred: `3 messages timed out`. */
export function errorText(kind: string, count: number): string {
  const [one, several] = ERROR_KINDS[kind] ??
    [`${kind} error`, `${kind} errors`];
  return `${formatCount(count)} ${count === 1 ? one : several}`;
}

function errorFindings({ errors, firstErrors }: RunSummary): Finding[] {
  return Object.entries(errors).sort((a, b) => b[1] - a[1])
    .map(([kind, count]) => ({
      kind,
      severity: "error",
      message: `${errorText(kind, count)}; the first: ${firstErrors[kind]}`,
    }));
}

function unansweredFindings(summary: RunSummary, noun: string): Finding[] {
  const { unanswered, latencies } = summary;
  if (unanswered === 0) return [];
  const message = `${plural(unanswered, noun)} ${
    unanswered === 1 ? "was" : "were"
  } without an echo at the end, after up to ${
    formatDuration(latencies.missing.max)
  }`;
  return [{ kind: "unanswered", severity: "error", message }];
}

function droppedFindings({ dropped, droppedBy }: LoadSummary): Finding[] {
  if (dropped === 0) return [];
  const causes = ([
    [droppedBy.down, "there was no connection to the server"],
    [droppedBy.slow, "their connections still waited for an earlier echo"],
    [droppedBy.client, "this client was too late"],
  ] as const).filter(([count]) => count > 0);
  const message = `${plural(dropped, "scheduled message")} ${
    dropped === 1 ? "was" : "were"
  } not sent: ${
    causes.map(([count, cause]) =>
      causes.length > 1 ? `${formatCount(count)} because ${cause}` : cause
    ).join(", ")
  }`;
  return [{ kind: "dropped", severity: "error", message }];
}

/** What this client did that its figures may include. */
function clientFindings(summary: LoadSummary): Finding[] {
  const { cpuUtilization: busy, lag, delayed, rate } = summary;
  const found: Finding[] = [];
  if (busy !== null && busy >= CLIENT_BUSY_SHARE) {
    const message = `the client was busy ${
      formatPercent(busy)
    } of the time: the server may be faster`;
    found.push({ kind: "clientBusy", severity: "warning", message });
  }
  if (lag && lag.max > NORMAL_LAG_MS) {
    const message = `this client was up to ${
      formatDuration(lag.max)
    } late, and ${
      plural(delayed, "message")
    } over 3 ms: it may be too slow for this rate`;
    found.push({ kind: "clientLate", severity: "warning", message });
  }
  if (lag?.p99 && rate && lag.p99 > KEPT_SHARE * 1_000 / rate) {
    const message = `messages left ${formatDuration(lag.p50)} (p50) to ${
      formatDuration(lag.p99)
    } (p99) after they were due, some in bunches`;
    found.push({ kind: "bunched", severity: "note", message });
  }
  return found;
}

function loadFindings(summary: LoadSummary): Finding[] {
  const { starved, reconnects } = summary;
  const found = [
    ...errorFindings(summary),
    ...unansweredFindings(summary, "message"),
    ...droppedFindings(summary),
  ];
  if (starved) {
    const message = `${plural(starved, "connection")} got no echo at all`;
    found.push({ kind: "starved", severity: "warning", message });
  }
  found.push(...clientFindings(summary));
  if (reconnects > 0) {
    const message = `the server closed ${
      plural(reconnects, "connection")
    } between messages, which were replaced`;
    found.push({ kind: "reconnects", severity: "note", message });
  }
  return found;
}

function pingFindings(summary: PingSummary): Finding[] {
  const { sent, interval, duration, received } = summary;
  const found = [
    ...errorFindings(summary),
    ...unansweredFindings(summary, "probe"),
  ];
  const actual = duration / (sent - 1);
  const isLate = actual > interval * (1 + LATE_PROBES.share);
  if (received >= LATE_PROBES.probes && interval > 0 && isLate) {
    const message = `a probe was sent every ${
      formatDuration(actual)
    }, not every ${
      formatDuration(interval)
    }: each waits for the one before it, and for a timer of 1 ms`;
    found.push({ kind: "interval", severity: "note", message });
  }
  return found;
}

/** A rate with its unit. */
function perSecond(rate: number): string {
  return `${formatRate(rate)} message${rate === 1 ? "" : "s"}/s`;
}

/** The answer of a search in a sentence, as it stands at its end. */
export function rateAnswer(summary: RateSearchSummary): string {
  const { rate, range, confirmed, limitedBy, steps } = summary;
  const notes = confirmed ? [] : ["not confirmed"];
  if (limitedBy === "client") notes.unshift("limited by the client");
  if (limitedBy === "search") {
    notes.unshift(`the search ended after ${plural(steps.length, "step")}`);
  }
  const rest = notes.length > 0 ? ` (${notes.join(", ")})` : "";
  if (range) {
    const from = range.from === null ? "" : `from ${formatRate(range.from)} `;
    return `highest rate that holds: ${from}to ${
      perSecond(range.to)
    }: steps contradict each other${rest}`;
  }
  if (rate !== null) {
    const least = limitedBy === "server" ? "" : "at least ";
    return `highest rate that holds: ${least}${perSecond(rate)}${rest}`;
  }
  const last = steps.at(-1);
  if (!last || limitedBy === "search") {
    return "no rate was found to hold: the search ended too early";
  }
  const lowest = `no rate holds, not even ${perSecond(last.rate)}`;
  return limitedBy === "client" ? `${lowest}: the client is busy` : lowest;
}

function searchFindings({ steps, range }: RateSearchSummary): Finding[] {
  const found: Finding[] = steps.flatMap(({ rate, error }) =>
    error
      ? [{
        kind: "step",
        severity: "error",
        message: `no load ran at ${perSecond(rate)}: ${error.message}`,
      }]
      : []
  );
  if (range) {
    const message = `a rate up to ${
      perSecond(range.to)
    } was met, and a lower or equal one failed: the server or the machine varies`;
    found.push({ kind: "contradiction", severity: "warning", message });
  }
  return found;
}

/** What is to be said about a run, the worst first. Empty if all is well. */
export function findings(summary: Summary): Finding[] {
  switch (summary.mode) {
    case "load":
      return loadFindings(summary);
    case "ping":
      return pingFindings(summary);
    case "rate search":
      return searchFindings(summary);
  }
}

/**
 * Whether a run passed. Something came back, and all conditions are met. In a load
 * run everything must have come back, too, unless a condition judges it: one on
 * `errors` what failed, one on `dropped` what was not sent, one on `loss` all of it.
 */
export function judge(
  summary: LoadSummary | PingSummary,
  expectations: readonly Expectation[] = [],
): RunVerdict {
  const results = checkExpectations(expectations, summary);
  const judges = (...metrics: string[]) =>
    expectations.some(({ metric }) => metrics.includes(metric));
  const unmet = results.filter(({ met }) => !met).length;
  const reasons: string[] = [];
  if (summary.received === 0) reasons.push("nothing came back");
  if (unmet > 0) {
    reasons.push(
      `${formatCount(unmet)} of ${
        plural(results.length, "expectation")
      } not met`,
    );
  }
  if (summary.mode === "load") {
    const { errors, unanswered, dropped } = summary;
    const count = Object.values(errors).reduce((sum, n) => sum + n, 0);
    if (count > 0 && !judges("errors", "loss")) {
      reasons.push(plural(count, "error"));
    }
    if (unanswered > 0 && !judges("loss")) {
      reasons.push(`${formatCount(unanswered)} unanswered`);
    }
    if (dropped > 0 && !judges("dropped", "loss")) {
      reasons.push(`${formatCount(dropped)} dropped`);
    }
  }
  return { results, passed: reasons.length === 0, reasons };
}
