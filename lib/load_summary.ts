/**
 * The figures of a load run, made of what its parts have counted.
 *
 * @module
 */

import { fairness } from "./fairness.ts";
import type { LoadSummary } from "./load_options.ts";
import type { LoadRecorder } from "./load_recorder.ts";
import type { LoadSlot } from "./load_slot.ts";
import type { Pacer } from "./pacer.ts";

/** What was due in these last milliseconds may still be sent in time. */
const SLACK_MS = 20;

/** What a run has counted. */
export interface LoadFacts {
  /** Bytes of a message. */
  size: number;
  /** Milliseconds in which messages were sent. */
  duration: number;
  /** Messages sent. */
  sent: number;
  /** Those of them that were still in flight when the run was over. */
  unanswered: number;
  /** Latencies and errors. */
  recorder: LoadRecorder;
  /** The connections. */
  slots: readonly LoadSlot[];
  /** The schedule, in a run with a rate. */
  pacer: Pacer | undefined;
}

/** The summary of a run. */
export function summarize(facts: LoadFacts): LoadSummary {
  const { size, recorder, slots, pacer, sent, unanswered } = facts;
  const { latencies, errors, firstErrors, late } = recorder;
  // Not 0, which no figure could be divided by.
  const duration = Math.max(facts.duration, Number.MIN_VALUE);
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
    latency: latencies.figures(),
    buckets: latencies.buckets(),
    fairness: fairness(slots.map(({ messages }) => messages)),
    starved: slots.filter(({ messages }) => messages === 0).length,
    reconnects: slots.reduce((sum, { reconnects }) => sum + reconnects, 0),
    late,
    unanswered,
    slip: pacer?.slip ?? 0,
    unsent: Math.max(0, due - sent),
  };
}
