/**
 * Parses a command line as the table of flags says.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import {
  COMMON_FLAGS,
  type Flag,
  flagName,
  type Flags,
  type FlagType,
  isGiven,
  type Program,
  SWITCH,
  UsageError,
  type Values,
} from "./flags.ts";

/** What a command line says. */
export interface CommandLine<F extends Flags> {
  /** The values of the flags, by key. */
  values: Values<F & typeof COMMON_FLAGS>;
  /** The arguments that are not flags. */
  positionals: string[];
}

/**
 * Arguments in which each switch has its value. `parseArgs` would otherwise take
 * a message "true" or "false" behind a switch for it.
 *
 * @throws {UsageError} if a switch was given a value.
 */
function withSwitchValues(
  args: readonly string[],
  switches: readonly string[],
): string[] {
  const end = args.indexOf("--");
  return args.map((arg, i) => {
    const [name = ""] = arg.split("=");
    if (end >= 0 && i >= end || !switches.includes(name)) return arg;
    if (name !== arg) throw new UsageError(`${name} takes no value`);
    return `${name}=true`;
  });
}

/** @throws {UsageError} that names the flag, if its value has another form. */
function parseValue<T>(key: string, type: FlagType<T>, text: string): T {
  const isMissing = text === "" && !type.isOptional;
  const value = isMissing ? undefined : type.parse(text);
  if (value !== undefined) return value;
  const what = text === "" ? "without a value" : `"${text}"`;
  throw new UsageError(
    `Cannot use ${flagName(key)} ${what}: expected ${type.expected}`,
  );
}

/** @throws {UsageError} that names flags that were given and do not fit together. */
function checkCombinations(
  { needs, conflicts }: Program,
  values: Readonly<Record<string, unknown>>,
): void {
  const has = (key: string) => isGiven(values[key]);
  for (const [one, other] of conflicts) {
    if (!has(one) || !has(other)) continue;
    throw new UsageError(
      `${flagName(one)} cannot be combined with ${flagName(other)}`,
    );
  }
  for (const [key = "", ...others] of needs) {
    if (!has(key) || others.some(has)) continue;
    throw new UsageError(
      `${flagName(key)} needs ${others.map(flagName).join(" or ")}`,
    );
  }
}

/**
 * Parses a command line. Of a flag that is given twice, the last one counts,
 * unless it is a list. A value that begins with a dash is written `--flag=-1`.
 *
 * @throws {UsageError} for an unknown flag, a value that is missing or of another
 * form, flags that do not fit together, and too many arguments.
 */
export async function parseFlags<F extends Flags>(
  program: Program<F>,
  args: readonly string[],
): Promise<CommandLine<F>> {
  const rows = Object.entries<Flag>({ ...program.flags, ...COMMON_FLAGS });
  const names = (select: (type: FlagType<unknown>) => boolean) =>
    rows.filter(([, [type]]) => select(type))
      .map(([key]) => flagName(key).slice(2));
  const aliases = rows.flatMap(([key, [, , , letter]]) =>
    letter ? [[letter, flagName(key).slice(2)] as const] : []
  );
  const switches = names((type) => type === SWITCH);
  const letters = aliases.filter(([, name]) => switches.includes(name));
  const unknown: string[] = [];
  const parsed = parseArgs(
    withSwitchValues(args, [
      ...switches.map((name) => `--${name}`),
      ...letters.map(([letter]) => `-${letter}`),
    ]),
    {
      boolean: switches,
      // Messages too, or parseArgs would make a number of "007".
      string: ["_", ...names((type) => type !== SWITCH)],
      collect: names(({ isList }) => isList === true),
      alias: Object.fromEntries(aliases),
      unknown: (arg, key) => key === undefined || unknown.push(arg) < 0,
    },
  );
  const refuse = async (arg: string) => {
    const { unknownFlag } = await import("./help.ts");
    throw new UsageError(unknownFlag(arg, rows));
  };
  // A number is more likely the value of the flag before it, which lacks one.
  const arg = unknown.find((arg) => !/^-\d/.test(arg));
  if (arg !== undefined) await refuse(arg);
  const values = Object.fromEntries(rows.map(([key, [type]]) => {
    const found = parsed[flagName(key).slice(2)];
    const parse = (text: string) => parseValue(key, type, text);
    if (type === SWITCH) return [key, Boolean(found)];
    if (Array.isArray(found)) return [key, found.flatMap(parse)];
    return [key, found === undefined ? undefined : parse(found)];
  }));
  if (unknown[0] !== undefined) await refuse(unknown[0]);
  if (!values["help"] && !values["version"]) checkCombinations(program, values);
  const positionals = parsed._.map(String);
  return { values: values as CommandLine<F>["values"], positionals };
}
