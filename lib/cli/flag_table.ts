/**
 * The table of a program's flags. The parser, the help text, the errors and the
 * README's tables follow from it.
 *
 * ```ts
 * import { COUNT, SWITCH } from "./flag_types.ts";
 * import type { Flags, Values } from "./flag_table.ts";
 *
 * export const limits = {
 *   maxConnections: [COUNT, "serve this many connections", "no limit"],
 *   once: [SWITCH, "serve one connection, then exit"],
 * } satisfies Flags; // --max-connections N, --once
 * export const values: Values<typeof limits> = { maxConnections: 1, once: true };
 * ```
 *
 * @module
 */

import {
  type FlagType,
  type ListType,
  SWITCH,
  type SwitchType,
} from "./flag_types.ts";

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

type Value<T> = T extends SwitchType ? boolean
  : T extends ListType<infer Item> ? Item[]
  : T extends FlagType<infer Item> ? Item | undefined
  : never;

/** The values of flags, by key. */
export type Values<F extends Flags> = { [Key in keyof F]: Value<F[Key][0]> };

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
