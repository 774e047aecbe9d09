/**
 * The values that flags take: from the text of a command line to a number in
 * one unit, or `undefined` where the text is not what was asked for. Each kind
 * carries the words that say what is expected, so that a refusal can name it.
 *
 * ```ts
 * import { duration } from "./values.ts";
 * duration.parse("1.5s"); // 1500
 * duration.parse("1.5"); // undefined: no unit
 * ```
 *
 * @module
 */

/** A kind of value that a flag may take. */
export interface Kind<T> {
  /** What stands for the value in the usage, such as `PORT`. */
  readonly placeholder: string;
  /** What is expected, as it follows the word "expected" in an error. */
  readonly expected: string;
  /** The value, or `undefined` where the text is not one. */
  parse(text: string): T | undefined;
}

/**
 * Timers hold their delay in 32 bits: a longer one fires at once, so it is
 * refused here rather than turned into no wait at all.
 */
export const MAX_DELAY_MS = 2 ** 31 - 1;

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) return undefined;
  const ms = Number(number) * UNIT_MS[unit]!;
  return ms <= MAX_DELAY_MS ? ms : undefined;
}

/** A length of time with its unit, zero included; milliseconds. */
export const duration: Kind<number> = {
  placeholder: "DURATION",
  expected:
    "a number with its unit, such as 500ms, 10s or 2m (at most 24 days)",
  parse: parseDuration,
};

/** A length of time with its unit, longer than zero; milliseconds. */
export const positiveDuration: Kind<number> = {
  placeholder: "DURATION",
  expected:
    "a number above 0 with its unit, such as 500ms, 10s or 2m (at most 24 days)",
  parse: (text) => parseDuration(text) || undefined,
};

/** A whole number from `min` to `max`, in decimal digits. */
export function integer(
  placeholder: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): Kind<number> {
  return {
    placeholder,
    expected: max === Number.MAX_SAFE_INTEGER
      ? `a whole number, ${min} or more`
      : `a whole number from ${min} to ${max}`,
    parse(text) {
      const value = /^\d+$/.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** Any text but the empty one. */
export function text(placeholder: string, expected: string): Kind<string> {
  return { placeholder, expected, parse: (text) => text || undefined };
}

/** One of a few words. */
export function oneOf<T extends string>(
  placeholder: string,
  words: readonly T[],
): Kind<T> {
  return {
    placeholder,
    expected: words.join(" or "),
    parse: (text) => words.find((word) => word === text),
  };
}

/** A probability or a share, from 0 to 1. */
export const share: Kind<number> = {
  placeholder: "P",
  expected: "a number from 0 to 1",
  parse(text) {
    const value = /^(\d+(\.\d*)?|\.\d+)(e-?\d+)?$/.test(text)
      ? Number(text)
      : NaN;
    return value >= 0 && value <= 1 ? value : undefined;
  },
};
