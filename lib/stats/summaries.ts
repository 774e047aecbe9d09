/**
 * What a load run, a ping run and a search for the highest rate come to. Types
 * only; the public modules export them. Times are in milliseconds. A figure is
 * `null` where nothing was measured, or where the run was too short to know it.
 *
 * @module
 */

import type { Bucket } from "./histogram.ts";
import type {
  Latencies,
  LatencyFigure,
  LatencySummary,
  Percentile,
} from "./latencies.ts";

export type { LatencyFigure, LatencySummary, Percentile };

/** A condition and what came of it. */
export interface ExpectationResult {
  /** The condition, such as `p99<5ms`. */
  expectation: string;
  /**
   * Milliseconds, a share from 0 to 1, or a number, as the metric has it. `null`
   * where nothing was measured, such as a latency where no echo came back.
   */
  measured: number | null;
  /** Whether it could be more, as messages did not come back. */
  atLeast: boolean;
  /**
   * Whether the condition holds: not where nothing was measured, nor where missing
   * messages could break it.
   */
  met: boolean;
  /** Messages that the metric needs, if there were fewer; then it is not met. */
  needs: number | null;
}

/** The figures of a part of a run, mostly of a second. */
export interface Interval {
  /** From the start of the run, or the end of its warm-up, to the end of the part. */
  elapsed: number;
  /** When it ended, in ISO 8601. */
  timestamp: string;
  /** Replies that came back in it. */
  received: number;
  /** The same, per second. */
  receivedPerSecond: number;
  /** Errors in it. Those of a warm-up are in the first. */
  errors: number;
  /** Messages that were due in it. */
  due: number;
  /** Of those, the ones that did not come back; during the run, not yet. */
  missing: number;
  /** Half of the messages that were due in it took no longer. */
  p50: number | null;
  /** 99 % of them took no longer. */
  p99: number | null;
  /** The longest of them. A missing one counts with the time that it waited. */
  max: number | null;
}

/**
 * What load and ping runs have in common. Every message is in one of the counts:
 * `scheduled` = `sent` + `dropped`, and `sent` = `received` + `failed` +
 * `unanswered`.
 */
export interface RunSummary {
  /** When the run, or its measured part, started, in ISO 8601. */
  timestamp: string;
  /** How long messages were sent. */
  duration: number;
  /** Bytes of a message. */
  size: number;
  /** Messages that were due. */
  scheduled: number;
  /** Messages that were sent. */
  sent: number;
  /** Messages whose whole echo came back. */
  received: number;
  /** Messages that an error ended, such as a reset or a timeout. */
  failed: number;
  /** Messages that were still waiting for their echo at the end. */
  unanswered: number;
  /** Messages that were due, and not sent by the end. */
  dropped: number;
  /**
   * The share of what was due and did not come back, from 0 to 1. Without a
   * schedule, a connection that failed is a message that was due.
   */
  loss: number | null;
  /**
   * Errors by kind, such as `timeout`, `mismatch` or `unexpectedEof`. Those of
   * connecting and of a warm-up are included, which are no `failed` messages.
   */
  errors: Record<string, number>;
  /** The message of the first error of each kind. */
  firstErrors: Record<string, string>;
  /** All latencies, for percentiles that are not in the summary. */
  latencies: Latencies;
  /** From when a message was due, or sent, to the last byte of its echo. */
  latency: LatencySummary;
  /** The number of replies by latency. A bucket is half a doubling. */
  buckets: Bucket[];
  /** The percentile curve, from 0 to 100, as far as the messages support it. */
  percentiles: Percentile[];
  /**
   * The run in intervals of a second, or of a power of two of them, so that there
   * are at most 3,600.
   */
  intervals: Interval[];
}

/** The times that connecting took, the TLS handshake included. */
export type ConnectSummary = LatencySummary & {
  /** Connections that were made. */
  count: number;
};

/** How late something was. */
export interface LagSummary {
  /** Half of it was no later. */
  p50: number | null;
  /** 99 % was no later. */
  p99: number | null;
  /** The latest. */
  max: number;
}

/** Why scheduled messages were not sent. */
export interface DropCauses {
  /** There was no connection. */
  down: number;
  /** Their connection waited for an earlier echo. */
  slow: number;
  /** This client was too late. */
  client: number;
}

/** The result of a load run. Without a rate, a message is due when it is sent. */
export interface LoadSummary extends RunSummary {
  /** What was run. */
  mode: "load";
  /** Number of connections. */
  connections: number;
  /** Messages per second that were asked for. */
  rate: number | null;
  /** Load before the figures. */
  warmup: number;
  /** Messages whose echo came back within `duration`, per second. */
  receivedPerSecond: number | null;
  /** Their bytes per second, in each direction. */
  bytesPerSecond: number | null;
  /** Messages that came back after `duration`, which are in `received`. */
  late: number;
  /** Jain's fairness index of the replies per connection; 1 if all are equal. */
  fairness: number | null;
  /** Connections that got no echo at all. */
  starved: number | null;
  /**
   * Connections that the server closed between messages, and that were replaced.
   * If it closed one as a message was sent, the message was sent again.
   */
  reconnects: number;
  /** The connections that were made because of `reconnect`, or after errors. */
  connects: ConnectSummary | null;
  /** The causes of `dropped`. */
  droppedBy: DropCauses;
  /** How late this client sent messages, which is in no latency. With a rate. */
  lag: LagSummary | null;
  /**
   * Scheduled messages that this client noticed more than 3 ms too late. It may
   * have read echoes as late, and their latencies include its delay.
   */
  delayed: number;
  /**
   * CPU time of this process, as a share of one core, without the time that it
   * spent waiting for the schedule. Near 1, the server may be faster than it.
   */
  cpuUtilization: number | null;
}

/** A probe as a point in a picture. */
export interface ProbePoint {
  /** When it was sent, from the start of the run. */
  elapsed: number;
  /** Its latency; `null` if it was lost. */
  latency: number | null;
}

/** The result of a ping run. A probe that was not answered in time is `failed`. */
export interface PingSummary extends RunSummary {
  /** What was run. */
  mode: "ping";
  /** From one probe to the next, as it was asked for. */
  interval: number;
  /** Whether probes only connect. */
  connect: boolean;
  /**
   * The mean absolute difference of successive latencies (RFC 3550, section 6.4.1,
   * with round trips). Probes that were lost are skipped.
   */
  jitter: number | null;
  /** Each probe, up to 5,000 of them; empty if there were more. */
  probes: ProbePoint[];
}

/** Whether a rate holds, or the client could not tell. */
export type Verdict = "met" | "not met" | "client limited";

/** A step of the search for the highest rate: a load run. */
export interface RateStep {
  /** Messages per second that were asked for. */
  rate: number;
  /** Messages per second that came back. */
  receivedPerSecond: number | null;
  /** Whether that is as many, but for 5 %. */
  reached: boolean;
  /** Messages that were due, and not sent. */
  dropped: number;
  /** Messages that were still waiting for their echo at the end. */
  unanswered: number;
  /** The latencies. */
  latency: LatencySummary;
  /** The conditions. Empty if the load could not run. */
  expectations: ExpectationResult[];
  /** Errors by kind. */
  errors: Record<string, number>;
  /** Why the load could not run, such as a refused connection. */
  error?: Error;
  /** Whether the rate holds. */
  verdict: Verdict;
}

/** What a search for the highest rate found. */
export interface RateSearchSummary {
  /** What was run. */
  mode: "rate search";
  /** When it started, in ISO 8601. */
  timestamp: string;
  /** How long it took. */
  duration: number;
  /** All steps, in the order in which they were measured. */
  steps: RateStep[];
  /** The highest rate that was found to hold; the lower end of a `range`. */
  rate: number | null;
  /**
   * Where steps contradict each other: a rate above `from` failed, although `to`
   * was met.
   */
  range: { from: number | null; to: number } | null;
  /** Whether `rate` held when it was measured again. */
  confirmed: boolean;
  /**
   * Why the search did not go higher. `server`: the conditions did not hold.
   * `client`: the client was too slow to tell, so the server may take more.
   * `search`: it ended first, at its highest rate or its last step.
   */
  limitedBy: "server" | "client" | "search";
}

/** What any run comes to. */
export type Summary = LoadSummary | PingSummary | RateSearchSummary;
