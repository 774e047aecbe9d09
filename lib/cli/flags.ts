/**
 * The types of flags, and what a table of flags consists of. The parser, the help
 * text, the errors and the README's tables follow from the tables of the programs.
 * Ranges and their words are those of the library's options.
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
  /** Whether a flag that is given several times has the values of all; if not, of the last. */
  readonly isList?: boolean;
  /** Whether the flag may be given without a value, which `parse` gets as "". */
  readonly isOptional?: boolean;
}

/** A flag without a value: true if it is given. */
export const SWITCH: FlagType<boolean> = {
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

/**
 * A flag: the type of its value, what it does, what applies if it is not given, and
 * a letter that stands for its name.
 */
// deno-lint-ignore no-explicit-any
export type Flag<T = any> = readonly [
  type: FlagType<T>,
  purpose: string,
  fallback?: string | number | undefined,
  letter?: string,
];

/** Flags by key. The key is the name in camel case: `maxConnections`. */
export type Flags = Readonly<Record<string, Flag>>;

/** The values of flags, by key. */
export type Values<F extends Flags> = {
  [Key in keyof F]: F[Key] extends Flag<infer T> ? T | undefined : never;
};

/** A program, as its command line and its help text need it. */
export interface Program<F extends Flags = Flags> {
  /** Its name. Its errors begin with it. */
  readonly name: string;
  /** What goes behind its name: `[FLAGS] [MESSAGE]`. */
  readonly usage: string;
  /** What it does: sentences without line breaks. */
  readonly summary: string;
  /** All flags except `--help` and `--version`. */
  readonly flags: F;
  /** The same flags by topic, for the help text. */
  readonly groups: Readonly<Record<string, Flags>>;
  /** Flags, each before those of which one must be given too, by their keys. */
  readonly needs: readonly (readonly string[])[];
  /** Pairs of flags that must not be given together, by their keys. */
  readonly conflicts: readonly (readonly [string, string])[];
  /** Ends the help text: examples, exit status. */
  readonly notes: string;
}

/** The flags of every program. */
export const COMMON_FLAGS = {
  help: [SWITCH, "show this help", undefined, "h"],
  version: [SWITCH, "show the version", undefined, "V"],
} satisfies Flags;

/** An error in the command line. The message says what is wrong. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The name of the flag with a key: `--max-connections`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Whether the value of a flag says that it was given. */
export function isGiven(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length > 0
    : value !== undefined && value !== false;
}

/** The values of those flags of `table` that were given. */
export function given<V extends object, F extends Flags>(
  values: V,
  table: F,
): { [Key in keyof F & keyof V]?: V[Key] } {
  const entries = Object.entries(values).filter(([key, value]) =>
    Object.hasOwn(table, key) && isGiven(value)
  );
  return Object.fromEntries(entries) as { [Key in keyof F & keyof V]?: V[Key] };
}
