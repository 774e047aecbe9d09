/**
 * What both programs share: `--help` and `--version`, errors as one line, and the
 * exit status. Results go to stdout, everything else to stderr.
 *
 * ```sh
 * deno task server --prot 80; echo $? # one line on stderr, and 2
 * ```
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { requireDeno } from "../net/deno_version.ts";
import { permissionFlag, splitHostPort } from "../net/endpoint.ts";
import { describeError, systemError } from "../net/system_error.ts";
import {
  booleanFlag,
  type Flags,
  formatFlags,
  parseFlags,
  UsageError,
  type Values,
} from "./flags.ts";
import { ignoreHangup } from "./signals.ts";
import { print, writeStderr } from "./stdio.ts";
import { DEFAULT_COLUMNS, printable, wrap } from "./terminal.ts";

/** A program, as its command line and its help text need it. */
export interface Program<F extends Flags> {
  /** Its name. Its errors begin with it. */
  readonly name: string;
  /** The arguments that are not flags. By default there are none. */
  readonly positionals?: {
    /** Their syntax in the help text, such as `[MESSAGE]`. */
    readonly syntax: string;
    /** How many there may be. */
    readonly max: number;
    /** Makes a hint for the error about surplus ones. */
    readonly surplusHint?: (positionals: string[]) => string | undefined;
  };
  /** What it does: sentences without line breaks. */
  readonly summary: string;
  /** All flags except `--help` and `--version`. */
  readonly flags: F;
  /** The same flags by topic, for the help text. */
  readonly groups: Readonly<Record<string, Flags>>;
  /** Ends the help text: examples, exit status. */
  readonly notes: string;
}

/** Exit status: success, failure, wrong usage. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const COMMON_FLAGS = {
  help: booleanFlag("show this help", "h"),
  version: booleanFlag("show the version", "V"),
};

/** The help text of a program. */
export function help(
  { name, positionals, summary, groups, notes }: Program<Flags>,
): string {
  const syntax = positionals ? ` ${positionals.syntax}` : "";
  return `Usage: ${name} [FLAGS]${syntax}

${wrap(summary, DEFAULT_COLUMNS).join("\n")}

${formatFlags({ ...groups, Help: COMMON_FLAGS })}

A duration D is a number with its unit, such as 500ms, 10s, 2m or 1h.

${notes}`;
}

/** The versions of the program and of Deno. */
export function version(program: Program<Flags>): string {
  return `${program.name} ${config.version} (deno ${Deno.version.deno})`;
}

/** What a command line says: show a text, or run with these values. */
export type ParsedCommand<F extends Flags> =
  | { text: string }
  | { values: Values<F>; positionals: string[] };

/** Parses a command line. @throws {UsageError} if it is wrong. */
export function parseCommand<F extends Flags>(
  program: Program<F>,
  args: readonly string[],
): ParsedCommand<F> {
  const flags: Flags = { ...program.flags, ...COMMON_FLAGS };
  const { values, positionals } = parseFlags(flags, args, {
    maxPositionals: program.positionals?.max,
    surplusHint: program.positionals?.surplusHint,
  });
  const { help: showHelp, version: showVersion, ...rest } = values;
  if (showHelp) return { text: help(program) };
  if (showVersion) return { text: version(program) };
  return { values: rest as Values<F>, positionals };
}

/** @throws {UsageError} if the flags that name an endpoint do not fit together. */
export function checkEndpointFlags(
  { unix, hostname, port }: {
    unix: string | undefined;
    hostname: string | undefined;
    port: number | undefined;
  },
): void {
  if (unix !== undefined && (hostname !== undefined || port !== undefined)) {
    throw new UsageError(
      "--unix cannot be combined with --hostname or --port",
    );
  }
  const parts = splitHostPort(hostname ?? "");
  if (!parts) return;
  throw new UsageError(
    `Cannot use --hostname "${hostname}": it contains a port; use --hostname ${parts.hostname} --port ${parts.port}`,
  );
}

/**
 * Reads a text file.
 *
 * @throws {Error} that names the file, and the permission if that is missing.
 */
export function readText(path: string): string {
  const action = `Cannot read ${path}`;
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      // A plain error: the programs' advice on PermissionDenied is about sockets.
      throw new Error(
        `${action}: ${
          describeError(error)
        }; allow this user to read it, or run as its owner`,
        { cause: error },
      );
    }
    throw systemError(error, {
      action,
      permissions: permissionFlag("read", path),
    });
  }
}

/** An error as one line that is safe to show on a terminal. */
function errorLine(error: unknown, advice: string | undefined): string {
  const message = error instanceof Error ? error.message : String(error);
  return printable(message) + (advice ? `; ${advice}` : "");
}

/**
 * Runs a program, and exits with the status that `main` returns. An error becomes
 * one line on stderr. `advise` returns what the user can do about it.
 */
export async function run<F extends Flags>(
  program: Program<F>,
  main: (
    values: Values<F>,
    positionals: string[],
  ) => Promise<number | void>,
  advise: (
    error: unknown,
    values?: Values<F>,
    positionals?: string[],
  ) => string | undefined = () => undefined,
): Promise<never> {
  let status: number = EXIT.ok;
  let values: Values<F> | undefined;
  let positionals: string[] | undefined;
  try {
    const command = parseCommand(program, Deno.args);
    if ("text" in command) {
      print(command.text);
    } else {
      requireDeno("Cannot start");
      ignoreHangup();
      ({ values, positionals } = command);
      status = await main(values, positionals) ?? EXIT.ok;
    }
  } catch (error) {
    const usage = error instanceof UsageError;
    const advice = usage ? "see --help" : advise(error, values, positionals);
    writeStderr(`${program.name}: ${errorLine(error, advice)}`);
    status = usage ? EXIT.usage : EXIT.failed;
  }
  // Pending work, such as a name lookup, must not delay the exit.
  Deno.exit(status);
}
