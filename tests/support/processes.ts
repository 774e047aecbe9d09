/**
 * The two programs as real processes, for tests that may run them.
 *
 * @module
 */

const root = new URL("../../", import.meta.url);

/** Whether tests may start processes. `deno test --allow-net` may not. */
export const mayRun: boolean =
  (await Deno.permissions.query({ name: "run" })).state === "granted";

/** Whether tests may send signals. On Windows any signal kills the process. */
export const maySignal: boolean = mayRun && Deno.build.os !== "windows";

/** Whether Linux's script(1) is installed, which runs a program on a terminal. */
export const hasScript: boolean = mayRun && Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"], stdout: "null" })
    .output().then(({ success }) => success, () => false);

/** The exit status and the output of a process. */
export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

/** Arguments for `deno` that run a program with a permission. */
export function deno(
  program: "server.ts" | "client.ts",
  args: string[],
  permissions: string[] = ["--allow-net=127.0.0.1"],
): string[] {
  return ["run", "--no-prompt", ...permissions, program, ...args];
}

/** The same as a shell command. */
export function shell(args: string[]): string {
  return `'${Deno.execPath()}' ${args.join(" ")}`;
}

/** A process, by default of `deno`. Its output is read while it runs. */
export class Running implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly outcome: Promise<Outcome>;
  stdout = "";
  stderr = "";

  constructor(
    args: string[],
    { stdin = "null", program = Deno.execPath(), env, cwd = root }: {
      cwd?: string | URL;
      stdin?: "null" | "piped";
      program?: string;
      env?: Record<string, string>;
    } = {},
  ) {
    this.child = new Deno.Command(program, {
      args,
      cwd,
      env: { NO_COLOR: "1", ...env },
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.outcome = this.#collect();
  }

  async #collect(): Promise<Outcome> {
    const { stdout, stderr, status } = this.child;
    const collect = async (
      from: ReadableStream<Uint8Array>,
      to: "stdout" | "stderr",
    ) => {
      const decoder = new TextDecoder();
      for await (const chunk of from) {
        this[to] += decoder.decode(chunk, { stream: true });
      }
    };
    await Promise.all([collect(stdout, "stdout"), collect(stderr, "stderr")]);
    return {
      status: (await status).code,
      stdout: this.stdout,
      stderr: this.stderr,
    };
  }

  /** Resolves with the match once the output matches `pattern`. */
  async shows(
    pattern: RegExp,
    where: "stdout" | "stderr" = "stdout",
  ): Promise<RegExpMatchArray> {
    let ended = false;
    void this.outcome.then(() => ended = true);
    for (;;) {
      const match = this[where].match(pattern);
      if (match) return match;
      if (ended) {
        throw new Error(
          `Ended without ${pattern}: ${this.stdout}${this.stderr}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Kills the process if it is still running. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.outcome;
  }
}

/** Runs `deno` until it exits. */
export async function output(args: string[]): Promise<Outcome> {
  await using running = new Running(args);
  return await running.outcome;
}

/** Starts a server, or a proxy, on a free port. */
export async function startServer(
  args: string[] = [],
  permissions?: string[],
): Promise<{ running: Running; port: string }> {
  const running = new Running(
    deno("server.ts", ["--port", "0", ...args], permissions),
  );
  const [, port] = await running.shows(/Server listening on \S+:(\d+)[,\n]/);
  return { running, port: port! };
}
