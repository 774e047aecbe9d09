/**
 * The process that the fuzz tests. It starts and stops servers as lines of JSON on
 * stdin say, and answers each with a line on stdout: the driver outside it notices
 * when it no longer does.
 *
 * @module
 */

import {
  type ClosedConnection,
  serve,
  type ServeOptions,
} from "../../lib/echo.ts";
import { proxy, type ProxyServer } from "../../lib/proxy.ts";
import { ca, cert, key } from "../support/certificates.ts";
import type { Script, Setting } from "./script.ts";

/** A server of a script. */
interface Running {
  server: ProxyServer;
  abort: AbortController;
  opened: number;
  closed: number;
  problems: string[];
}

/** Changes the options of every server: a test plants failures with it. */
export type Plant = (options: ServeOptions) => ServeOptions;

const running = new Map<number, Running>();

function start(
  id: number,
  plant: Plant,
  script: Script,
  port: number,
): unknown {
  const { tls, upstream, stop, start: { faults, effects } } = script;
  const abort = new AbortController();
  const calm = effects.length === 0 && script.changes.length === 0 && !upstream;
  const state = { abort, opened: 0, closed: 0, problems: [] as string[] };
  const options = plant({
    port: 0,
    grace: stop.grace,
    signal: abort.signal,
    ...(tls ? { cert, key } : {}),
    onOpen() {
      state.opened++;
      if (state.opened === stop.onOpen) halt(entry, stop.how);
    },
    onClose(connection) {
      state.closed++;
      state.problems.push(...wrongCounts(connection, calm));
    },
    faults: faults as ServeOptions["faults"],
  });
  const server = upstream
    ? proxy({
      ...options,
      upstream: {
        port,
        ...(upstream.tls ? { tls: true, caCerts: [ca] } : {}),
      },
    })
    : serve(options);
  const entry: Running = Object.assign(state, { server });
  running.set(id, entry);
  return { port: server.addr.port };
}

/** What is impossible in the counts of a connection. */
function wrongCounts(connection: ClosedConnection, calm: boolean): string[] {
  const { bytesRead, bytesWritten, upstream, reason } = connection;
  const counts = [bytesRead, bytesWritten];
  if (upstream) counts.push(upstream.bytesRead, upstream.bytesWritten);
  const wrong = counts.some((n) => !(n >= 0)) ||
    calm && bytesWritten > bytesRead;
  return wrong ? [`impossible counts ${counts} (${reason})`] : [];
}

function halt({ server, abort }: Running, how: "shutdown" | "abort"): void {
  if (how === "abort") abort.abort();
  else void server.shutdown();
}

function change(
  { server }: Running,
  { faults, until }: Setting & { until?: number },
) {
  if (until === undefined) return server.setFaults(faults as never);
  const scope = server.injectFaults((faults ?? {}) as never);
  setTimeout(() => scope[Symbol.dispose](), until);
}

/** Waits for the end of a server, and returns what is wrong with it. */
async function finish(state: Running): Promise<string[]> {
  const { open, accepted } = await state.server.finished;
  const { opened, closed, problems } = state;
  if (open !== 0) problems.push(`${open} open when finished`);
  if (opened !== accepted || closed !== opened) {
    problems.push(`${accepted} accepted, ${opened} onOpen, ${closed} onClose`);
  }
  return problems;
}

/** Answers the lines on stdin until it ends. */
export async function answer(
  plant: Plant = (options) => options,
): Promise<void> {
  // deno-lint-ignore no-explicit-any
  const calls: Record<string, (id: number, of: any) => unknown> = {
    hello: () => ({ pid: Deno.pid }),
    start: (id, { script, upstreamPort }) =>
      start(id, plant, script, upstreamPort),
    change: (id, setting) => change(running.get(id)!, setting),
    stop: (id, { how }) => halt(running.get(id)!, how),
    finish: (id) => finish(running.get(id)!),
    /** How many servers have opened connections after their end. */
    late: () =>
      [...running.values()].filter(({ opened, closed }) => opened !== closed)
        .length,
  };
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of lines) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) {
      const { call, name, id, ...of } = JSON.parse(line);
      void (async () => {
        let result, error;
        try {
          result = await calls[name]!(id, of);
        } catch (cause) {
          error = String(cause);
        }
        console.log(JSON.stringify({ call, result, error }));
      })();
    }
  }
}

if (import.meta.main) await answer();
