/**
 * Ranges of options and flags. A value out of range, or of another type, is rejected
 * by its name before anything is opened.
 *
 * @module
 */

import { MAX_DELAY_MS } from "./timeout.ts";

/** The values that an option may have. */
export interface Range {
  /** Whether a value of any type is one of them. */
  includes: (value: unknown) => boolean;
  /** The range in words, after "expected". */
  expected: string;
}

/** The numbers for which `test` holds. */
export function numbers(
  expected: string,
  test: (value: number) => boolean,
): Range {
  return {
    includes: (value) => typeof value === "number" && test(value),
    expected,
  };
}

/** The whole numbers from `min` to `max`. */
export function integerRange(
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): Range {
  return numbers(
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number, ${min} or more`
      : `a whole number from ${min} to ${max}`,
    (value) => Number.isSafeInteger(value) && value >= min && value <= max,
  );
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
export const POSITIVE: Range = numbers("more than 0", (value) => value > 0);

/** A duration of zero or more, `Infinity` included. */
export const NON_NEGATIVE: Range = numbers("0 or more", (value) => value >= 0);

/** A delay that one timer can hold. */
export const DELAY: Range = numbers(
  "0 or more milliseconds (at most 24 days)",
  (value) => value >= 0 && value <= MAX_DELAY_MS,
);

/** A probability, or a share of a whole. */
export const FRACTION: Range = numbers(
  "a number from 0 to 1",
  (value) => value >= 0 && value <= 1,
);

/** A switch. */
export const BOOLEAN: Range = {
  includes: (value) => typeof value === "boolean",
  expected: "true or false",
};

/** @throws {RangeError} that names the first option that is out of range. */
export function checkRange(
  range: Range,
  { action, options }: {
    action: string;
    options: Record<string, unknown>;
  },
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || range.includes(value)) continue;
    throw new RangeError(
      `${action} with ${name} ${
        Deno.inspect(value)
      }: expected ${range.expected}`,
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
