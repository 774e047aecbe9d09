/**
 * Our server beside others, turn about in one run, each loaded by our own client.
 *
 * ```sh
 * deno task bench
 * deno task bench --rounds 1 --duration 1s
 * ```
 *
 * Every figure is the median of the rounds. Absolute figures drift with the
 * machine and the hour: what to quote is a ratio.
 *
 * @module
 */

import { connect } from "../../lib/echo.ts";
import { flag, toggle, UsageError, type Values } from "../../lib/flags.ts";
import type { LoadSummary } from "../../lib/load.ts";
import { type Program, run } from "../../lib/program.ts";
import { integer, positiveDuration, text } from "../../lib/values.ts";
import { closedPort } from "../peers.ts";
import { type Figures, table, type Workload } from "./report.ts";
import { type Contender, contenders, root, said } from "./servers.ts";

const WORKLOADS: readonly Workload[] = [
  { connections: 1, size: 512 },
  { connections: 50, size: 512 },
  { connections: 500, size: 512 },
  { connections: 2_000, size: 512 },
  { connections: 16, size: 65_536 },
];

/** Connections that have said something once, to see what one costs. */
const IDLE = 2_000;

/** Clock ticks a second, in which Linux counts CPU time (sysconf(3)). */
const TICKS = 100;

const flags = {
  rounds: flag(
    integer("N", 1, 99),
    "times that each is measured (default 3)",
    3,
  ),
  duration: flag(positiveDuration, "time for each load (default 3s)", 3_000),
  only: flag(text("NAMES", "names with commas between"), "only these servers"),
  json: toggle("figures of each round as JSON, a line each"),
};

const program: Program<typeof flags> = {
  name: "bench",
  summary: "measures the echo server beside others",
  flags,
  notes: `Results go to stdout, progress to stderr. Left out are servers whose
language is not installed, CPU time but on Linux, and memory where there is no ps.
Exit status: 0 measured, 1 failed, 2 wrong usage.`,
};

/** A server that runs, and what it has used. */
interface Subject extends AsyncDisposable {
  port: number;
  /** Resident memory in bytes, or NaN where `ps` cannot tell. */
  memory(): Promise<number>;
  /** Seconds of CPU, or NaN where there is no /proc. */
  cpu(): Promise<number>;
}

/** Puts a command on one core, where the machine has two and can do so. */
const pinned = await said("taskset", ["-c", "1", "true"]) !== undefined;
const on = (core: number, command: string[]) =>
  pinned ? ["taskset", "-c", `${core}`, ...command] : command;

async function start(contender: Contender): Promise<Subject> {
  const port = closedPort();
  const [command, ...args] = on(0, contender.command(port));
  const child = new Deno.Command(command!, { args, stdout: "null" }).spawn();
  const subject: Subject = {
    port,
    async memory() {
      const kilobytes = await said("ps", ["-o", "rss=", "-p", `${child.pid}`]);
      return Number(kilobytes ?? NaN) * 1_024;
    },
    async cpu() {
      const stat = await said("cat", [`/proc/${child.pid}/stat`]);
      // The 14th and 15th field (proc(5)); the 2nd may hold spaces.
      const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    },
  };
  try {
    (await connect({ port, wait: 30_000 })).close();
    return subject;
  } catch (error) {
    await subject[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs our client's load mode as its users do. */
async function load(
  subject: Subject,
  { connections, size }: Workload,
  duration: number,
): Promise<LoadSummary> {
  const [command, ...args] = on(1, [
    ...[Deno.execPath(), "run", "--quiet"],
    ...[`--allow-net=127.0.0.1:${subject.port}`, "client.ts"],
    ...["--load", "--json", "--port", `${subject.port}`],
    ...["--connections", `${connections}`, "--size", `${size}`],
    ...["--duration", `${duration}ms`],
  ]);
  const { stdout } = await new Deno.Command(command!, {
    args,
    cwd: root,
    stderr: "inherit",
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const summary = JSON.parse(lines.at(-1) || "{}");
  if (summary.event !== "summary") {
    throw new Error(`Cannot measure: the client ended without a summary`);
  }
  return summary;
}

async function measure(
  contender: Contender,
  workload: Workload,
  duration: number,
): Promise<Figures> {
  await using subject = await start(contender);
  const before = await subject.cpu();
  const summary = await load(subject, workload, duration);
  const cpu = await subject.cpu() - before;
  const { messagesPerSecond, latency, fairness, starved, errors } = summary;
  return {
    messagesPerSecond,
    cpu: cpu / summary.messages * 1e6,
    p50: latency.p50,
    p99: latency.p99,
    p999: latency.p999,
    fairness,
    starved,
    errors: Object.values(errors).reduce((sum, count) => sum + count, 0),
    memory: await subject.memory() / 1e6,
  };
}

/** What a connection costs that has been served, and is silent since. */
async function measureIdle(contender: Contender): Promise<Figures> {
  await using subject = await start(contender);
  const before = await subject.memory();
  const conns: Deno.Conn[] = [];
  try {
    for (let i = 0; i < IDLE; i++) {
      const conn = await connect({ port: subject.port });
      conns.push(conn);
      await conn.write(new Uint8Array(1));
      await conn.read(new Uint8Array(1));
    }
    const memory = await subject.memory();
    return { memory: memory / 1e6, perIdle: (memory - before) / IDLE / 1e3 };
  } finally {
    for (const conn of conns) conn.close();
  }
}

/** @throws {UsageError} that names the one that is not there. */
function choose(found: Contender[], only?: string): Contender[] {
  const names = found.map(({ name }) => name);
  const wanted = only?.split(",") ?? names;
  for (const name of wanted) {
    if (names.includes(name)) continue;
    throw new UsageError(
      `Cannot measure "${name}": expected ${names.join(", ")}`,
    );
  }
  return found.filter(({ name }) => wanted.includes(name));
}

async function main(
  { rounds, duration, only, json }: Values<typeof flags>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const all = choose(await contenders(folder), only);
    const workloads = [...WORKLOADS, { connections: IDLE, size: 0 }];
    const figures = new Map<Workload, Map<string, Figures[]>>();
    let left = rounds * workloads.length * all.length;
    for (let round = 0; round < rounds; round++) {
      for (const workload of workloads) {
        const { connections, size } = workload;
        const of = figures.get(workload) ?? new Map<string, Figures[]>();
        figures.set(workload, of);
        // Nobody is always the first, nor always after the same one.
        const turn = all.map((_, i) => all[(i + round) % all.length]!);
        for (const contender of turn) {
          const { name } = contender;
          console.error(
            `${left--} to go: round ${
              round + 1
            } of ${rounds}, ${name}, ${connections} connections of ${size} bytes`,
          );
          const result = size === 0
            ? await measureIdle(contender)
            : await measure(contender, workload, duration);
          of.set(name, [...of.get(name) ?? [], result]);
          if (json) {
            console.log(
              JSON.stringify({ round, name, ...workload, ...result }),
            );
          }
        }
      }
    }
    if (json) return;
    for (const { name, version } of all) console.log(`${name}: ${version}`);
    console.log(
      `\n${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} cores, ${
        pinned ? "server and client on one each" : "shared by all"
      }; median of ${rounds}; × is ours over theirs`,
    );
    for (const [workload, of] of figures) {
      console.log(`\n${table(workload, of)}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await run(program, main);
