/**
 * What the pages are made of: the summaries, and what a page says besides.
 * Types only; `lib/html_report.ts` is where to get them from.
 *
 * @module
 */

import type { Bucket, LatencySummary, Percentile } from "../stats/histogram.ts";
import type { Interval as LoadInterval } from "../stats/interval.ts";

export type { Bucket, LatencySummary, LoadInterval, Percentile };

/** What a load run came to. */
export interface LoadSummary {
  /** Connections that were kept. */
  connections: number;
  /** Bytes of a message. */
  size: number;
  /** Length of the run, ms. */
  duration: number;
  /** Messages that came back whole. */
  messages: number;
  /** Of them, per second. */
  messagesPerSecond: number;
  /** Bytes a second in each direction. */
  bytesPerSecond: number;
  /** Errors by kind. */
  errors: Record<string, number>;
  /** Latencies, ms. */
  latency: LatencySummary;
  /** Latencies by size. */
  buckets: readonly Bucket[];
  /** Jain's index over the connections. */
  fairness: number;
  /** Connections that got no reply at all. */
  starved: number;
  /** Milliseconds that the client was late with a message, at most. */
  maxLag: number;
  /** Scheduled messages that the client noticed more than 3 ms too late. */
  delayed: number;
  /** Scheduled messages that were not sent. */
  dropped: number;
  /** Connections that were replaced. */
  reconnects: number;
  /** Milliseconds of load before the run, which no figure includes. */
  warmup: number;
  /** Messages a second that were asked for. */
  rate?: number | undefined;
  /** CPU time of the client per time of the run; 1 is one core. */
  cpuUtilization: number;
  /** The run in intervals. */
  intervals: readonly LoadInterval[];
  /** The percentile curve. */
  percentiles: readonly Percentile[];
  /** Times that connections took to be made, ms. */
  connects?: LatencySummary | undefined;
}

/** What a ping run came to. */
export interface PingSummary {
  /** Probes sent. */
  sent: number;
  /** Probes that came back whole. */
  received: number;
  /** The share that did not, from 0 to 1. */
  loss: number;
  /** Length of the run, ms. */
  duration: number;
  /** Round-trip times, ms. */
  rtt: LatencySummary;
  /** Mean absolute difference of successive round-trip times, ms. */
  jitter: number;
  /** Round-trip times by size. */
  buckets: readonly Bucket[];
  /** The percentile curve. */
  percentiles: readonly Percentile[];
  /** The run in intervals. */
  intervals: readonly LoadInterval[];
}

/** One step of a rate search. */
export interface RateStep {
  /** Messages a second that were asked for. */
  rate: number;
  /** Messages a second that were reached. */
  messagesPerSecond: number;
  /** Half of the latencies are no longer, ms. */
  p50: number;
  /** 99 % of them are no longer, ms. */
  p99: number;
  /** 99.9 % of them are no longer, ms. */
  p999: number;
  /** Scheduled messages that were not sent. */
  dropped: number;
  /** Whether the expectations held. */
  verdict: "met" | "not met" | "client limited";
}

/** What a search for the highest rate came to. */
export interface RateSearchSummary {
  /** The steps, in the order they were run. */
  steps: readonly RateStep[];
  /** The highest rate that held; absent if none did. */
  rate?: number | undefined;
  /** Whether a second measurement of that rate held too. */
  confirmed: boolean;
}

/** A condition, and what was measured. */
export interface ExpectationResult {
  /** The condition as it was given, such as `p99<5ms`. */
  expectation: string;
  /**
   * In the unit of the metric: ms, a share from 0 to 1, or a count. Absent where
   * nothing was measured.
   */
  measured?: number | undefined;
  /** The same as text; made from `measured` if absent. */
  text?: string | undefined;
  /** Whether the condition holds. */
  met: boolean;
}

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
