/**
 * What both programs share: help and version, one line for an error, and the
 * exit status. Results go to stdout, all else to stderr.
 *
 * ```sh
 * deno task server --prot 80; echo $? # one line, and 2
 * ```
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { splitHostPort } from "./address.ts";
import {
  type Flags,
  parseFlags,
  toggle,
  UsageError,
  usageOf,
  type Values,
} from "./flags.ts";
import { reason, restate } from "./errors.ts";
import { permission } from "./place.ts";
import { printable } from "./printable.ts";
import { refuseOldDeno } from "./runtime.ts";
import { ignoreHangup } from "./signals.ts";
import { streamError } from "./stdio.ts";
import { wrap } from "./wrap.ts";

/** A program as its user sees it. */
export interface Program<F extends Flags> {
  /** Its name, which its errors begin with. */
  readonly name: string;
  /** The words after its flags, such as `[MESSAGE]`, and how many at most. */
  readonly words?: {
    readonly usage: string;
    readonly most: number;
    /** Added to the refusal of more words than that. */
    readonly surplusHint?: (words: string[]) => string | undefined;
  };
  /** What it does: sentences, without line breaks. */
  readonly summary: string;
  /** Its flags, but for `--help` and `--version`. */
  readonly flags: F;
  /** What follows the flags in the usage: examples, statuses. */
  readonly notes: string;
}

/** Exit statuses: all well, the work failed, the command line was wrong. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const COMMON = {
  help: toggle("show this text", "h"),
  version: toggle("show the version", "V"),
};

/** Columns of the usage, which fits the narrowest usual terminal. */
const USAGE_COLUMNS = 80;

/** The usage text of a program. */
export function usage(program: Program<Flags>): string {
  const words = program.words ? ` ${program.words.usage}` : "";
  return `Usage: ${program.name} [FLAGS]${words}

${wrap(program.summary, USAGE_COLUMNS).join("\n")}

${usageOf({ ...program.flags, ...COMMON }, USAGE_COLUMNS)}

A DURATION is a number with its unit, such as 500ms, 10s, 2m or 1h.

${program.notes}`;
}

/** The versions of the program and of what it runs on. */
export function version(program: Program<Flags>): string {
  return `${program.name} ${config.version} (deno ${Deno.version.deno})`;
}

/** What a command line asks of a program. */
export type Request<F extends Flags> =
  | { show: string }
  | { values: Values<F>; words: string[] };

/** Reads a command line, opening nothing. @throws {UsageError} */
export function read<F extends Flags>(
  program: Program<F>,
  args: readonly string[],
): Request<F> {
  const flags: Flags = { ...program.flags, ...COMMON };
  const { values, words } = parseFlags(flags, args, {
    mostWords: program.words?.most,
    surplusHint: program.words?.surplusHint,
  });
  const { help, version: asked, ...rest } = values;
  if (help) return { show: usage(program) };
  if (asked) return { show: version(program) };
  return { values: rest as Values<F>, words };
}

/** An error as one line that may be shown on a terminal. */
export function line(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}

/** @throws {UsageError} where both a path and an address are asked for. */
export function refuseTwoPlaces(
  { unix, hostname, port }: {
    unix?: string | undefined;
    hostname?: string | undefined;
    port?: number | undefined;
  },
): void {
  if (unix !== undefined && (hostname !== undefined || port !== undefined)) {
    throw new UsageError(
      "Cannot use --unix with --hostname or --port: it is a path instead",
    );
  }
}

/** @throws {UsageError} where the host name contains a port. */
export function refusePortInHostnameFlag(hostname?: string): void {
  const parts = splitHostPort(hostname ?? "");
  if (!parts) return;
  throw new UsageError(
    `Cannot use --hostname "${hostname}": it contains a port; use --hostname ${parts.hostname} --port ${parts.port}`,
  );
}

/** Reads a text file. @throws {Error} that names the file and the grant. */
export function readText(path: string): string {
  const attempt = `Cannot read ${path}`;
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      // Of no class of Deno's, for which programs have advice on addresses.
      throw new Error(
        `${attempt}: ${
          reason(error)
        }; let this user read it, or run as its owner`,
        { cause: error },
      );
    }
    throw restate(error, attempt, permission("read", path));
  }
}

/**
 * Writes a line of results to stdout.
 *
 * @throws {Error} if it takes no more, which `console.log` keeps to itself.
 */
export function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    throw streamError("Cannot write to stdout", error);
  }
}

/** Writes what went wrong to stderr, if it takes any. */
function complain(program: Program<Flags>, message: string): void {
  try {
    console.error(`${program.name}: ${message}`);
  } catch {
    // There is nowhere left to say it.
  }
}

/**
 * Runs a program to its exit status. What `main` throws becomes one line on
 * stderr; `advice` adds what the user can do about it.
 */
export async function run<F extends Flags>(
  program: Program<F>,
  main: (values: Values<F>, words: string[]) => Promise<number | void>,
  advice: (
    error: unknown,
    values?: Values<F>,
    words?: string[],
  ) => string | undefined = () => undefined,
): Promise<never> {
  let status: number = EXIT.ok;
  let values: Values<F> | undefined;
  let words: string[] | undefined;
  try {
    const request = read(program, Deno.args);
    if ("show" in request) {
      print(request.show);
    } else {
      refuseOldDeno("Cannot start");
      ignoreHangup();
      ({ values, words } = request);
      status = await main(values, words) ?? EXIT.ok;
    }
  } catch (error) {
    const wrong = error instanceof UsageError;
    const more = wrong ? "see --help" : advice(error, values, words);
    complain(program, more ? `${line(error)}; ${more}` : line(error));
    status = wrong ? EXIT.usage : EXIT.failed;
  }
  // What is left, such as a look-up under way, must not keep the user waiting.
  Deno.exit(status);
}
