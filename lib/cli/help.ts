/**
 * What a program says about its flags: the help text, the version, and what an
 * unknown flag may have meant. Loaded only when it is asked for.
 *
 * @module
 */

import { levenshteinDistance } from "@std/text/levenshtein-distance";
import config from "../../deno.json" with { type: "json" };
import {
  COMMON_FLAGS,
  type Flag,
  flagName,
  type Flags,
  type Program,
} from "./flag_table.ts";

/** Columns of the help text, as of a terminal. */
const COLUMNS = 80;

/** Flags of Deno that users give to the script by mistake. */
const DENO_FLAGS =
  /^(-[APq]|--(allow|deny|ignore|unstable|inspect)(-.*)?|--(no-)?(prompt|check|lock|remote|npm|config|code-cache)|--(quiet|reload|cached-only|frozen|watch|env-file|v8-flags|log-level|import-map|cert))$/;

/** Lines of at most `width` characters. A longer word gets its own line. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = `${line} ${word}`;
    }
  }
  return lines;
}

/** A flag with its letter and its value: `-p, --port PORT`. */
export function syntax(key: string, [type, , , letter]: Flag): string {
  return `${letter ? `-${letter}, ` : ""}${flagName(key)} ${type.placeholder}`
    .trimEnd();
}

/** The flags as lines, in groups with a heading. */
function formatFlags(groups: Readonly<Record<string, Flags>>): string {
  const all = Object.values(groups).flatMap((flags) => Object.entries(flags));
  const indent = 4 +
    Math.max(...all.map(([key, flag]) => syntax(key, flag).length));
  return Object.entries(groups).map(([heading, flags]) => {
    const rows = Object.entries(flags).flatMap(([key, flag]) => {
      const [{ isList }, purpose, fallback] = flag;
      const text = purpose + (isList ? " (repeatable)" : "") +
        (fallback === undefined ? "" : ` (default: ${fallback})`);
      return wrap(text, COLUMNS - indent).map((line, i) =>
        (i === 0 ? `  ${syntax(key, flag)}` : "").padEnd(indent) + line
      );
    });
    return [`${heading}:`, ...rows].join("\n");
  }).join("\n\n");
}

/** The help text of a program. */
export function help(
  { name, usage, summary, groups, notes }: Program,
): string {
  return `Usage: ${name} ${usage}

${wrap(summary, COLUMNS).join("\n")}

${formatFlags({ ...groups, Help: COMMON_FLAGS })}

A duration D is a number with its unit, such as 500ms, 10s, 2m or 1h.

${notes}`;
}

/** The versions of the program and of Deno. */
export function version(name: string): string {
  return `${name} ${config.version} (deno ${Deno.version.deno})`;
}

/** The known flag that is nearest to an unknown one, if any is near. */
function nearest(names: readonly string[], name: string): string | undefined {
  // One letter says too little, and a letter of another program nothing.
  if (!/^--../.test(name)) return undefined;
  const longer = names.filter((known) => known.startsWith(name))
    .sort((a, b) => a.length - b.length);
  // Two letters that changed places are a distance of two.
  const most = name.length < "--port".length ? 1 : 2;
  return longer[0] ?? names
    .map((known) => ({ known, distance: levenshteinDistance(name, known) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance)[0]?.known;
}

/** Why an argument that is no flag of these rows cannot be used. */
export function unknownFlag(
  arg: string,
  rows: readonly (readonly [key: string, flag: Flag])[],
): string {
  const [name = arg] = arg.split("=");
  const names = rows.map(([key]) => flagName(key));
  if (names.includes(name)) {
    const [, [{ expected }]] = rows[names.indexOf(name)]!;
    return `Cannot use ${name} without a value: expected ${expected}`;
  }
  if (DENO_FLAGS.test(name)) {
    return `Cannot use ${name} here: it is a flag of Deno and goes before the script, as in deno run ${arg} server.ts`;
  }
  const [, first = "", value = ""] = /^-([A-Za-z])([^=].*)$/.exec(arg) ?? [];
  const takesValue = rows.some(([, [{ placeholder }, , , letter]]) =>
    placeholder !== "" && letter === first
  );
  const meant = names.includes(`-${name}`)
    ? `-${name}`
    : takesValue
    ? `-${first} ${value}`
    : nearest(names, name);
  const hint = meant === undefined ? "" : `: did you mean ${meant}?`;
  return `Cannot use unknown flag "${name}"${hint}`;
}
