/**
 * What connections carried, added up.
 *
 * @module
 */

import type { Traffic, UpstreamTraffic } from "../net/server.ts";

/** The sum of what two connections carried. */
export function addTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    ...addBytes(a, b),
    upstream: a.upstream && b.upstream
      ? addBytes(a.upstream, b.upstream)
      : a.upstream ?? b.upstream,
    faults: addCounts(a.faults, b.faults),
  };
}

function addBytes(a: UpstreamTraffic, b: UpstreamTraffic): UpstreamTraffic {
  return {
    bytesRead: a.bytesRead + b.bytesRead,
    bytesWritten: a.bytesWritten + b.bytesWritten,
  };
}

/** The sum of two records of counts, if there is one. */
export function addCounts<Key extends string>(
  a: { readonly [key in Key]?: number } | undefined,
  b: { readonly [key in Key]?: number } | undefined,
): { [key in Key]?: number } | undefined {
  if (!a && !b) return undefined;
  const sum: { [key in Key]?: number } = { ...a };
  for (const key of Object.keys(b ?? {}) as Key[]) {
    sum[key] = (sum[key] ?? 0) + (b![key] ?? 0);
  }
  return sum;
}
