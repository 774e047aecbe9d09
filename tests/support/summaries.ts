/**
 * Summaries of runs that never took place, for tests of what is said about them.
 *
 * @module
 */

import { Latencies } from "../../lib/stats/latencies.ts";
import type { LoadSummary, PingSummary } from "../../lib/stats/summaries.ts";

/** A thousand replies: all of 1 ms, but for the 20 longest, of 2 ms. */
const REPLIES = [...Array(980).fill(1), ...Array(20).fill(2)];

function common(replies: readonly number[], missing: readonly number[]) {
  const latencies = new Latencies();
  for (const ms of replies) latencies.replies.record(ms);
  for (const ms of missing) latencies.missing.record(ms);
  const { count } = latencies;
  return {
    timestamp: "2026-01-01T00:00:00.000Z",
    duration: 1_000,
    size: 512,
    scheduled: count,
    sent: count,
    received: replies.length,
    failed: 0,
    unanswered: missing.length,
    dropped: 0,
    loss: count === 0 ? null : missing.length / count,
    errors: {},
    firstErrors: {},
    latencies,
    latency: latencies.summary(),
    buckets: latencies.replies.buckets(),
    percentiles: latencies.curve(),
    intervals: [],
  };
}

/** A load run in which all was well, unless the arguments say otherwise. */
export function loadSummary(
  fields: Partial<LoadSummary> = {},
  replies: readonly number[] = REPLIES,
  missing: readonly number[] = [],
): LoadSummary {
  return {
    ...common(replies, missing),
    mode: "load",
    connections: 50,
    rate: null,
    warmup: 0,
    receivedPerSecond: replies.length,
    bytesPerSecond: replies.length * 512,
    late: 0,
    fairness: 1,
    starved: 0,
    reconnects: 0,
    connects: null,
    droppedBy: { down: 0, slow: fields.dropped ?? 0, client: 0 },
    lag: null,
    delayed: 0,
    cpuUtilization: 0.2,
    ...fields,
  };
}

/** The same for a ping run. */
export function pingSummary(
  fields: Partial<PingSummary> = {},
  replies: readonly number[] = REPLIES,
  missing: readonly number[] = [],
): PingSummary {
  return {
    ...common(replies, missing),
    mode: "ping",
    interval: 1,
    connect: false,
    jitter: 0.1,
    probes: [],
    ...fields,
  };
}
