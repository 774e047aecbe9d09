/**
 * A program's flags as one table, from which both the parser and the usage are
 * made. What is not in the table, or not of its kind, is refused by name.
 *
 * ```ts
 * import { flag, parseFlags, toggle } from "./flags.ts";
 * import { integer } from "./values.ts";
 * const flags = {
 *   port: flag(integer("PORT", 0, 65535), "port to listen on", 12345),
 *   once: toggle("serve one client, then exit"),
 * };
 * parseFlags(flags, ["--port", "80"]).values; // { port: 80, once: false }
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import type { Kind } from "./values.ts";
import { wrap } from "./wrap.ts";

/** One row of the table. */
export interface Flag<T> {
  /** The kind of its value; none for a flag that is there or not. */
  readonly kind?: Kind<unknown>;
  /** One letter that stands for the name of a flag without a value. */
  readonly letter?: string | undefined;
  /** What it does, for the usage. */
  readonly help: string;
  /** What it is when it is not given. */
  readonly value: T;
}

/** The table: flags by their names, without the dashes. */
export type Flags = Record<string, Flag<unknown>>;

/** What a command line says of a table. */
export type Values<F extends Flags> = {
  [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never;
};

/** A command line that cannot be carried out; the message says why. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** A flag with a value, and its default where there is one. */
export function flag<T>(kind: Kind<T>, help: string): Flag<T | undefined>;
export function flag<T>(kind: Kind<T>, help: string, value: T): Flag<T>;
export function flag<T>(
  kind: Kind<T>,
  help: string,
  value?: T,
): Flag<T | undefined> {
  return { kind, help, value };
}

/** A flag that is there or not. */
export function toggle(help: string, letter?: string): Flag<boolean> {
  return { help, letter, value: false };
}

function refuseUnknown(
  flags: Flags,
  given: string,
  takesWords: boolean,
): never {
  const [name = given] = given.split("=");
  if (/^--(allow|deny)-/.test(name)) {
    throw new UsageError(
      `Cannot use "${name}" here: it is Deno's, and goes before the program: deno run ${given} ...`,
    );
  }
  const nearest = closestString(
    name.replace(/^-+/, ""),
    Object.keys(flags),
  );
  throw new UsageError(
    `Cannot use unknown flag "${name}": did you mean --${nearest}?${
      takesWords ? " (words that begin with a dash go after --)" : ""
    }`,
  );
}

/** `-h` as `--help`, where the table has that letter. */
function nameOf(flags: Flags, arg: string): string {
  const row = Object.entries(flags).find(([, { letter }]) =>
    letter !== undefined && arg === `-${letter}`
  );
  return row ? `--${row[0]}` : arg;
}

/**
 * Every flag as one word, `--name=value`, so that a value may begin with a dash
 * ("--port -1") and a missing one is noticed. What is no flag goes behind `--`:
 * the parser would take "true" and "false" for values of the flag before them.
 */
function joinValues(
  flags: Flags,
  args: readonly string[],
  takesWords: boolean,
): string[] {
  const joined: string[] = [];
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    const long = nameOf(flags, arg);
    const [, name = "", given] = /^--([^=]+)(?:=(.*))?$/s.exec(long) ?? [];
    if (!Object.hasOwn(flags, name)) refuseUnknown(flags, arg, takesWords);
    const { kind } = flags[name]!;
    if (!kind) {
      if (given !== undefined) {
        throw new UsageError(
          `Cannot use --${name} with a value: it is there or it is not`,
        );
      }
      joined.push(long);
      continue;
    }
    const next = given ?? args[++i];
    if (!next || given === undefined && next.startsWith("--")) {
      throw new UsageError(
        `Cannot use --${name} without a value: expected ${kind.expected}`,
      );
    }
    joined.push(`--${name}=${next}`);
  }
  return [...joined, "--", ...words];
}

/** How many words there may be beside flags, and what to say of more. */
export interface WordOptions {
  /** None by default. */
  mostWords?: number | undefined;
  /** Added to the refusal of more words than that, given all of them. */
  surplusHint?: ((words: string[]) => string | undefined) | undefined;
}

/**
 * Reads a command line by the table. `words` is what is no flag.
 *
 * @throws {UsageError} for an unknown flag, a missing value, a value of another
 * kind, or more than `mostWords` words.
 */
export function parseFlags<F extends Flags>(
  flags: F,
  args: readonly string[],
  { mostWords = 0, surplusHint }: WordOptions = {},
): { values: Values<F>; words: string[] } {
  const names = Object.keys(flags);
  const parsed = parseArgs(joinValues(flags, args, mostWords > 0), {
    string: [...names.filter((name) => flags[name]!.kind), "_"],
    boolean: names.filter((name) => !flags[name]!.kind),
  });
  const words = parsed._.map(String);
  const surplus = words[mostWords];
  if (surplus !== undefined) {
    const hint = surplusHint?.(words);
    throw new UsageError(
      `Cannot use "${surplus}": expected ${
        mostWords === 0 ? "flags only" : `${mostWords} word at most`
      }${mostWords ? "; quote a message of several words" : ""}${
        hint ? `; ${hint}` : ""
      }`,
    );
  }
  const values: Record<string, unknown> = {};
  for (const [name, { kind, value }] of Object.entries(flags)) {
    const given = parsed[name];
    if (!kind) {
      values[name] = given;
      continue;
    }
    values[name] = given === undefined ? value : kind.parse(given);
    if (given !== undefined && values[name] === undefined) {
      throw new UsageError(
        `Cannot use --${name} "${given}": expected ${kind.expected}`,
      );
    }
  }
  return { values: values as Values<F>, words };
}

/** The table as lines of a usage text, of at most so many columns. */
export function usageOf(flags: Flags, columns = 80): string {
  const rows = Object.entries(flags).map(([name, { kind, letter, help }]) => ({
    left: `${letter ? `-${letter}, ` : ""}--${name}${
      kind ? ` ${kind.placeholder}` : ""
    }`,
    help,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  const indent = 2 + width + 2;
  return rows.flatMap(({ left, help }) =>
    wrap(help, columns - indent).map((line, i) =>
      (i === 0 ? `  ${left}` : "").padEnd(indent) + line
    )
  ).join("\n");
}
