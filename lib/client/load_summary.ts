/**
 * Computes the summary of a load run from the counts of its parts.
 *
 * @module
 */

import { fairness } from "../stats/fairness.ts";
import type { LoadSummary } from "./load_options.ts";
import type { LoadRecorder } from "./load_recorder.ts";
import type { LoadSlot } from "./load_slot.ts";
import type { Pacer } from "./pacer.ts";

/** Messages due in the last milliseconds may still be sent in time. */
const SLACK_MS = 20;

/** The counts of a run. */
export interface LoadTotals {
  /** Bytes of a message. */
  size: number;
  /** Milliseconds during which messages were sent. */
  duration: number;
  /** Messages sent. */
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
  const { size, recorder, slots, pacer, sent, unanswered } = totals;
  const { latencies, errors, firstErrors, late } = recorder;
  // Not 0, because figures are divided by it.
  const duration = Math.max(totals.duration, Number.MIN_VALUE);
  const messagesPerSecond = recorder.inTime / duration * 1_000;
  const due = pacer?.dueBy(duration - SLACK_MS) ?? 0;
  return {
    connections: slots.length,
    size,
    duration,
    messages: latencies.count,
    messagesPerSecond,
    bytesPerSecond: messagesPerSecond * size,
    errors,
    firstErrors,
    latency: latencies.summary(),
    buckets: latencies.buckets(),
    fairness: fairness(slots.map(({ messages }) => messages)),
    starved: slots.filter(({ messages }) => messages === 0).length,
    reconnects: slots.reduce((sum, { reconnects }) => sum + reconnects, 0),
    late,
    unanswered,
    maxLag: pacer?.maxLag ?? 0,
    dropped: Math.max(0, due - sent),
  };
}
