/**
 * The modes of the client, their options, and which of them fit together.
 *
 * ```ts
 * import { program } from "./client_program.ts";
 * import { parseCommand } from "./program.ts";
 * import { modeOf } from "./run_options.ts";
 *
 * const command = parseCommand(program, ["--ping", "--rate", "9"]);
 * if ("values" in command) modeOf(command.values, []); // UsageError
 * ```
 *
 * @module
 */

import type { ConnectOptions } from "../echo.ts";
import type { LoadOptions } from "../load.ts";
import type { PingOptions } from "../ping.ts";
import type { Expectation } from "../stats/expectation.ts";
import type { Mode } from "../stats/metrics.ts";
import type { ClientValues } from "./client_program.ts";
import { requireMeasured } from "./expectation_flag.ts";
import { UsageError } from "./flags.ts";
import type { HtmlFile } from "./html_file.ts";
import { checkEndpointFlags } from "./program.ts";

/** The options of all modes. */
export interface ModeOptions extends PingOptions, Omit<LoadOptions, "rate"> {
  /** Prints JSON, one object per line, instead of text. */
  json?: boolean | undefined;
  /** Messages per second, or the highest rate that holds is searched for. */
  rate?: number | "max" | undefined;
  /** Conditions on the figures. */
  expect?: readonly Expectation[] | undefined;
  /** The file for the report as a page. */
  html?: HtmlFile | undefined;
}

/** The flags of ping and load runs that do not all fit together. */
interface RunFlags {
  rate?: number | "max" | undefined;
  count?: number | undefined;
  size?: number | undefined;
  connect?: boolean | undefined;
  expect: readonly Expectation[];
}

/** @throws {UsageError} if flags of a mode do not fit together. */
function checkRunOptions(
  mode: Mode,
  { rate, count, size, connect, expect }: RunFlags,
): void {
  requireMeasured(expect, mode);
  if (connect && size !== undefined) {
    throw new UsageError(
      "--connect cannot be combined with --size: it sends no message",
    );
  }
  if (rate !== "max") return;
  if (expect.length === 0) {
    throw new UsageError(
      "--rate max needs at least one --expect, such as --expect 'p99<5ms'",
    );
  }
  if (count !== undefined) {
    throw new UsageError(
      "--rate max cannot be combined with --count: each step takes --duration",
    );
  }
}

/** The modes that each flag needs, for the flags that not all modes have. */
const NEEDED_MODES: readonly [keyof ClientValues, readonly string[]][] = [
  ["interval", ["ping"]],
  ["connect", ["ping"]],
  ["expect", ["ping", "load"]],
  ["html", ["ping", "load"]],
  ["count", ["ping", "load"]],
  ["size", ["ping", "load"]],
  ["connections", ["load"]],
  ["duration", ["load"]],
  ["rate", ["load"]],
  ["reconnect", ["load"]],
  ["warmup", ["load"]],
];

/** Whether the value of a flag says that it was given. */
function isGiven(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length > 0
    : value !== undefined && value !== false;
}

/** The mode that a command line asks for. @throws {UsageError} */
export function modeOf(
  values: ClientValues,
  [message]: string[],
): "message" | "pipe" | "ping" | "load" {
  if (values.ping && values.load) {
    throw new UsageError("--ping and --load cannot be combined");
  }
  const mode = values.ping ? "ping" : values.load ? "load" : undefined;
  if (mode && message !== undefined) {
    throw new UsageError(
      `Cannot use "${message}" with --${mode}: it makes its own messages`,
    );
  }
  for (const [name, needed] of NEEDED_MODES) {
    if (isGiven(values[name]) && !needed.includes(mode ?? "")) {
      throw new UsageError(
        `--${name} needs ${needed.map((mode) => `--${mode}`).join(" or ")}`,
      );
    }
  }
  if (mode) checkRunOptions(mode, values);
  return mode ?? (message === "-" ? "pipe" : "message");
}

/** The library's options that flags ask for. @throws {UsageError} */
export function connectOptions(values: ClientValues): ConnectOptions {
  const { hostname, port, unix: path, tls, timeout, wait } = values;
  checkEndpointFlags(values);
  if (path && tls) {
    throw new UsageError("--unix cannot be combined with --tls");
  }
  if (values["tls-ca"] && !tls) throw new UsageError("--tls-ca needs --tls");
  return { hostname, port, path, tls, timeout, wait };
}
