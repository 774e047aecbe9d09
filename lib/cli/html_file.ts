/**
 * The file of `--html`. It is opened before the run, so that a run of an hour does
 * not end with an error about a missing permission.
 *
 * ```ts ignore
 * import { HtmlFile } from "./html_file.ts";
 *
 * using html = new HtmlFile("report.html", { options: [], environment: [] });
 * html.write({ mode: "ping", target: "127.0.0.1:12345", summary });
 * ```
 *
 * @module
 */

import {
  htmlReport,
  type HtmlReportInput,
  type ReportRow,
} from "../html_report.ts";
import { permissionFlag } from "../net/endpoint.ts";
import { formatDuration } from "../net/format.ts";
import { describeError, systemError } from "../net/system_error.ts";
import { duration } from "./flag_types.ts";
import type { Flags } from "./flags.ts";
import { writeStderr } from "./stdio.ts";
import { printable } from "./terminal.ts";

/** What the page says besides the figures. */
export interface PageNotes {
  /** Options of the run. */
  options: readonly ReportRow[];
  /** Versions, machine and time of the run. */
  environment: readonly ReportRow[];
}

/** A run, as the modes hand it over. */
type Run = HtmlReportInput extends infer Input
  ? Input extends unknown ? Omit<Input, keyof PageNotes> : never
  : never;

/** Flags that change neither the run nor its figures. */
const OUTPUT_FLAGS = ["html", "json"];

/** The flags that were given, with their values as text. */
export function optionRows(
  flags: Flags,
  values: Record<string, unknown>,
): ReportRow[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (OUTPUT_FLAGS.includes(name)) return [];
    if (value === undefined || value === false) return [];
    const isDuration = flags[name]?.type?.placeholder === duration.placeholder;
    const text = (item: unknown) =>
      item === true
        ? "yes"
        : isDuration
        ? formatDuration(item as number)
        : typeof item === "object"
        ? (item as { text: string }).text
        : String(item);
    return [value].flat().map((item) => ({
      label: `--${name}`,
      value: text(item),
    }));
  });
}

/** The program, the machine and the time. */
export function environmentRows(program: string, time: Date): ReportRow[] {
  return [
    { label: "program", value: program },
    { label: "system", value: `${Deno.build.os}, ${Deno.build.arch}` },
    { label: "cores", value: String(navigator.hardwareConcurrency) },
    { label: "started", value: time.toISOString() },
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

/** A file for one report. */
export class HtmlFile implements Disposable {
  readonly #path: string;
  readonly #notes: PageNotes;
  readonly #file: Deno.FsFile;
  #isLeftover: boolean;

  /**
   * Opens the file. A report that it holds stays until the new one is written.
   *
   * @throws {Error} that names the file, and the permission if that is missing.
   */
  constructor(path: string, notes: PageNotes) {
    this.#path = path;
    this.#notes = notes;
    try {
      const { file, isNew } = open(path);
      this.#file = file;
      this.#isLeftover = isNew;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Writes the report, and says so on stderr. @throws {Error} if it fails. */
  write(run: Run): void {
    const input = { ...this.#notes, ...run } as HtmlReportInput;
    const bytes = new TextEncoder().encode(htmlReport(input));
    try {
      this.#truncate();
      for (let at = 0; at < bytes.length;) {
        at += this.#file.writeSync(bytes.subarray(at));
      }
    } catch (error) {
      throw this.#failed(error);
    }
    this.#isLeftover = false;
    writeStderr(`report written to ${printable(this.#path)}`);
  }

  /** Closes the file, and removes it if it is new and nothing was written. */
  [Symbol.dispose](): void {
    this.#file.close();
    if (!this.#isLeftover) return;
    try {
      Deno.removeSync(this.#path);
    } catch {
      // It is gone, or its folder may not be changed.
    }
  }

  #truncate(): void {
    try {
      this.#file.truncateSync();
    } catch {
      // A device or a pipe has no length. To ask first would need --allow-read.
    }
  }

  #failed(error: unknown): Error {
    const action = `Cannot write ${this.#path}`;
    if (error instanceof Deno.errors.PermissionDenied) {
      // A plain error: the program's advice on PermissionDenied is about sockets.
      return new Error(`${action}: ${describeError(error)}`, { cause: error });
    }
    return systemError(error, {
      action,
      permissions: permissionFlag("write", this.#path),
    });
  }
}
