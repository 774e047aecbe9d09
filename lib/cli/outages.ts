/**
 * What the server program says of failures that last: an upstream that cannot be
 * reached, and connections that cannot be accepted.
 *
 * @module
 */

import type { ClosedConnection } from "../echo.ts";

/** Milliseconds between two lines about an upstream that is still not reachable. */
const OUTAGE_INTERVAL_MS = 60_000;

/**
 * Returns whether a closed connection is the first of an outage of the upstream,
 * or the first in a minute. A later connection that got an answer of the upstream
 * ends the outage. One from before it may still end at any time.
 */
export function watchUpstream(): (connection: ClosedConnection) => boolean {
  let reported = -Infinity;
  return ({ reason, upstream, duration }) => {
    const now = performance.now();
    if (reason === "unreachable" && now - reported >= OUTAGE_INTERVAL_MS) {
      reported = now;
      return true;
    }
    if (upstream?.bytesRead && now - duration > reported) reported = -Infinity;
    return false;
  };
}

/** What the user can do if no connection can be accepted. */
export function acceptAdvice(reason: string): string | undefined {
  switch (reason) {
    case "too many open files":
      return "raise the limit (ulimit -n), or set --max-connections below it";
    case "too many open files in system":
      return "raise the system's limit (fs.file-max), or set --max-connections";
    default:
      return undefined;
  }
}
