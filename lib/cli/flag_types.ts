/**
 * Types of flag values. A type parses the text on the command line, and says what
 * it expects. Ranges and their words are those of the library's options.
 *
 * @module
 */

import { DEFAULT_HOSTNAME } from "../net/defaults.ts";
import { splitHostPort } from "../net/endpoint.ts";
import { DELAY, FRACTION, integerRange, type Range } from "../net/validate.ts";

/** The type of a flag's value. */
export interface FlagType<T> {
  /** Stands for the value in the help text, such as `PORT`. A switch has none. */
  readonly placeholder: string;
  /** What is expected, after the word "expected". */
  readonly expected: string;
  /** Returns the value, or `undefined` if the text has another form. */
  parse(text: string): T | undefined;
  /** Whether the flag may be given several times; the last one counts if not. */
  readonly isList?: boolean;
  /** Whether the flag may be given without a value, which `parse` gets as "". */
  readonly isOptional?: boolean;
}

/** The type of a flag that may be given several times. */
export type ListType<T> = FlagType<T> & { readonly isList: true };

/** The type of a flag without a value. */
export type SwitchType = FlagType<boolean> & { readonly placeholder: "" };

/** A flag without a value: true if it is given. */
export const SWITCH: SwitchType = {
  placeholder: "",
  expected: "no value",
  parse: () => true,
};

/** Any text except the empty one. */
export function text(placeholder: string, expected: string): FlagType<string> {
  return { placeholder, expected, parse: (text) => text || undefined };
}

/** A host without a port. */
export const HOST: FlagType<string> = {
  ...text("HOST", "an address or a host name; a port goes into --port"),
  parse: (text) => splitHostPort(text) ? undefined : text,
};
/** The path of a Unix socket. */
export const PATH: FlagType<string> = text("PATH", "the path of a Unix socket");
/** The path of a file. */
export const FILE: FlagType<string> = text("FILE", "the path of a file");

/** A number in a range, written as `syntax` allows. */
function number(
  placeholder: string,
  { expected, includes }: Range,
  syntax: RegExp,
): FlagType<number> {
  const parse = (text: string) => {
    const value = syntax.test(text) ? Number(text) : NaN;
    return includes(value) ? value : undefined;
  };
  return { placeholder, expected, parse };
}

/** A whole number from `min` to `max`, in decimal digits. */
export function integer(
  placeholder: string,
  min: number,
  max?: number,
): FlagType<number> {
  return number(placeholder, integerRange(min, max), /^\d+$/);
}

/** A number of things, at least one. */
export const COUNT: FlagType<number> = integer("N", 1);

/** A probability, or a share of a whole, from 0 to 1. */
export const SHARE: FlagType<number> = number(
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
export const DURATION: FlagType<number> = {
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
export const SPAN: FlagType<number> = {
  placeholder: DURATION.placeholder,
  expected: DURATION.expected.replace("a number", "a number above 0"),
  parse: (text) => DURATION.parse(text) || undefined,
};

/** A host and a port, the host's address in brackets if it is IPv6. */
export const HOST_PORT: FlagType<{ hostname: string; port: number }> = {
  placeholder: "HOST:PORT",
  expected: "a host and a port, such as localhost:6379",
  parse(text) {
    const parts = splitHostPort(text);
    return parts?.hostname && parts.port > 0 ? parts : undefined;
  },
};

/** Where a second server listens: on a port of the loopback address, or elsewhere. */
export function listenOn(
  defaultPort?: number,
): FlagType<{ hostname: string; port: number }> {
  return {
    placeholder: defaultPort === undefined ? "[HOST:]PORT" : "[[HOST:]PORT]",
    expected: "a port, or a host and a port, such as 0.0.0.0:8474",
    isOptional: defaultPort !== undefined,
    parse: (text) =>
      splitHostPort(
        /^\d*$/.test(text)
          ? `${DEFAULT_HOSTNAME}:${text || defaultPort}`
          : text,
      ),
  };
}

/** Protocols of ALPN, by preference. A name has 1 to 255 bytes (RFC 7301). */
export const PROTOCOLS: FlagType<string[]> = {
  placeholder: "PROTO[,PROTO]",
  expected: "names of protocols, such as h2,http/1.1",
  parse(text) {
    const names = text.split(",");
    const areNames = names.every((name) => /^[!-~]{1,255}$/.test(name));
    return areNames ? names : undefined;
  },
};

/** One of several words. */
export function oneOf<T extends string>(
  placeholder: string,
  words: readonly T[],
): FlagType<T> {
  const expected = [words.slice(0, -1).join(", "), words.at(-1)].join(" or ");
  const parse = (text: string) => words.find((word) => word === text);
  return { placeholder, expected, parse };
}

/** A value of `type`, or a word in its place. */
export function orWord<T, W extends string>(
  { placeholder, expected, parse }: FlagType<T>,
  word: W,
): FlagType<T | W> {
  return {
    placeholder: `${placeholder}|${word}`,
    expected: `${expected}, or ${word}`,
    parse: (text) => text === word ? word : parse(text),
  };
}
