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
  if (faults) addCounts(sum.faults, faults);
}

/** Adds counts to a sum, key by key. */
export function addCounts<Key extends string>(
  sum: { [key in Key]?: number },
  counts: { readonly [key in Key]?: number },
): void {
  for (const key of Object.keys(counts) as Key[]) {
    sum[key] = (sum[key] ?? 0) + (counts[key] ?? 0);
  }
}
