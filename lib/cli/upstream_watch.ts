/**
 * Decides when to report that the upstream of a proxy cannot be reached. Without
 * `--verbose` it would be silent otherwise, and each connection fails in the same
 * way.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 server.ts --upstream 127.0.0.1:1
 * ```
 *
 * @module
 */

import type { ClosedConnection } from "../net/server.ts";

/** Milliseconds between two reports of the same outage. */
const INTERVAL_MS = 60_000;

/** Watches the connections of a proxy. */
export class UpstreamWatch {
  #lastReport = -Infinity;

  /**
   * Whether a closed connection is the first of an outage, or the first in a minute.
   * A later connection that got an answer of the upstream ends the outage. One from
   * before may still end at any time.
   */
  isNews({ reason, upstream, duration }: ClosedConnection): boolean {
    const now = performance.now();
    if (reason !== "unreachable") {
      const isLater = now - duration > this.#lastReport;
      if (isLater && upstream && upstream.bytesRead > 0) {
        this.#lastReport = -Infinity;
      }
      return false;
    }
    if (now - this.#lastReport < INTERVAL_MS) return false;
    this.#lastReport = now;
    return true;
  }
}
