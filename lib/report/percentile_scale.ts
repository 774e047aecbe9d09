/**
 * The scale of percentiles over 1/(1−p), on which each further nine takes the
 * same length: the tail of a distribution is as wide as its body.
 *
 * ```ts
 * import { percentileScale } from "./percentile_scale.ts";
 * percentileScale(99.9).at(99); // 2/3
 * ```
 *
 * @module
 */

import { NBSP } from "./format.ts";
import { clamp, type Scale, type Tick } from "./scale.ts";

/** One of a million. Labels with more nines would overlap. */
const MAX_NINES = 6;

/** -log10 of the share above a percentile: 0 at 0 %, 1 at 90 %, 2 at 99 %. */
function nines(percentile: number): number {
  return -Math.log10(Math.max(1 - percentile / 100, 10 ** -MAX_NINES));
}

/** From 0 % to the percentile `last`, at least to 90 %. */
export function percentileScale(last: number): Scale {
  const end = Math.max(1, last >= 0 ? nines(Math.min(100, last)) : 0);
  const whole = Math.floor(end + 1e-9);
  const ticks: Tick[] = [
    // 0 % and 50 % come close to each other where there are many nines.
    ...(end <= 4 ? [{ value: 0, label: `0${NBSP}%`, minor: end > 3 }] : []),
    { value: 50, label: `50${NBSP}%`, minor: end > 5 },
  ];
  for (let n = 1; n <= whole; n++) {
    const digits = "9".repeat(Math.max(0, n - 2));
    ticks.push({
      value: 100 - 10 ** (2 - n),
      label: `${n === 1 ? 90 : 99}${digits && `.${digits}`}${NBSP}%`,
      minor: end > 4 && n > 1 && n % 2 === 0,
    });
  }
  return {
    ticks,
    log: true,
    at: (value) =>
      Number.isFinite(value) && value >= 0
        ? clamp(nines(Math.min(100, value)) / end)
        : undefined,
  };
}
