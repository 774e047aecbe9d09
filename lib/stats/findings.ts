/**
 * What is to be said about a run besides its figures: what went wrong, what may
 * have distorted it, and whether it passed. The text, the page and the JSON show
 * the same sentences.
 *
 * @module
 */

import {
  checkExpectations,
  type Expectation,
  type ExpectationResult,
} from "./expectation.ts";
import {
  errorText,
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
const NORMAL_LAG_MS = 6;

/**
 * A schedule is kept if its error is below this share of the mean time between two
 * messages: then few of them leave in one bunch with their neighbours.
 */
const KEPT_SHARE = 0.5;

/** The share of an interval by which so many probes may be late on average. */
const LATE_PROBES = { share: 0.1, probes: 10 };

function finding(
  severity: Finding["severity"],
  kind: string,
  message: string,
): Finding {
  return { kind, severity, message };
}

/** What did not come back, in a load run and in ping. */
function* lossFindings(summary: RunSummary, noun: string): Generator<Finding> {
  const { errors, firstErrors, unanswered, latencies } = summary;
  const kinds = Object.entries(errors).sort((a, b) => b[1] - a[1]);
  for (const [kind, count] of kinds) {
    const message = `${errorText(kind, count)}; the first: ${
      firstErrors[kind]
    }`;
    yield finding("error", kind, message);
  }
  if (unanswered > 0) {
    const were = unanswered === 1 ? "was" : "were";
    const waited = formatDuration(latencies.missing.max);
    const message = `${plural(unanswered, noun)} ${were} without an echo at ` +
      `the end, after up to ${waited}`;
    yield finding("error", "unanswered", message);
  }
}

function* droppedFindings(summary: LoadSummary): Generator<Finding> {
  const { dropped, droppedBy: { down, slow, client } } = summary;
  if (dropped === 0) return;
  const causes = ([
    [down, "there was no connection to the server"],
    [slow, "their connections still waited for an earlier echo"],
    [client, "this client was too late"],
  ] as const).filter(([count]) => count > 0).map(([count, cause]) =>
    count < dropped ? `${formatCount(count)} because ${cause}` : cause
  );
  const what = plural(dropped, "scheduled message");
  const message = `${what} ${dropped === 1 ? "was" : "were"} not sent: ${
    causes.join(", ")
  }`;
  yield finding("error", "dropped", message);
}

/** What this client did that its figures may include. */
function* clientFindings(summary: LoadSummary): Generator<Finding> {
  const { cpuUtilization: busy, lag, delayed, rate } = summary;
  if (busy !== null && busy >= CLIENT_BUSY_SHARE) {
    const share = formatPercent(busy);
    const message =
      `the client was busy ${share} of the time: the server may be faster`;
    yield finding("warning", "clientBusy", message);
  }
  if (lag && lag.max > NORMAL_LAG_MS) {
    const message = `this client was up to ${formatDuration(lag.max)} late, ` +
      `and ${plural(delayed, "message")} over 3 ms: ` +
      "it may be too slow for this rate";
    yield finding("warning", "clientLate", message);
  }
  if (lag?.p99 && rate && lag.p99 > KEPT_SHARE * 1_000 / rate) {
    const message = `messages left ${formatDuration(lag.p50)} (p50) to ` +
      `${formatDuration(lag.p99)} (p99) after they were due, some in bunches`;
    yield finding("note", "bunched", message);
  }
}

function* loadFindings(summary: LoadSummary): Generator<Finding> {
  const { starved, reconnects } = summary;
  yield* lossFindings(summary, "message");
  yield* droppedFindings(summary);
  if (starved) {
    const message = `${plural(starved, "connection")} got no echo at all`;
    yield finding("warning", "starved", message);
  }
  yield* clientFindings(summary);
  if (reconnects > 0) {
    const connections = plural(reconnects, "connection");
    const message =
      `the server closed ${connections} between messages, which were replaced`;
    yield finding("note", "reconnects", message);
  }
}

function* pingFindings(summary: PingSummary): Generator<Finding> {
  const { sent, interval, duration, received } = summary;
  yield* lossFindings(summary, "probe");
  const actual = duration / (sent - 1);
  const isLate = actual > interval * (1 + LATE_PROBES.share);
  if (received >= LATE_PROBES.probes && interval > 0 && isLate) {
    const message = `a probe was sent every ${formatDuration(actual)}, ` +
      `not every ${formatDuration(interval)}: ` +
      "each waits for the one before it, and for a timer of 1 ms";
    yield finding("note", "interval", message);
  }
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

function* searchFindings(summary: RateSearchSummary): Generator<Finding> {
  const { steps, range } = summary;
  for (const { rate, error } of steps) {
    if (!error) continue;
    const message = `no load ran at ${perSecond(rate)}: ${error.message}`;
    yield finding("error", "step", message);
  }
  if (range) {
    const message =
      `a rate up to ${perSecond(range.to)} was met, and a lower ` +
      "or equal one failed: the server or the machine varies";
    yield finding("warning", "contradiction", message);
  }
}

/** What is to be said about a run, the worst first. Empty if all is well. */
export function findings(summary: Summary): Finding[] {
  if (summary.mode === "load") return [...loadFindings(summary)];
  if (summary.mode === "ping") return [...pingFindings(summary)];
  return [...searchFindings(summary)];
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
  const unmet = results.filter(({ met }) => !met).length;
  const isLoad = summary.mode === "load";
  const { received, unanswered, dropped } = summary;
  const errors = Object.values(summary.errors).reduce((sum, n) => sum + n, 0);
  const isJudged = (...metrics: string[]) =>
    expectations.some(({ metric }) => metrics.includes(metric));
  const reasons: string[] = [];
  if (received === 0) reasons.push("nothing came back");
  if (unmet > 0) {
    const all = plural(results.length, "expectation");
    reasons.push(`${formatCount(unmet)} of ${all} not met`);
  }
  if (isLoad && errors > 0 && !isJudged("errors", "loss")) {
    reasons.push(plural(errors, "error"));
  }
  if (isLoad && unanswered > 0 && !isJudged("loss")) {
    reasons.push(`${formatCount(unanswered)} unanswered`);
  }
  if (isLoad && dropped > 0 && !isJudged("dropped", "loss")) {
    reasons.push(`${formatCount(dropped)} dropped`);
  }
  return { results, passed: reasons.length === 0, reasons };
}
