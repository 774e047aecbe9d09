/**
 * Compiles the programs into `.build/`, each into one file that runs without
 * Deno. What follows their names goes to `deno compile`:
 *
 * ```sh
 * deno task compile
 * deno task compile --target aarch64-apple-darwin
 * deno task compile:server --allow-read # may read certificates, too
 * ```
 *
 * Beside `deno compile` itself it grants them what they need, and says in one
 * line what to do where the base binary, which a program is added to, cannot be
 * downloaded.
 *
 * @module
 */

import { fromFileUrl } from "@std/path/from-file-url";
import { TextLineStream } from "@std/streams/text-line-stream";

/** The network, at any address; without asking for what was left out. */
const PERMISSIONS = ["--allow-net", "--no-prompt"];

/**
 * What to tell of a failed `deno compile`, given what it wrote from its `error:`
 * on: its causes in one line where it names some, else its own words.
 */
export function explain(program: string, said: string): string {
  const [own = ""] = said.split("\nStack backtrace:");
  const [head = "", caused] = own.split("\nCaused by:\n");
  if (caused === undefined) return head.trimEnd();
  const causes = caused.trimEnd().split("\n")
    .map((line) => line.replace(/^ *(\d+: )?/, ""));
  const attempt = `compile: Cannot compile ${program}`;
  const [, url] = caused.match(/\((https?:[^)\s]+)\)/) ?? [];
  return url === undefined
    ? `${attempt}: ${causes.join(": ")}`
    : `${attempt}: no base binary from ${url}: ${
      causes.at(-1)
    }; download and unpack it elsewhere, and run again with DENORT_BIN=/path/to/denort`;
}

/** Compiles one program. Resolves with its exit status. */
async function compile(program: string, flags: string[]): Promise<number> {
  const output = `.build/echo-${program}`;
  const source = fromFileUrl(new URL(`../${program}.ts`, import.meta.url));
  const command = new Deno.Command("deno", {
    args: [
      ...["compile", ...PERMISSIONS, "--output", output],
      ...[...flags, source],
    ],
    // What went wrong is read below, where colour is in the way.
    env: { NO_COLOR: "1" },
    stdin: "null",
    stderr: "piped",
  });
  let child: Deno.ChildProcess;
  try {
    child = command.spawn();
  } catch {
    console.error(
      `compile: Cannot compile ${program}: Cannot run deno; put it on the PATH`,
    );
    return 1;
  }
  const lines = child.stderr
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  let failure = "";
  for await (const line of lines) {
    if (failure || line.startsWith("error:")) failure += `${line}\n`;
    else console.error(line);
  }
  const { code } = await child.status;
  if (failure) console.error(explain(program, failure));
  return code;
}

if (import.meta.main) {
  const first = Deno.args.findIndex((arg) => arg.startsWith("-"));
  const end = first < 0 ? Deno.args.length : first;
  for (const program of Deno.args.slice(0, end)) {
    const status = await compile(program, Deno.args.slice(end));
    if (status !== 0) Deno.exit(status);
  }
}
