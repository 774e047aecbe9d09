/**
 * The servers to compare: this project's, and those of this folder whose language
 * is installed.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const here = new URL("./", import.meta.url);
/** The folder of the project. */
export const root: URL = new URL("../../", here);

/** A server that can be started on a port. */
export interface Contender {
  /** Its name in the tables. */
  readonly name: string;
  /** The version of its runtime. */
  readonly version: string;
  /** The command that runs it on a port. */
  readonly command: (port: number) => string[];
  /** Whether it has a process per connection, so that no single one is measured. */
  readonly forks?: boolean;
}

/** The stdout of a command, or `undefined` if it fails or is not installed. */
export async function outputOf(
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

/** The path of a file in this folder, or in `base`. */
const path = (name: string, base = here) => fileURLToPath(new URL(name, base));

/** The command that runs a script with Deno. */
export function denoCommand(
  script: string,
  base: URL,
  { net, args }: { net: string; args: string[] },
): string[] {
  const permission = `--allow-net=${net}`;
  const file = path(script, base);
  return [Deno.execPath(), "run", "--quiet", permission, file, ...args];
}

/** Returns the servers that can run here. It compiles Go's into `folder`. */
export async function contenders(folder: string): Promise<Contender[]> {
  const version = `Deno ${Deno.version.deno}`;
  const found: Contender[] = [
    {
      name: "echo",
      version,
      command: (port) =>
        denoCommand("server.ts", root, {
          net: `127.0.0.1:${port}`,
          args: ["--port", `${port}`],
        }),
    },
    {
      name: "documented",
      version,
      command: (port) =>
        denoCommand("documented.ts", here, {
          net: `127.0.0.1:${port}`,
          args: [`${port}`],
        }),
    },
  ];
  const node = await outputOf("node", ["--version"]);
  if (node) {
    found.push({
      name: "node",
      version: `Node ${node}`,
      command: (port) => ["node", path("node.mjs"), `${port}`],
    });
  }
  const python = await outputOf("python3", ["--version"]);
  if (python) {
    found.push({
      name: "asyncio",
      version: python,
      command: (port) => ["python3", path("asyncio_echo.py"), `${port}`],
    });
  }
  const go = await outputOf("go", ["version"]);
  // Windows needs this extension; other systems ignore it.
  const binary = `${folder}/echo-go.exe`;
  const built = go &&
    await outputOf("go", ["build", "-o", binary, path("echo.go")], {
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
