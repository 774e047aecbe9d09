/**
 * Types of flag values. A type parses the text on the command line, and says what
 * it expects. Ranges and their words are those of the library's options.
 *
 * ```ts
 * import { duration, integer } from "./flag_types.ts";
 *
 * duration.parse("1.5s"); // 1500
 * duration.parse("1.5"); // undefined: no unit
 * integer("PORT", 0, 65_535).expected; // "a whole number from 0 to 65535"
 * ```
 *
 * @module
 */

import { splitHostPort } from "../net/endpoint.ts";
import {
  DELAY,
  FRACTION,
  integerRange,
  POSITIVE,
  type Range,
} from "../net/validate.ts";

/** The type of a flag's value. */
export interface FlagType<T> {
  /** Stands for the value in the help text, such as `PORT`. */
  readonly placeholder: string;
  /** What is expected, after the word "expected". */
  readonly expected: string;
  /** Returns the value, or `undefined` if the text has another form. */
  parse(text: string): T | undefined;
}

/** A number in `range`, written as `syntax` allows. */
function number(
  placeholder: string,
  { expected, includes }: Range,
  syntax: RegExp,
): FlagType<number> {
  return {
    placeholder,
    expected,
    parse(text) {
      const value = syntax.test(text) ? Number(text) : NaN;
      return includes(value) ? value : undefined;
    },
  };
}

/** A whole number from `min` to `max`, in decimal digits. */
export function integer(
  placeholder: string,
  min: number,
  max?: number,
): FlagType<number> {
  return number(placeholder, integerRange(min, max), /^\d+$/);
}

/** A probability, or a share of a whole, from 0 to 1. */
export const fraction: FlagType<number> = number(
  "P",
  FRACTION,
  /^(\d+(\.\d*)?|\.\d+)(e-?\d+)?$/,
);

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration with its unit, zero included. The value is in milliseconds. */
export const duration: FlagType<number> = {
  placeholder: "D",
  expected:
    "a number with its unit, such as 500ms, 10s or 2m (at most 24 days)",
  parse(text) {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
    const ms = Number(amount) * (UNIT_MS[unit ?? ""] ?? NaN);
    return DELAY.includes(ms) ? ms : undefined;
  },
};

/** A duration above zero. */
export const positiveDuration: FlagType<number> = {
  placeholder: duration.placeholder,
  expected: duration.expected.replace("a number", "a number above 0"),
  parse(text) {
    const ms = duration.parse(text) ?? NaN;
    return POSITIVE.includes(ms) ? ms : undefined;
  },
};

/** Any text except the empty one. */
export function text(placeholder: string, expected: string): FlagType<string> {
  return { placeholder, expected, parse: (text) => text || undefined };
}

/** A host and a port, the host's address in brackets if it is IPv6. */
export const hostPort: FlagType<{ hostname: string; port: number }> = {
  placeholder: "HOST:PORT",
  expected: "a host and a port, such as localhost:6379",
  parse(text) {
    const parts = splitHostPort(text);
    return parts?.hostname && parts.port > 0 ? parts : undefined;
  },
};

/** The path of a file. */
export const file: FlagType<string> = text("FILE", "the path of a file");

/** One of several words. */
export function oneOf<T extends string>(
  placeholder: string,
  words: readonly T[],
): FlagType<T> {
  return {
    placeholder,
    expected: [words.slice(0, -1).join(", "), words.at(-1)].join(" or "),
    parse: (text) => words.find((word) => word === text),
  };
}

/** A value of `type`, or a word in its place. */
export function orWord<T, W extends string>(
  type: FlagType<T>,
  word: W,
): FlagType<T | W> {
  return {
    placeholder: `${type.placeholder}|${word}`,
    expected: `${type.expected}, or ${word}`,
    parse: (text) => text === word ? word : type.parse(text),
  };
}
