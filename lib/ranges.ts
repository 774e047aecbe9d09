/**
 * Which numbers an option may be, so that one that it may not is refused by its
 * name before anything is opened.
 *
 * ```ts
 * import { refuseOutside, WHOLE } from "./ranges.ts";
 * refuseOutside(WHOLE, { attempt: "Cannot ping", options: { count: 0.5 } });
 * // RangeError: Cannot ping with count 0.5: expected a whole number, 1 or more
 * ```
 *
 * @module
 */

/** What fits, and how it is said. */
export interface Range {
  /** Whether a number is within. */
  fits: (value: number) => boolean;
  /** What is, in words. */
  expected: string;
}

/** How many there are to be of something. */
export const WHOLE: Range = {
  fits: (value) => Number.isInteger(value) && value >= 1,
  expected: "a whole number, 1 or more",
};

/** The same where there may be no end to them. */
export const WHOLE_OR_ENDLESS: Range = {
  fits: (value) => value === Infinity || WHOLE.fits(value),
  expected: "a whole number, 1 or more, or Infinity",
};

/** What chance can start from: the integers that a number holds exactly. */
export const SEED: Range = {
  fits: (value) => Number.isSafeInteger(value) && value >= 0,
  expected: "a whole number from 0 to 2^53 - 1",
};

/** The same where none will do, too. */
export const WHOLE_OR_NONE: Range = {
  fits: (value) => Number.isInteger(value) && value >= 0,
  expected: "a whole number, 0 or more",
};

/** Something there has to be some of, at most without end. */
export const POSITIVE: Range = {
  fits: (value) => value > 0,
  expected: "more than 0",
};

/** Something there may be none of. */
export const NOT_NEGATIVE: Range = {
  fits: (value) => value >= 0,
  expected: "0 or more",
};

/** A probability, or a part of a whole. */
export const SHARE: Range = {
  fits: (value) => value >= 0 && value <= 1,
  expected: "a share from 0 to 1",
};

/** @throws {RangeError} that names the first of the options that does not fit. */
export function refuseOutside(
  range: Range,
  { attempt, options }: {
    attempt: string;
    options: Record<string, number | undefined>;
  },
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || range.fits(value)) continue;
    throw new RangeError(
      `${attempt} with ${name} ${value}: expected ${range.expected}`,
    );
  }
}
