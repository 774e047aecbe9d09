/**
 * Command line flags. A program declares them in a table, from which both the
 * parser and the help text are made.
 *
 * ```ts
 * import { booleanFlag, flag, formatFlags, parseFlags } from "./flags.ts";
 * import { integer } from "./flag_types.ts";
 *
 * const flags = {
 *   port: flag(integer("PORT", 0, 65_535), "listen on this port", 12345),
 *   once: booleanFlag("serve one connection, then exit"),
 * };
 * parseFlags(flags, ["--port", "80"]).values; // { port: 80, once: false }
 * formatFlags({ Address: flags }); // Address: --port PORT  listen on ...
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import type { FlagType } from "./flag_types.ts";
import { DEFAULT_COLUMNS, wrap } from "./terminal.ts";

/** What a flag's value is parsed as: an element, if it may be repeated. */
type Parsed<T> = T extends readonly (infer Item)[] ? Item : NonNullable<T>;

/** A flag: a row of the table. `T` is what `parseFlags` returns for it. */
export interface Flag<T> {
  /** The type of its value. A boolean flag has none. */
  readonly type?: FlagType<Parsed<T>>;
  /** Whether it may be given several times, each time with a value. */
  readonly isRepeatable?: boolean;
  /** A letter that stands for the name: `h` for `-h`. */
  readonly letter?: string | undefined;
  /** What it does, for the help text. */
  readonly help: string;
}

/** Flags by name, without the dashes. */
// deno-lint-ignore no-explicit-any
export type Flags = Record<string, Flag<any>>;

/** The values of flags, by name. */
export type Values<F extends Flags> = {
  [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never;
};

/** An error in the command line. The message says what is wrong. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * A flag with a value. The value is `undefined` if the flag is not given.
 * `defaultText` is what then applies, for the help text.
 */
export function flag<T>(
  type: FlagType<T>,
  help: string,
  defaultText?: string | number,
): Flag<T | undefined> {
  return {
    type: type as FlagType<Parsed<T | undefined>>,
    help: defaultText === undefined
      ? help
      : `${help} (default: ${defaultText})`,
  };
}

/** A flag that may be given several times. Its value is a list, empty by default. */
export function repeatableFlag<T>(type: FlagType<T>, help: string): Flag<T[]> {
  return { type, help: `${help} (repeatable)`, isRepeatable: true };
}

/** A flag without a value: true if it is given. */
export function booleanFlag(help: string, letter?: string): Flag<boolean> {
  return { help, letter };
}

function unknownFlag(flags: Flags, arg: string): UsageError {
  const [name = arg] = arg.split("=");
  if (/^--(allow|deny)-/.test(name)) {
    return new UsageError(
      `Cannot use ${name} here: it is a flag of Deno and goes before the program, as in deno run ${arg} ...`,
    );
  }
  const closest = closestString(name.replace(/^-+/, ""), Object.keys(flags));
  return new UsageError(
    `Cannot use unknown flag "${name}": did you mean --${closest}?`,
  );
}

/** `--help` for `-h`, if a flag has that letter. */
function expandLetter(flags: Flags, arg: string): string {
  const row = Object.entries(flags).find(([, { letter }]) =>
    letter !== undefined && arg === `-${letter}`
  );
  return row ? `--${row[0]}` : arg;
}

/** A command line in the only form in which `parseArgs` cannot misread it. */
interface SplitArgs {
  /** Each flag with its value as one argument: `--name=value`. */
  flags: string[];
  /** The arguments that are not flags. */
  positionals: string[];
}

/**
 * Splits a command line into flags and positionals. It joins a flag and its value,
 * so that a value may begin with a dash ("--port -1") and a missing value is an
 * error. Positionals are kept apart, because `parseArgs` would use "true" and
 * "false" as values of the boolean flag before them.
 */
function splitArgs(flags: Flags, args: readonly string[]): SplitArgs {
  const split: SplitArgs = { flags: [], positionals: [] };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      split.positionals.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      split.positionals.push(arg);
      continue;
    }
    const long = expandLetter(flags, arg);
    const [, name = "", given] = /^--([^=]+)(?:=(.*))?$/s.exec(long) ?? [];
    if (!Object.hasOwn(flags, name)) throw unknownFlag(flags, arg);
    const { type } = flags[name]!;
    if (!type) {
      if (given !== undefined) {
        throw new UsageError(`--${name} takes no value`);
      }
      split.flags.push(long);
      continue;
    }
    const value = given ?? args[++i];
    if (!value || given === undefined && value.startsWith("--")) {
      throw new UsageError(
        `Cannot use --${name} without a value: expected ${type.expected}`,
      );
    }
    split.flags.push(`--${name}=${value}`);
  }
  return split;
}

/** The positionals that a program takes. */
export interface PositionalOptions {
  /**
   * How many it takes at most.
   * @default {0}
   */
  maxPositionals?: number | undefined;
  /** Makes a hint for the error about surplus positionals. */
  surplusHint?: ((positionals: string[]) => string | undefined) | undefined;
}

function checkPositionals(
  positionals: string[],
  { maxPositionals = 0, surplusHint }: PositionalOptions,
): void {
  const surplus = positionals[maxPositionals];
  if (surplus === undefined) return;
  const expected = maxPositionals === 0
    ? "flags only"
    : `at most ${maxPositionals} argument; quote a message of several words`;
  const hint = surplusHint?.(positionals);
  throw new UsageError(
    `Cannot use "${surplus}": expected ${expected}${hint ? `; ${hint}` : ""}`,
  );
}

/** @throws {UsageError} that names the flag, if its value has another form. */
function parseValue<T>(name: string, type: FlagType<T>, text: string): T {
  const value = type.parse(text);
  if (value !== undefined) return value;
  throw new UsageError(
    `Cannot use --${name} "${text}": expected ${type.expected}`,
  );
}

/**
 * Parses a command line. Of a flag that is given twice, the last one counts,
 * unless it is repeatable.
 *
 * @throws {UsageError} for an unknown flag, a value that is missing or of another
 * form, and too many positionals.
 */
export function parseFlags<F extends Flags>(
  flags: F,
  args: readonly string[],
  options: PositionalOptions = {},
): { values: Values<F>; positionals: string[] } {
  const names = Object.keys(flags);
  const { flags: given, positionals } = splitArgs(flags, args);
  const parsed = parseArgs(given, {
    string: names.filter((name) => flags[name]!.type),
    boolean: names.filter((name) => !flags[name]!.type),
    collect: names.filter((name) => flags[name]!.isRepeatable),
  });
  checkPositionals(positionals, options);
  const values: Record<string, unknown> = {};
  for (const [name, { type, isRepeatable }] of Object.entries(flags)) {
    const given = parsed[name];
    values[name] = !type || given === undefined
      ? given
      : isRepeatable
      ? given.map((text: string) => parseValue(name, type, text))
      : parseValue(name, type, given);
  }
  return { values: values as Values<F>, positionals };
}

/** The flags as lines of a help text, in groups with a heading. */
export function formatFlags(
  groups: Readonly<Record<string, Flags>>,
  columns: number = DEFAULT_COLUMNS,
): string {
  const syntax = (name: string, { letter, type }: Flag<unknown>) =>
    `  ${letter ? `-${letter}, ` : ""}--${name}${
      type ? ` ${type.placeholder}` : ""
    }`;
  const all = Object.values(groups).flatMap((flags) => Object.entries(flags));
  const indent = 2 +
    Math.max(...all.map(([name, flag]) => syntax(name, flag).length));
  return Object.entries(groups).map(([heading, flags]) => {
    const rows = Object.entries(flags).flatMap(([name, flag]) =>
      wrap(flag.help, columns - indent).map((line, i) =>
        (i === 0 ? syntax(name, flag) : "").padEnd(indent) + line
      )
    );
    return [`${heading}:`, ...rows].join("\n");
  }).join("\n\n");
}
