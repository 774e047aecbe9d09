/**
 * The servers that are measured: ours, and those of this folder whose language
 * is installed.
 *
 * @module
 */

import { fromFileUrl } from "@std/path/from-file-url";

const here = new URL("./", import.meta.url);
/** The project, where its programs are. */
export const root: URL = new URL("../../", here);

/** A server that can be started on a port. */
export interface Contender {
  /** What it is called in the tables. */
  readonly name: string;
  /** What runs it, as that tells it. */
  readonly version: string;
  /** Its command line on a port. */
  readonly command: (port: number) => string[];
}

/** What a command writes on stdout, or undefined where it is not installed. */
export async function said(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, {
      args,
      env,
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/** A path of this folder, or of the project's. */
const path = (name: string, base = here) => fromFileUrl(new URL(name, base));

/** Finds what can be measured here. Go's server is compiled into `folder`. */
export async function contenders(folder: string): Promise<Contender[]> {
  const deno =
    (script: string, base: URL, args: (port: number) => string[]) =>
    (port: number) => [
      Deno.execPath(),
      "run",
      "--quiet",
      `--allow-net=127.0.0.1:${port}`,
      path(script, base),
      ...args(port),
    ];
  const version = `Deno ${Deno.version.deno}`;
  const found: Contender[] = [
    {
      name: "echo",
      version,
      command: deno("server.ts", root, (port) => ["--port", `${port}`]),
    },
    {
      name: "documented",
      version,
      command: deno("documented.ts", here, (port) => [`${port}`]),
    },
  ];
  const node = await said("node", ["--version"]);
  if (node) {
    found.push({
      name: "node",
      version: `Node ${node}`,
      command: (port) => ["node", path("node.mjs"), `${port}`],
    });
  }
  const python = await said("python3", ["--version"]);
  if (python) {
    found.push({
      name: "asyncio",
      version: python,
      command: (port) => ["python3", path("asyncio_echo.py"), `${port}`],
    });
  }
  const go = await said("go", ["version"]);
  // Windows runs nothing without this ending; the others do not mind it.
  const binary = `${folder}/echo-go.exe`;
  const built = go &&
    await said("go", ["build", "-o", binary, path("echo.go")], {
      GO111MODULE: "off",
    });
  if (go && built !== undefined) {
    found.push({
      name: "go",
      version: go.replace("go version ", ""),
      command: (port) => [binary, `${port}`],
    });
  }
  return found;
}
