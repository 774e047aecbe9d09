/**
 * The file of `--html`. It is opened before the run, so that a run of an hour does
 * not end with an error about a missing permission.
 *
 * @module
 */

import type { HtmlReportInput, ReportRow } from "../html_report.ts";
import { printable, writeStderr } from "./output.ts";
import { fileError } from "./program.ts";

/** The program, the machine and the time. */
async function environmentRows(): Promise<ReportRow[]> {
  const { version } = await import("./help.ts");
  return [
    { label: "program", value: version("echo-client") },
    { label: "system", value: `${Deno.build.os}, ${Deno.build.arch}` },
    { label: "cores", value: String(navigator.hardwareConcurrency) },
    { label: "started", value: new Date().toISOString() },
  ];
}

/** Opens a file; whether it is new. What it holds stays until it is written. */
function open(path: string): { file: Deno.FsFile; isNew: boolean } {
  try {
    const file = Deno.openSync(path, { write: true, createNew: true });
    return { file, isNew: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return { file: Deno.openSync(path, { write: true }), isNew: false };
  }
}

/** Runs an action on the file. @throws {Error} that names the file. */
function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** Writes the page of a run, and says so on stderr. @throws {Error} if it fails. */
export type WriteReport = (
  run: Pick<HtmlReportInput, "summary" | "target" | "expectations">,
) => void;

/**
 * Opens the file of a report. If the report is never written, a file that is new is
 * removed when the process exits, in whatever way.
 *
 * @throws {Error} that names the file, and the permission if that is missing.
 */
export async function openReport(path: string): Promise<WriteReport> {
  const { file, isNew } = attempt(path, () => open(path));
  const remove = () => {
    try {
      Deno.removeSync(path);
    } catch {
      // It is gone, or its folder may not be changed.
    }
  };
  if (isNew) addEventListener("unload", remove);
  // Before the run, which must not wait for a module.
  const { htmlReport } = await import("../html_report.ts");
  const environment = await environmentRows();
  const options = [{ label: "flags", value: Deno.args.join(" ") }];
  return (run) => {
    const page = htmlReport({ ...run, options, environment });
    const bytes = new TextEncoder().encode(page);
    attempt(path, () => {
      try {
        file.truncateSync();
      } catch {
        // A device or a pipe has no length. To ask first would need --allow-read.
      }
      for (let at = 0; at < bytes.length;) {
        at += file.writeSync(bytes.subarray(at));
      }
    });
    removeEventListener("unload", remove);
    writeStderr(`report written to ${printable(path)}`);
  };
}
