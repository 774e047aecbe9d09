/**
 * The fault `bandwidth`: chunks are passed on at a limited rate.
 *
 * ```sh
 * deno task server --bandwidth 100000
 * ```
 *
 * @module
 */

import type { Sink, StageContext } from "./stage.ts";
import { Throttle } from "./throttle.ts";

/** Limits the rate; the stage is off if `bandwidth` is not set. */
export function bandwidth(next: Sink, context: StageContext): Sink {
  if (context.faults.bandwidth === undefined) return next;
  const throttle = new Throttle(context.faults.bandwidth);
  return {
    async write(chunk) {
      const { chunkSize } = throttle;
      for (let at = 0; at < chunk.length; at += chunkSize) {
        if (context.ended()) return;
        const part = chunk.subarray(at, at + chunkSize);
        const wait = throttle.reserve(part.length, performance.now());
        if (wait > 0) await context.pause(wait);
        throttle.sent(performance.now());
        context.count("bandwidth", part.length);
        await next.write(part);
      }
    },
  };
}
