/**
 * What both programs share: `--help` and `--version`, errors as one line, the
 * exit status, and the files that flags name.
 *
 * ```sh
 * deno task server --prot 80; echo $? # one line on stderr, and 2
 * ```
 *
 * @module
 */

import { requireDeno } from "../net/deno_version.ts";
import { permissionFlag } from "../net/endpoint.ts";
import { describeError, systemError } from "../net/system_error.ts";
import {
  type Flags,
  type Program,
  UsageError,
  type Values,
} from "./flag_table.ts";
import { print, printable, writeStderr } from "./output.ts";
import { parseFlags } from "./parse_flags.ts";
import { EXIT, ignoreHangup, Interrupted } from "./signals.ts";

/** What a program does with its command line. */
export interface Actions<F extends Flags> {
  /** Runs it, and returns the exit status; success if it returns none. */
  main(values: Values<F>, positionals: string[]): Promise<number | void>;
  /** Returns what the user can do about an error of `main`. */
  advise(
    error: unknown,
    values: Values<F>,
    positionals: string[],
  ): string | undefined;
}

/** The error as one line that is safe to show on a terminal. */
function errorLine(error: unknown, advice: string | undefined): string {
  const message = error instanceof Error ? error.message : String(error);
  return printable(message) + (advice ? `; ${advice}` : "");
}

/**
 * Runs a program, and exits with the status that `main` returns. An error becomes
 * one line on stderr.
 */
export async function run<F extends Flags>(
  program: Program<F>,
  { main, advise }: Actions<F>,
): Promise<never> {
  let status: number = EXIT.ok;
  let advice: ((error: unknown) => string | undefined) | undefined;
  try {
    const { values, positionals } = await parseFlags(program, Deno.args);
    if (values.help || values.version) {
      const { help, version } = await import("./help.ts");
      print(values.help ? help(program) : version(program.name));
    } else {
      requireDeno("Cannot start");
      ignoreHangup();
      advice = (error) => advise(error, values, positionals);
      status = await main(values, positionals) ?? EXIT.ok;
    }
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const isInterrupted = error instanceof Interrupted;
    const line = errorLine(error, isUsage ? "see --help" : advice?.(error));
    if (line !== "") writeStderr(`${program.name}: ${line}`);
    status = isUsage
      ? EXIT.usage
      : isInterrupted
      ? EXIT.interrupted
      : EXIT.failed;
  }
  // Pending work, such as a name lookup, must not delay the exit.
  Deno.exit(status);
}

/** The error of a file, after what was attempted with it. */
export function fileError(
  error: unknown,
  kind: "read" | "write",
  path: string,
): Error {
  const action = `Cannot ${kind} ${path}`;
  if (error instanceof Deno.errors.PermissionDenied) {
    // A plain error: the programs' advice on PermissionDenied is about sockets.
    return new Error(
      `${action}: ${
        describeError(error)
      }; allow this user to ${kind} it, or run as its owner`,
      { cause: error },
    );
  }
  return systemError(error, {
    action,
    permissions: permissionFlag(kind, path),
  });
}

/**
 * Reads a text file.
 *
 * @throws {Error} that names the file, and the permission if that is missing.
 */
export function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** Reads the certificates that a flag names. @throws {Error} if there are none. */
export function readCertificates(path: string, flag: string): string {
  const pem = readText(path);
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new Error(
    `Cannot use ${flag} ${path}: it holds no certificate in PEM format`,
  );
}
