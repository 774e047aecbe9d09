/**
 * The fault `bandwidth`: chunks are passed on at a limited rate.
 *
 * Timers fire late. If each chunk waited for its own time, every delay would lower
 * the rate. So chunks follow a schedule: after a late chunk, the next ones wait less.
 * Time in which nothing was to be sent is not saved up.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/**
 * Chunks per second. One takes 20 ms, which is many times the 1 ms that timers
 * are accurate to, and short enough for data to flow evenly.
 */
const CHUNKS_PER_SECOND = 50;

/**
 * The longest pause between two chunks of a busy link, in milliseconds. It is
 * longer than it takes to read the next data of a stream.
 */
const BUSY_GAP_MS = 10;

/**
 * The longest delay that later chunks make up for, in milliseconds. It bounds the
 * burst after the process was blocked. Timers on a busy machine are less late.
 */
const MAX_LAG_MS = 100;

/** Limits the rate: a chunk arrives when its last byte has passed the link. */
export const bandwidth: Stage = async function* (chunks, context) {
  const { bandwidth: rate = Infinity } = context.faults;
  const size = Math.max(1, Math.floor(rate / CHUNKS_PER_SECOND));
  let busyUntil = 0;
  let sentAt = -Infinity;
  for await (const chunk of chunks) {
    let rest = chunk.bytes;
    while (rest.length > 0 && !context.released) {
      const bytes = rest.subarray(0, size);
      rest = rest.subarray(bytes.length);
      const now = performance.now();
      const busy = now - sentAt <= BUSY_GAP_MS;
      const start = busy ? Math.max(busyUntil, now - MAX_LAG_MS) : now;
      busyUntil = start + bytes.length / rate * 1_000;
      await context.until(busyUntil);
      sentAt = performance.now();
      context.count("bandwidth", bytes.length);
      yield { at: sentAt, bytes };
    }
    if (rest.length > 0 || chunk.end) yield { ...chunk, bytes: rest };
  }
};
