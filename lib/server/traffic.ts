/**
 * What connections carried, added up.
 *
 * @module
 */

import type { FaultCounts } from "../net/fault_options.ts";
import type { ServerStats } from "../net/server.ts";

/** What a connection carried. */
export type Traffic = Pick<
  ServerStats,
  "bytesRead" | "bytesWritten" | "upstream" | "faults"
>;

/** The sum of what connections carried. */
export interface TrafficSum {
  /** Bytes read from clients. */
  bytesRead: number;
  /** Bytes written to clients. */
  bytesWritten: number;
  /** The same for upstreams, once there was one. */
  upstream?: { bytesRead: number; bytesWritten: number };
  /** How often each fault took effect. */
  faults: FaultCounts;
}

/** Adds what one connection carried to a sum. */
export function addTraffic(sum: TrafficSum, traffic: Traffic): void {
  const { upstream, faults } = traffic;
  sum.bytesRead += traffic.bytesRead;
  sum.bytesWritten += traffic.bytesWritten;
  if (upstream) {
    const to = sum.upstream ??= { bytesRead: 0, bytesWritten: 0 };
    to.bytesRead += upstream.bytesRead;
    to.bytesWritten += upstream.bytesWritten;
  }
  if (faults) addFaults(sum.faults, faults);
}

/** Adds counts of faults to a sum. */
export function addFaults(sum: FaultCounts, counts: FaultCounts): void {
  for (const [key, count] of Object.entries(counts)) {
    const fault = key as keyof FaultCounts;
    sum[fault] = (sum[fault] ?? 0) + count;
  }
}
