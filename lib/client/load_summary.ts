/**
 * Computes the summary of a load run from the counts of its parts.
 *
 * @module
 */

import { fairness } from "../stats/fairness.ts";
import type { Histogram } from "../stats/histogram.ts";
import type { LoadSummary } from "../stats/summaries.ts";
import type { LoadRecorder } from "./load_recorder.ts";
import type { LoadSlot } from "./load_slot.ts";
import type { Pacer } from "./pacer.ts";

/** Messages due in the last milliseconds may still be sent in time. */
const SLACK_MS = 20;

/** The counts of a run. */
export interface LoadTotals {
  /** Bytes of a message. */
  size: number;
  /** The rate that was asked for. */
  rate: number | undefined;
  /** Milliseconds of warm-up. */
  warmup: number;
  /** Milliseconds after the warm-up during which messages were sent. */
  duration: number;
  /** CPU time of this process, as a share of one core. */
  cpuUtilization: number;
  /** The times that connecting took, in a run that replaces its connections. */
  connects: Histogram | undefined;
  /** Messages sent after the warm-up. */
  sent: number;
  /** Messages still in flight at the end. */
  unanswered: number;
  /** The latencies and errors. */
  recorder: LoadRecorder;
  /** The connections. */
  slots: readonly LoadSlot[];
  /** The schedule of a run with a rate. */
  pacer: Pacer | undefined;
}

/** The summary of a run. */
export function summarize(totals: LoadTotals): LoadSummary {
  const { size, rate, warmup, cpuUtilization, connects } = totals;
  const { recorder, slots, pacer, sent, unanswered } = totals;
  const { latencies, errors, firstErrors, late } = recorder;
  // Not 0, because figures are divided by it.
  const duration = Math.max(totals.duration, Number.MIN_VALUE);
  const messagesPerSecond = recorder.inTime / duration * 1_000;
  const due = pacer
    ? pacer.dueBy(warmup + duration - SLACK_MS) - pacer.unmeasured
    : 0;
  return {
    connections: slots.length,
    size,
    ...rate !== undefined && { rate },
    warmup,
    duration,
    messages: latencies.count,
    messagesPerSecond,
    bytesPerSecond: messagesPerSecond * size,
    errors,
    firstErrors,
    latency: latencies.summary(),
    buckets: latencies.buckets(),
    percentiles: latencies.percentiles(),
    intervals: recorder.intervals.list(),
    fairness: fairness(slots.map(({ messages }) => messages)),
    starved: slots.filter(({ messages }) => messages === 0).length,
    reconnects: slots.reduce((sum, { reconnects }) => sum + reconnects, 0),
    ...connects && {
      connects: { count: connects.count, ...connects.summary() },
    },
    late,
    unanswered,
    maxLag: pacer?.maxLag ?? 0,
    delayed: pacer?.delayed ?? 0,
    dropped: Math.max(0, due - sent),
    cpuUtilization,
  };
}
