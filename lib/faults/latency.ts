/**
 * The faults `latency` and `jitter`: each chunk is passed on later, in order.
 * Further chunks queue meanwhile.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/** Delays chunks. */
export const latency: Stage = async function* (chunks, context) {
  const { latency = 0, jitter = 0 } = context.faults;
  const random = context.random(2);
  for await (const chunk of chunks) {
    const delay = latency + (2 * random() - 1) * jitter;
    const at = chunk.at + Math.max(0, delay);
    if (!chunk.end) context.count("latency");
    await context.until(at);
    yield { ...chunk, at };
  }
};
