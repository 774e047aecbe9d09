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

/** One row of the table. */
export interface Flag<T> {
  /** The kind of its value; none for a flag that is there or not. */
  readonly kind?: Kind<unknown>;
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
export function toggle(help: string): Flag<boolean> {
  return { help, value: false };
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

/**
 * Every flag as one word, `--name=value`, so that a value may begin with a dash
 * ("--port -1") and a missing one is noticed.
 */
function joinValues(
  flags: Flags,
  args: readonly string[],
  takesWords: boolean,
): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") return [...joined, ...args.slice(i)];
    if (!arg.startsWith("-") || arg === "-") {
      joined.push(arg);
      continue;
    }
    const [, name = "", given] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!Object.hasOwn(flags, name)) refuseUnknown(flags, arg, takesWords);
    const { kind } = flags[name]!;
    if (!kind) {
      if (given !== undefined) {
        throw new UsageError(
          `Cannot use --${name} with a value: it is there or it is not`,
        );
      }
      joined.push(arg);
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
  return joined;
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
  mostWords = 0,
): { values: Values<F>; words: string[] } {
  const names = Object.keys(flags);
  const parsed = parseArgs(joinValues(flags, args, mostWords > 0), {
    string: [...names.filter((name) => flags[name]!.kind), "_"],
    boolean: names.filter((name) => !flags[name]!.kind),
  });
  const words = parsed._.map(String);
  const surplus = words[mostWords];
  if (surplus !== undefined) {
    throw new UsageError(
      `Cannot use "${surplus}": expected ${
        mostWords === 0 ? "flags only" : `${mostWords} word at most`
      }${mostWords ? "; quote a message of several words" : ""}`,
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

/** The table as lines of a usage text. */
export function usageOf(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, { kind, help }]) => [
    kind ? `--${name} ${kind.placeholder}` : `--${name}`,
    help,
  ]);
  const width = Math.max(...rows.map(([left]) => left!.length));
  return rows.map(([left, help]) => `  ${left!.padEnd(width)}  ${help}`)
    .join("\n");
}
