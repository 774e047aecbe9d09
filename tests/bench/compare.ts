/**
 * Compares the echo server with others, in one run and by turns. The load is that
 * of the client's load mode.
 *
 * ```sh
 * deno task bench
 * deno task bench --rounds 1 --duration 1s
 * deno task bench --proxies
 * ```
 *
 * Each result is the median of the rounds. Absolute values vary with the machine
 * and from hour to hour. Quote ratios.
 *
 * @module
 */

import { connect } from "../../lib/echo.ts";
import {
  type Flags,
  type Program,
  UsageError,
  type Values,
} from "../../lib/cli/flag_table.ts";
import type { LoadSummary } from "../../lib/load.ts";
import { run } from "../../lib/cli/program.ts";
import { integer, SPAN, SWITCH, text } from "../../lib/cli/flag_types.ts";
import { closedPort } from "../support/peers.ts";
import { type Results, table, type Workload } from "./report.ts";
import { proxies } from "./proxies.ts";
import { type Contender, contenders, outputOf, root } from "./servers.ts";

const WORKLOADS: readonly Workload[] = [
  { connections: 1, size: 512 },
  { connections: 50, size: 512 },
  { connections: 500, size: 512 },
  { connections: 2_000, size: 512 },
  { connections: 16, size: 65_536 },
];

/** Idle connections, whose memory is measured. */
const IDLE = 2_000;

/** Clock ticks per second, the unit of CPU time on Linux (sysconf(3)). */
const TICKS = 100;

const DEFAULT_ROUNDS = 3;
const DEFAULT_DURATION_MS = 3_000;

const NAMES = text("NAMES", "names separated by commas");

const flags = {
  rounds: [integer("N", 1, 99), "rounds of measurements", DEFAULT_ROUNDS],
  duration: [SPAN, "length of each load", `${DEFAULT_DURATION_MS / 1_000}s`],
  proxies: [SWITCH, "compare proxies in front of an echo server instead"],
  only: [NAMES, "only these servers"],
  json: [SWITCH, "print the results of each round as JSON, one object a line"],
} satisfies Flags;

const program: Program<typeof flags> = {
  name: "bench",
  usage: "[FLAGS]",
  summary: "Compares the echo server with others.",
  flags,
  groups: { Flags: flags },
  needs: [],
  conflicts: [],
  notes:
    `Results go to stdout, progress to stderr. Servers whose language is not
installed are left out. CPU time needs Linux, and memory needs ps.
Exit status: 0 for success, 1 after a failure, 2 for wrong usage.`,
};

/** The core of what is measured, and that of the load and an upstream. */
const SERVER_CORE = 0, CLIENT_CORE = 1;

/** A running server, and the resources that it uses. */
interface Subject extends AsyncDisposable {
  port: number;
  /** Resident memory in bytes, or NaN without `ps`. */
  memory(): Promise<number>;
  /** CPU time in seconds, or NaN without /proc. */
  cpu(): Promise<number>;
}

/** Whether commands can be pinned to one of two cores. */
const pinned = await outputOf("taskset", ["-c", "1", "true"]) !== undefined;
const pin = (core: number, command: string[]) =>
  pinned ? ["taskset", "-c", `${core}`, ...command] : command;

async function start(
  contender: Contender,
  core = SERVER_CORE,
): Promise<Subject> {
  const port = closedPort();
  const [command, ...args] = pin(core, contender.command(port));
  const child = new Deno.Command(command!, { args, stdout: "null" }).spawn();
  const subject: Subject = {
    port,
    async memory() {
      if (contender.forks) return NaN;
      const kilobytes = await outputOf("ps", [
        "-o",
        "rss=",
        "-p",
        `${child.pid}`,
      ]);
      return Number(kilobytes ?? NaN) * 1_024;
    },
    async cpu() {
      if (contender.forks) return NaN;
      const stat = await outputOf("cat", [`/proc/${child.pid}/stat`]);
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

/** Runs the client's load mode as a process. */
async function load(
  subject: Subject,
  { connections, size }: Workload,
  duration: number,
): Promise<LoadSummary> {
  const [command, ...args] = pin(CLIENT_CORE, [
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
): Promise<Results> {
  await using subject = await start(contender);
  const before = await subject.cpu();
  const summary = await load(subject, workload, duration);
  const cpu = await subject.cpu() - before;
  const { received, receivedPerSecond, latency, fairness, starved, errors } =
    summary;
  // A run of seconds has all of them.
  return {
    receivedPerSecond: receivedPerSecond!,
    cpu: cpu / received * 1e6,
    p50: latency.p50!,
    p99: latency.p99!,
    "p99.9": latency["p99.9"]!,
    fairness: fairness!,
    starved: starved!,
    errors: Object.values(errors).reduce((sum, count) => sum + count, 0),
    memory: await subject.memory() / 1e6,
  };
}

/** Measures the memory of connections that are idle after one message. */
async function measureIdle(contender: Contender): Promise<Results> {
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

/** @throws {UsageError} that names an unknown server. */
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
  {
    rounds = DEFAULT_ROUNDS,
    duration = DEFAULT_DURATION_MS,
    only,
    json,
    proxies: compareProxies,
  }: Values<typeof flags>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const servers = await contenders(folder);
    // The fastest of them, so that it is not what is measured.
    await using upstream = compareProxies
      ? await start(servers.at(-1)!, CLIENT_CORE)
      : undefined;
    const found = upstream ? await proxies(folder, upstream.port) : servers;
    const all = choose(found, only);
    const workloads = [...WORKLOADS, { connections: IDLE, size: 0 }];
    const results = new Map<Workload, Map<string, Results[]>>();
    let left = rounds * workloads.length * all.length;
    for (let round = 0; round < rounds; round++) {
      for (const workload of workloads) {
        const { connections, size } = workload;
        const of = results.get(workload) ?? new Map<string, Results[]>();
        results.set(workload, of);
        // The order rotates, so that no server is always first.
        const order = all.map((_, i) => all[(i + round) % all.length]!);
        for (const contender of order) {
          const { name } = contender;
          console.error(
            `${left--} left: round ${
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
        pinned ? "one each for server and client" : "shared"
      }; median of ${rounds}; × is this server over the other`,
    );
    for (const [workload, of] of results) {
      console.log(`\n${table(workload, of)}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await run(program, { main, advise: () => undefined });
