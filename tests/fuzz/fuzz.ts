/**
 * Runs random scripts against echo servers and proxies, which run in a process of
 * their own, and checks what must hold in each: every byte is right, each
 * connection ends once, nothing is left open, and the process neither spins nor
 * prints an error.
 *
 * ```sh
 * deno task fuzz --seconds 60
 * deno task fuzz --seed 7 --script 12 # what a failure asks for
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { check, play } from "./play.ts";
import { percent, TestedProcess, within } from "./process.ts";
import { generate } from "./script.ts";

/** Scripts that run at the same time. */
const CONCURRENT = 16;
/** Scripts after which all that a process should have released is counted. */
const BATCH = 96;
/** Milliseconds in which a process without connections closes its sockets and rests. */
const QUIET_MS = 2_000;
/** Milliseconds between two looks at it. */
const TURN_MS = 400;
/** The share of a core below which it is quiet: garbage collection needs some. */
const QUIET_CPU = 0.2;
/** Milliseconds without an answer after which a process hangs or spins. */
const HANG_MS = 5_000;
/** The module of the tested process. */
const SERVER = new URL("./server.ts", import.meta.url);
const FLAGS =
  "--seed N, --seconds N, --connections N, --script N or N-M, --keep-going";

/** What to run. */
export interface FuzzOptions {
  seed: number;
  /** The numbers of the first and the last script. */
  first?: number;
  last?: number;
  /** Limits of the run. */
  seconds?: number;
  connections?: number;
  /** Goes on with other scripts after a failure. */
  keepGoing?: boolean;
  /** The module of the tested process. */
  module?: URL;
  /** Milliseconds of silence after which it is killed. */
  hangMs?: number;
  /** Called with each failure as it is found. */
  onFailure?: (failure: string) => void;
  /** Called after some scripts with what has run so far. */
  onProgress?: (result: FuzzResult) => void;
}

/** What a run has found. */
export interface FuzzResult {
  scripts: number;
  connections: number;
  failures: string[];
}

/** One thing that does not hold, in one of the scripts from `first` to `last`. */
interface Finding {
  what: string;
  first: number;
  last: number;
}

/** Runs scripts until a limit is reached. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, first = 0, last = Infinity, keepGoing = false } = options;
  const { seconds = Infinity, connections = Infinity } = options;
  const end = performance.now() + seconds * 1_000;
  const result: FuzzResult = { scripts: 0, connections: 0, failures: [] };
  const isOver = () =>
    performance.now() >= end || result.connections >= connections;
  for (let next = first; next <= last && !isOver(); next += BATCH) {
    const range = { first: next, last: Math.min(next + BATCH - 1, last) };
    const findings = await runBatch(options, { ...range, isOver, result });
    options.onProgress?.(result);
    for (const finding of findings) {
      const failure = describe(seed, await narrow(options, finding, range));
      result.failures.push(failure);
      options.onFailure?.(failure);
    }
    if (findings.length > 0 && !keepGoing) break;
  }
  return result;
}

/**
 * The same finding for the fewest scripts that fail again: by halves, and for
 * `all` scripts if those that are suspected do not.
 */
async function narrow(
  options: FuzzOptions,
  finding: Finding,
  all: { first: number; last: number },
): Promise<Finding> {
  const failsAgain = async (first: number, last: number) =>
    (await runBatch(options, { first, last })).some(isSame(finding));
  let { first, last } = finding;
  const isAll = first === all.first && last === all.last;
  if (!isAll && !await failsAgain(first, last)) return { ...finding, ...all };
  while (first < last) {
    const middle = (first + last) >> 1;
    if (await failsAgain(first, middle)) last = middle;
    else if (await failsAgain(middle + 1, last)) first = middle + 1;
    else break;
  }
  return { ...finding, first, last };
}

/** Whether a finding says the same, apart from numbers. */
function isSame({ what }: Finding): (other: Finding) => boolean {
  const kind = (text: string) => text.replace(/\d+/g, "N");
  return (other) => kind(other.what) === kind(what);
}

function describe(seed: number, { what, first, last }: Finding): string {
  const scripts = first === last ? `${first}` : `${first}-${last}`;
  const script = first === last
    ? `\n  ${JSON.stringify(generate(seed, first))}`
    : "";
  return `${what}${script}\n  deno task fuzz --seed ${seed} --script ${scripts}`;
}

/** Runs the scripts from `first` to `last` in one process. */
async function runBatch(
  { seed, hangMs = HANG_MS, module = SERVER }: FuzzOptions,
  { first, last, isOver = () => false, result }: {
    first: number;
    last: number;
    isOver?: () => boolean;
    result?: FuzzResult;
  },
): Promise<Finding[]> {
  await using process = new TestedProcess(module, hangMs);
  const findings: Finding[] = [];
  const running = new Set<number>();
  // Few scripts run several times, so that what needs a busy process shows again.
  const scripts = last - first + 1;
  const plays = Math.max(scripts, CONCURRENT);
  let next = 0;
  const work = async () => {
    while (next < plays && !isOver() && !process.failure) {
      const number = first + next++ % scripts;
      const script = generate(seed, number);
      running.add(number);
      if (result) result.scripts++;
      if (result) result.connections += script.clients.length;
      const add = (what: string) => {
        what = `script ${number}: ${what}`;
        const finding = { what, first: number, last: number };
        // One of many clients is enough.
        const isKnown = findings.filter(({ first }) => first === number)
          .some(isSame(finding));
        if (!isKnown) findings.push(finding);
      };
      try {
        (await check(process, script)).forEach(add);
      } catch (error) {
        if (process.failure) return;
        add(String(error));
      }
      running.delete(number);
    }
  };
  const sockets = await warmUp(process);
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  const suspects = running.size === 0
    ? { first, last: first + Math.min(next, scripts) - 1 }
    : { first: Math.min(...running), last: Math.max(...running) };
  const general = await checkProcess(process, sockets);
  // What a process no longer did once it failed is no other finding.
  if (process.failure) findings.length = 0;
  return [...findings, ...general.map((what) => ({ what, ...suspects }))];
}

/** Loads all that a server loads once, and returns how many sockets it has then. */
async function warmUp(process: TestedProcess): Promise<number> {
  const upstream = {
    does: "echo",
    reply: 0,
    ends: "close",
    tls: true,
  } as const;
  await play(process, {
    tls: true,
    upstream,
    faults: [{
      faults: { latency: 1 },
      direction: "both",
      effects: ["delays"],
    }],
    changes: [],
    clients: [[{ do: "write", bytes: 1 }, { do: "close" }]],
    stop: { how: "shutdown", grace: 0 },
  });
  return await process.sockets();
}

/** What is wrong with the process, once all servers have finished. */
async function checkProcess(
  process: TestedProcess,
  sockets: number,
): Promise<string[]> {
  if (process.failure) return [process.failure];
  const found: string[] = [];
  const late = await process.call<number>("late");
  if (late > 0) found.push(`${late} servers have served after their end`);
  let more = 0;
  const areClosed = async () => (more = await process.sockets() - sockets) <= 0;
  if (!await within(QUIET_MS, areClosed, TURN_MS)) {
    found.push(`${more} sockets more than before`);
  }
  let cpu = 1;
  const isQuiet = async () => (cpu = await process.cpu()) <= QUIET_CPU;
  if (!await within(QUIET_MS, isQuiet, TURN_MS)) {
    found.push(`${percent(cpu)} CPU without a connection`);
  }
  if (process.stderr !== "") found.push(`stderr: ${process.stderr}`);
  return process.failure ? [process.failure] : found;
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["seed", "script", "seconds", "connections"],
    boolean: ["keep-going", "help"],
    unknown: (flag) => refuse(`unknown argument ${flag}`),
  });
  const number = (name: "seed" | "seconds" | "connections") => {
    const value = flags[name];
    if (value === undefined) return undefined;
    return /^\d+$/.test(value) ? Number(value) : refuse(`--${name} ${value}`);
  };
  const [, first, last = first] = flags.script?.match(/^(\d+)(?:-(\d+))?$/) ??
    [];
  if (flags.script !== undefined && !first) refuse(`--script ${flags.script}`);
  const seed = number("seed") ?? Math.floor(Math.random() * 1_000_000);
  const connections = number("connections");
  const seconds = number("seconds") ?? (connections || first ? Infinity : 60);
  console.log(`seed ${seed}`);
  const done = ({ connections, scripts }: FuzzResult) =>
    `${connections} connections in ${scripts} scripts`;
  const result = await fuzz({
    seed,
    seconds,
    ...(connections ? { connections } : {}),
    ...(first ? { first: Number(first), last: Number(last) } : {}),
    keepGoing: flags["keep-going"],
    onFailure: (failure) => console.log(`FAILED: ${failure}`),
    onProgress: (result) => console.error(done(result)),
  });
  console.log(`${done(result)}, ${result.failures.length} failures`);
  if (result.failures.length > 0) Deno.exit(1);
}

function refuse(what: string): never {
  console.error(`${what}: the flags are ${FLAGS}`);
  Deno.exit(2);
}

if (import.meta.main) await main();
