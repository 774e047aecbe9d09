/**
 * The process under test, and the watchdog outside it: a process that spins runs
 * no timer of its own.
 *
 * @module
 */

/** Milliseconds between two questions of the watchdog. */
const ASK_MS = 250;
/** Milliseconds over which CPU time is measured. */
const CPU_MS = 200;
/** Milliseconds of a tick of CPU time in /proc (USER_HZ is 100 everywhere). */
const TICK_MS = 10;

/** A child process that answers lines of JSON. Needs Linux's /proc. */
export class TestedProcess implements AsyncDisposable {
  /** Why it is of no more use, as soon as that is known. */
  failure: string | undefined;
  /** What it has written to stderr. */
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #calls: PromiseWithResolvers<unknown>[] = [];
  readonly #watchdog: ReturnType<typeof setInterval>;
  readonly #ended: Promise<unknown>;

  /** Starts a module. It is killed if it gives no answer for `hangMs`. */
  constructor(module: URL, hangMs: number) {
    this.#child = new Deno.Command("deno", {
      args: ["run", "--no-prompt", "--allow-net=127.0.0.1", module.href],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { stdin, status } = this.#child;
    this.#stdin = stdin.getWriter();
    const ended = status.then(({ code, signal }) => signal ?? `code ${code}`);
    this.#ended = Promise.all([this.#readReplies(), this.#readErrors()])
      .then(async () => this.#fail(`the process ended: ${await ended}`));
    let askedAt: number | undefined;
    this.#watchdog = setInterval(() => {
      if (askedAt === undefined) {
        askedAt = performance.now();
        void this.call("ping").then(() => askedAt = undefined, () => {});
      } else if (performance.now() - askedAt > hangMs) {
        clearInterval(this.#watchdog);
        void this.#kill(hangMs);
      }
    }, ASK_MS);
  }

  /** Calls a function of the process. Rejects if the process fails. */
  call<T>(name: string, of: object = {}): Promise<T> {
    const reply = Promise.withResolvers<unknown>();
    const call = this.#calls.push(reply) - 1;
    if (this.failure) reject(reply, this.failure);
    const line = `${JSON.stringify({ call, name, of })}\n`;
    this.#stdin.write(new TextEncoder().encode(line)).catch(() => {});
    return reply.promise as Promise<T>;
  }

  /** The number of its sockets, without those that the runtime has for itself. */
  async sockets(): Promise<number> {
    const files = await output("ls", "-l", `/proc/${this.#child.pid}/fd`);
    const unix = new Set((await output("cat", "/proc/net/unix")).split(/\s+/));
    return [...files.matchAll(/socket:\[(\d+)\]/g)]
      .filter(([, inode]) => !unix.has(inode!)).length;
  }

  /** The share of a core that it needs: 1 if it spins. */
  async cpu(): Promise<number> {
    const ticks = async () => {
      const stat = await output("cat", `/proc/${this.#child.pid}/stat`);
      // The 14th and the 15th field: user and system time.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(fields[11]) + Number(fields[12]);
    };
    const before = await ticks();
    await sleep(CPU_MS);
    return (await ticks() - before) * TICK_MS / CPU_MS;
  }

  async #readReplies(): Promise<void> {
    for await (const line of lines(this.#child.stdout)) {
      const { call, result, error } = JSON.parse(line);
      if (error === undefined) this.#calls[call]!.resolve(result);
      else reject(this.#calls[call]!, error);
    }
  }

  async #readErrors(): Promise<void> {
    for await (const line of lines(this.#child.stderr)) {
      this.stderr += `${line}\n`;
    }
  }

  async #kill(after: number): Promise<void> {
    const cpu = await this.cpu();
    const what = cpu > 0.5 ? "spins" : "hangs";
    this.#fail(
      `the process ${what}: no answer for ${after} ms, ${percent(cpu)} CPU`,
    );
    this.#end();
  }

  #fail(why: string): void {
    clearInterval(this.#watchdog);
    this.failure ??= `${why}\n${this.stderr}`.trim();
    for (const reply of this.#calls) reject(reply, this.failure);
  }

  #end(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watchdog);
    this.#end();
    await this.#ended;
    await this.#stdin.close().catch(() => {});
  }
}

/** Rejects without the claim that somebody waits. */
function reject(reply: PromiseWithResolvers<unknown>, why: string): void {
  reply.promise.catch(() => {});
  reply.reject(new Error(why));
}

async function output(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args }).output();
  return new TextDecoder().decode(stdout);
}

/** The lines of a stream. */
export async function* lines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + text).split("\n");
    rest = whole.pop()!;
    yield* whole;
  }
  if (rest !== "") yield rest;
}

/** A share as text. */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Whether a condition comes true within `ms`. It counts turns of `turn` ms, so that
 * the time stretches where the machine is too busy to turn.
 */
export async function within(
  ms: number,
  condition: () => boolean | Promise<boolean>,
  turn = 10,
): Promise<boolean> {
  for (let turns = ms / turn; turns >= 0; turns--) {
    if (await condition()) return true;
    await sleep(turn);
  }
  return false;
}
