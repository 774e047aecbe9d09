import { assert, assertEquals, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Throttle } from "../../lib/faults/throttle.ts";

/** Sends chunks for `ms` milliseconds; each timer fires late by `late()`. */
function stream(
  rate: number,
  { ms, late, gap = 0 }: { ms: number; late: () => number; gap?: number },
): { bytes: number; now: number; throttle: Throttle } {
  const throttle = new Throttle(rate);
  let now = 0;
  let bytes = 0;
  while (now < ms) {
    const wait = throttle.reserve(throttle.chunkSize, now);
    if (wait > 0) now += wait + late();
    throttle.sent(now);
    bytes += throttle.chunkSize;
    now += gap;
  }
  return { bytes, now, throttle };
}

/** The deviation from the rate, as a share of it. */
function deviation(rate: number, bytes: number, ms: number): number {
  return bytes / (rate * ms / 1_000) - 1;
}

describe("a throttle", () => {
  for (const rate of [1, 60, 1_000, 100_000, 1_000_000, 20_000_000]) {
    it(`keeps to ${rate} bytes/s even if its timers are late`, () => {
      for (const lateness of [0, 1.1, 15, 80]) {
        // Primes, so that the lateness has no pattern in common with the schedule.
        let calls = 0;
        const late = () => lateness * (++calls * 31 % 17) / 16;
        const { bytes, now } = stream(rate, { ms: 100_000, late, gap: 0.3 });
        const off = deviation(rate, bytes, now);
        assert(Math.abs(off) < 0.01, `${off} with ${lateness} ms`);
      }
    });
  }

  it("delays the first chunk by the time of its bytes", () => {
    const throttle = new Throttle(1_000);
    assertEquals(throttle.reserve(20, 5_000), 20);
  });

  it("does not allow a burst after a pause", () => {
    const { now, throttle } = stream(1_000, { ms: 1_000, late: () => 0 });
    assertEquals(throttle.reserve(20, now + 60_000), 20);
  });

  it("delays each message of a client that waits for each echo", () => {
    const throttle = new Throttle(1_000);
    let now = 0;
    for (let i = 0; i < 10; i++) {
      const wait = throttle.reserve(10, now);
      assertEquals(wait, 10);
      now += wait;
      throttle.sent(now);
      now += 50; // the round trip to the client
    }
  });

  it("allows only a small burst after it was delayed for long", () => {
    const throttle = new Throttle(1_000);
    throttle.reserve(20, 0);
    const late = 10_000;
    throttle.sent(late);
    let burst = 0;
    while (throttle.reserve(20, late) === 0) {
      throttle.sent(late);
      burst += 20;
    }
    assertLess(burst, 200);
  });

  it("has chunks of at least one byte", () => {
    assertEquals(new Throttle(3).chunkSize, 1);
    assertEquals(new Throttle(1_000_000).chunkSize, 20_000);
  });
});
