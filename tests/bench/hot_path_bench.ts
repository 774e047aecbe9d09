/**
 * Measures the modules that every message passes through.
 *
 * ```sh
 * deno bench tests/bench/
 * ```
 *
 * @module
 */

import { Histogram } from "../../lib/stats/histogram.ts";
import { ReadScheduler } from "../../lib/net/read_scheduler.ts";
import { difference } from "../../lib/client/verify.ts";

const READS = 20_000;

/** Measures `READS` reads of connections that each read again at once. */
async function scheduleReads(
  connections: number,
  b: Deno.BenchContext,
): Promise<void> {
  const scheduler = new ReadScheduler();
  const enough = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  let left = READS;
  let stopped = 0;
  const startRead = () => {
    // Not in the same call, because a read takes at least a microtask.
    if (--left > 0) return queueMicrotask(() => scheduler.schedule(startRead));
    if (left === 0) enough.resolve();
    if (++stopped === connections) drained.resolve();
  };
  for (let i = 0; i < connections; i++) scheduler.join();
  b.start();
  for (let i = 0; i < connections; i++) scheduler.schedule(startRead);
  await enough.promise;
  b.end();
  // The reads that are left in the queue are started by a timer.
  await drained.promise;
  for (let i = 0; i < connections; i++) scheduler.leave();
}

for (const connections of [50, 2_000]) {
  Deno.bench(`${READS} reads of ${connections} connections`, {
    group: "read scheduler",
  }, async (b) => {
    await scheduleReads(connections, b);
  });
}

for (const size of [14, 512, 65_536]) {
  const sent = new Uint8Array(size).fill(7);
  const received = sent.slice();
  // Not aligned to four bytes, so bytes are compared one by one.
  const unaligned = new Uint8Array(size + 1).fill(7).subarray(1);

  Deno.bench(`${size} bytes, aligned alike`, {
    group: `verification of ${size}`,
    baseline: true,
  }, () => {
    difference(received, sent);
  });

  Deno.bench(`${size} bytes, aligned differently`, {
    group: `verification of ${size}`,
  }, () => {
    difference(unaligned, sent);
  });
}

const latencies = new Histogram();
let latency = 0;

Deno.bench("record a latency", { group: "histogram" }, () => {
  latency = (latency + 0.37) % 50;
  latencies.record(latency);
});

Deno.bench("a percentile", { group: "histogram" }, () => {
  latencies.percentile(99);
});
