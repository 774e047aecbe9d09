/**
 * What the small rooms cost that every message passes through.
 *
 * ```sh
 * deno bench
 * ```
 *
 * @module
 */

import { Histogram } from "../lib/histogram.ts";
import { Turnstile } from "../lib/turnstile.ts";
import { difference } from "../lib/verify.ts";

const TURNS = 20_000;

/** Times so many turns of readers who come back at once. */
async function turns(readers: number, b: Deno.BenchContext): Promise<void> {
  const gate = new Turnstile();
  const enough = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  let left = TURNS;
  let stopped = 0;
  const go = () => {
    // Not from within its own turn, as a read takes at least a microtask.
    if (--left > 0) return queueMicrotask(() => gate.pass(go));
    if (left === 0) enough.resolve();
    if (++stopped === readers) drained.resolve();
  };
  for (let i = 0; i < readers; i++) gate.join();
  b.start();
  for (let i = 0; i < readers; i++) gate.pass(go);
  await enough.promise;
  b.end();
  // Who is still waiting when nobody comes any more goes by the clock.
  await drained.promise;
  for (let i = 0; i < readers; i++) gate.leave();
}

for (const readers of [50, 2_000]) {
  Deno.bench(`${TURNS} turns of ${readers}`, {
    group: "turnstile",
  }, async (b) => {
    await turns(readers, b);
  });
}

for (const size of [14, 512, 65_536]) {
  const sent = new Uint8Array(size).fill(7);
  const received = sent.slice();
  // Not at a multiple of four, so that bytes are compared one by one.
  const apart = new Uint8Array(size + 1).fill(7).subarray(1);

  Deno.bench(`${size} bytes alike in memory`, {
    group: `verification of ${size}`,
    baseline: true,
  }, () => {
    difference(received, sent);
  });

  Deno.bench(`${size} bytes, not alike`, {
    group: `verification of ${size}`,
  }, () => {
    difference(apart, sent);
  });
}

const latencies = new Histogram();
let latency = 0;

Deno.bench("a latency recorded", { group: "histogram" }, () => {
  latency = (latency + 0.37) % 50;
  latencies.record(latency);
});

Deno.bench("all figures read", { group: "histogram" }, () => {
  latencies.figures();
});
