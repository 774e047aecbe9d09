/**
 * The tested process, and the watchdog outside it: a server that spins never again
 * runs a timer of its own.
 *
 * @module
 */

/** Milliseconds between two questions of the watchdog. */
const ASK_MS = 250;
/** Ticks of CPU time a second, in /proc (Linux's USER_HZ, the same everywhere). */
const TICKS_PER_SECOND = 100;
/** Milliseconds over which the CPU time is measured. */
const CPU_MS = 200;

/** A child process that answers lines of JSON. */
export class TestedProcess implements AsyncDisposable {
  /** Why it is of no more use, as soon as that is known. */
  failure: string | undefined;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #ended: Promise<void>;
  #count = 0;
  #stderr = "";
  readonly #watchdog: ReturnType<typeof setInterval>;

  /** Starts a module. It is killed if it is silent for `hangMs`. */
  constructor(module: URL, hangMs: number) {
    this.#child = new Deno.Command("deno", {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--allow-net=127.0.0.1",
        module.href,
      ],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#ended = Promise.all([
      this.#read(this.#child.stdout, (line) => {
        const { call, result, error } = JSON.parse(line);
        const { resolve, reject } = this.#calls.get(call)!;
        this.#calls.delete(call);
        error === undefined ? resolve(result) : reject(new Error(error));
      }),
      this.#read(this.#child.stderr, (line) => this.#stderr += `${line}\n`),
      this.#child.status.then(({ code, signal }) =>
        this.#fail(`the process ended (${signal ?? code}): ${this.#stderr}`)
      ),
    ]).then(() => {});
    let asked: number | undefined;
    this.#watchdog = setInterval(() => {
      if (asked !== undefined && performance.now() - asked > hangMs) {
        clearInterval(this.#watchdog);
        void this.#kill(hangMs);
      } else if (asked === undefined) {
        asked = performance.now();
        void this.call("hello").then(() => asked = undefined, () => {});
      }
    }, ASK_MS);
  }

  /** Calls a function of the process. Rejects if the process fails. */
  call<T>(name: string, of: object = {}): Promise<T> {
    const call = this.#count++;
    const answer = Promise.withResolvers<unknown>();
    if (this.failure !== undefined) answer.reject(new Error(this.failure));
    else {
      this.#calls.set(call, answer);
      const line = JSON.stringify({ call, name, ...of });
      this.#stdin.write(new TextEncoder().encode(line + "\n")).catch(() => {});
    }
    return answer.promise as Promise<T>;
  }

  /** What it has written to stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Files that it has open, or 0 where there is no /proc. */
  async files(): Promise<number> {
    return (await output("ls", `/proc/${this.#child.pid}/fd`))
      .split("\n").length;
  }

  /** The share of a core that it needs, from 0 on. */
  async cpu(): Promise<number> {
    const before = await this.#ticks();
    await sleep(CPU_MS);
    const ticks = await this.#ticks() - before;
    return ticks / TICKS_PER_SECOND / (CPU_MS / 1_000);
  }

  async #ticks(): Promise<number> {
    const stat = await output("cat", `/proc/${this.#child.pid}/stat`);
    // Fields 14 and 15, user and system time, counted behind the name.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }

  async #kill(after: number): Promise<void> {
    const cpu = Math.round(100 * await this.cpu());
    const does = cpu > 50 ? "spins" : "hangs";
    this.#fail(`the process ${does}: no answer for ${after} ms, ${cpu} % CPU`);
    this.#child.kill("SIGKILL");
  }

  #fail(why: string): void {
    this.failure ??= why;
    for (const { reject } of this.#calls.values()) {
      reject(new Error(this.failure));
    }
    this.#calls.clear();
  }

  async #read(from: ReadableStream<Uint8Array>, on: (line: string) => void) {
    let rest = "";
    for await (const text of from.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      lines.forEach(on);
    }
    if (rest !== "") on(rest);
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watchdog);
    this.failure ??= "the process was stopped";
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#stdin.close().catch(() => {});
    await this.#ended;
  }
}

async function output(command: string, path: string): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args: [path] }).output();
  return new TextDecoder().decode(stdout);
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Whether a condition comes true within `ms`. It counts its own turns, so that the
 * time stretches where the machine is too busy to turn.
 */
export async function within(
  ms: number,
  condition: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const TURN_MS = 10;
  for (let turns = Math.ceil(ms / TURN_MS); turns >= 0; turns--) {
    if (await condition()) return true;
    await sleep(TURN_MS);
  }
  return false;
}
