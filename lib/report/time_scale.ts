/**
 * The scale of the time since a run began, with the steps of a clock.
 *
 * ```ts
 * import { timeScale } from "./time_scale.ts";
 * timeScale(10_000).ticks; // 0, 2 s, 4 s, 6 s, 8 s, 10 s
 * ```
 *
 * @module
 */

import { duration, fixed, NBSP } from "./format.ts";
import { clamp, clean, niceStep, type Scale, showable } from "./scale.ts";

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

/** Steps of a clock, in ms; beyond the last, whole days. */
const CLOCK_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12, 24].map((n) => n * HOUR),
];

/** Time since the start of a run, up to `max` ms and not rounded up. */
export function timeScale(max: number): Scale {
  const end = showable(max, SECOND);
  const raw = end / 6;
  const step = raw < SECOND / 2
    ? niceStep(raw)
    : CLOCK_STEPS.find((nice) => raw <= nice) ??
      24 * HOUR * niceStep(raw / (24 * HOUR));
  const length = Math.floor(end / step * (1 + 1e-9)) + 1;
  const ticks = Array.from({ length }, (_, i) => {
    const value = clean(i * step);
    return { value, label: timeLabel(value, step, end), minor: i % 2 === 1 };
  });
  return {
    ticks: length <= 5 ? ticks.map(({ minor: _, ...tick }) => tick) : ticks,
    log: false,
    at: (value) => Number.isFinite(value) ? clamp(value / end) : undefined,
  };
}

function timeLabel(ms: number, step: number, end: number): string {
  if (ms === 0) return "0";
  if (step < SECOND) return duration(ms);
  if (step >= HOUR) return `${fixed(ms / HOUR, 0)}${NBSP}h`;
  if (step >= MINUTE && end < 2 * HOUR) return `${ms / MINUTE}${NBSP}min`;
  if (end < 2 * MINUTE) return `${ms / SECOND}${NBSP}s`;
  const [big, small] = end < 2 * HOUR ? [MINUTE, SECOND] : [HOUR, MINUTE];
  const rest = String(ms % big / small).padStart(2, "0");
  return `${Math.floor(ms / big)}:${rest}${NBSP}${big === HOUR ? "h" : "min"}`;
}
