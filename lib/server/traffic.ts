/**
 * What connections carried, added up.
 *
 * @module
 */

import type { FaultCounts, FaultName } from "../net/fault_options.ts";
import type { Traffic, UpstreamTraffic } from "../net/server.ts";

/** The sum of what two connections carried. */
export function addTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    ...addBytes(a, b),
    upstream: a.upstream && b.upstream
      ? addBytes(a.upstream, b.upstream)
      : a.upstream ?? b.upstream,
    faults: addFaults(a.faults, b.faults),
  };
}

function addBytes(a: UpstreamTraffic, b: UpstreamTraffic): UpstreamTraffic {
  return {
    bytesRead: a.bytesRead + b.bytesRead,
    bytesWritten: a.bytesWritten + b.bytesWritten,
  };
}

/** The sum of two counts of faults, if there is one. */
export function addFaults(
  a: FaultCounts | undefined,
  b: FaultCounts | undefined,
): FaultCounts | undefined {
  if (!a && !b) return undefined;
  const sum = { ...a };
  for (const [name, count] of Object.entries(b ?? {})) {
    const fault = name as FaultName;
    sum[fault] = (sum[fault] ?? 0) + count;
  }
  return sum;
}
