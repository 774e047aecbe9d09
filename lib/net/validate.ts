/**
 * Ranges of numeric options and flags. A value out of range is rejected by its
 * name before anything is opened.
 *
 * ```ts
 * import { checkRange, POSITIVE_INTEGER } from "./validate.ts";
 *
 * checkRange(POSITIVE_INTEGER, {
 *   action: "Cannot ping",
 *   options: { count: 3 },
 * });
 * ```
 *
 * @module
 */

import { MAX_DELAY_MS } from "./timeout.ts";

/** A range of numbers. */
export interface Range {
  /** Whether a number is in the range. */
  includes: (value: number) => boolean;
  /** The range in words, after "expected". */
  expected: string;
}

/** The whole numbers from `min` to `max`. */
export function integerRange(
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): Range {
  return {
    includes: (value) =>
      Number.isSafeInteger(value) && value >= min && value <= max,
    expected: max === Number.MAX_SAFE_INTEGER
      ? `a whole number, ${min} or more`
      : `a whole number from ${min} to ${max}`,
  };
}

/** A number of things, at least one. */
export const POSITIVE_INTEGER: Range = integerRange(1);

/** A number of things, or `Infinity` for no limit. */
export const POSITIVE_INTEGER_OR_INFINITY: Range = {
  includes: (value) => value === Infinity || POSITIVE_INTEGER.includes(value),
  expected: `${POSITIVE_INTEGER.expected}, or Infinity`,
};

/** A number of things, or none. Also a seed: the integers that are exact. */
export const NON_NEGATIVE_INTEGER: Range = integerRange(0);

/** A TCP port; 0 lets the system choose. */
export const PORT: Range = integerRange(0, 65_535);

/** A duration or rate above zero, `Infinity` included. */
export const POSITIVE: Range = {
  includes: (value) => value > 0,
  expected: "more than 0",
};

/** A duration of zero or more, `Infinity` included. */
export const NON_NEGATIVE: Range = {
  includes: (value) => value >= 0,
  expected: "0 or more",
};

/** A delay that one timer can hold. */
export const DELAY: Range = {
  includes: (value) => value >= 0 && value <= MAX_DELAY_MS,
  expected: "0 or more milliseconds (at most 24 days)",
};

/** A probability, or a share of a whole. */
export const FRACTION: Range = {
  includes: (value) => value >= 0 && value <= 1,
  expected: "a number from 0 to 1",
};

/** @throws {RangeError} that names the first option that is out of range. */
export function checkRange(
  range: Range,
  { action, options }: {
    action: string;
    options: Record<string, number | undefined>;
  },
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || range.includes(value)) continue;
    throw new RangeError(
      `${action} with ${name} ${value}: expected ${range.expected}`,
    );
  }
}

/** @throws {RangeError} that names the limit of `connect()` that is out of range. */
export function checkConnectLimits(
  { timeout, wait }: {
    timeout?: number | undefined;
    wait?: number | undefined;
  },
  action: string,
): void {
  checkRange(POSITIVE, { action, options: { timeout } });
  checkRange(NON_NEGATIVE, { action, options: { wait } });
}
