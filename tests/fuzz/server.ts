/**
 * The process under test. It runs the servers of scripts, as lines of JSON on stdin
 * say, and answers each line with one on stdout.
 *
 * @module
 */

import {
  type ClosedConnection,
  type EchoServer,
  serve,
  type ServeOptions,
} from "../../lib/echo.ts";
import { proxy } from "../../lib/proxy.ts";
import { ca, cert, key } from "../support/certificates.ts";
import { lines } from "./process.ts";
import { type Change, type Script, toFaults } from "./script.ts";

/** Replaces the options of every server: a test plants its failures with it. */
export type Plant = (
  options: ServeOptions,
  upstreamPort: number | undefined,
) => ServeOptions;

/** The server of a script, and what its callbacks have counted. */
class Subject {
  readonly server: EchoServer;
  readonly #abort = new AbortController();
  readonly #script: Script;
  readonly #problems: string[] = [];
  #opened = 0;
  #closed = 0;

  constructor(script: Script, upstreamPort: number, plant: Plant) {
    const { tls, upstream, faults, changes, stop } = this.#script = script;
    const options = plant({
      port: 0,
      grace: stop.grace,
      signal: this.#abort.signal,
      ...(tls ? { cert, key } : {}),
      faults: toFaults(faults, !!upstream) as never,
      onOpen: () => {
        if (++this.#opened === stop.onOpen) this.#stop();
      },
      onClose: (connection) => {
        this.#closed++;
        this.#checkCounts(connection);
      },
    }, upstreamPort);
    const secure = upstream?.tls ? { tls: true, caCerts: [ca] } : {};
    this.server = upstream
      ? proxy({ ...options, upstream: { port: upstreamPort, ...secure } })
      : serve(options);
    for (const change of changes) {
      setTimeout(() => this.#change(change), change.at);
    }
    if (stop.at !== undefined) setTimeout(() => this.#stop(), stop.at);
  }

  /** Whether connections were opened after the end. */
  get isLate(): boolean {
    return this.#opened !== this.#closed;
  }

  /** Stops the server, and returns what is wrong with it. */
  async finish(): Promise<string[]> {
    this.#stop();
    const { open, accepted } = await this.server.finished;
    const counts = [accepted, this.#opened, this.#closed];
    if (open !== 0 || new Set(counts).size > 1) {
      const [accepted, opened, closed] = counts;
      this.#problems.push(
        `finished with ${open} open: ${accepted} accepted, ` +
          `${opened} calls of onOpen, ${closed} of onClose`,
      );
    }
    return this.#problems;
  }

  #stop(): void {
    if (this.#script.stop.how === "abort") this.#abort.abort();
    else void this.server.shutdown();
  }

  #change(change: Change): void {
    const faults = toFaults(change.faults, !!this.#script.upstream) as never;
    if (change.lasts === undefined) return this.server.setFaults(faults);
    const scope = this.server.injectFaults(faults);
    setTimeout(() => scope[Symbol.dispose](), change.lasts);
  }

  #checkCounts(connection: ClosedConnection): void {
    const { bytesRead, bytesWritten, upstream, reason } = connection;
    const counts = [bytesRead, bytesWritten];
    if (upstream) counts.push(upstream.bytesRead, upstream.bytesWritten);
    const isFaulty = [this.#script, ...this.#script.changes]
      .some(({ faults }) => faults.length > 0);
    if (
      !counts.every((count) => count >= 0) ||
      !isFaulty && !upstream && bytesWritten > bytesRead
    ) this.#problems.push(`counts ${counts} of a connection (${reason})`);
  }
}

/** Answers the lines on stdin until it ends. */
export async function answer(
  plant: Plant = (options) => options,
): Promise<void> {
  const subjects = new Map<number, Subject>();
  // deno-lint-ignore no-explicit-any
  const calls: Record<string, (of: any) => unknown> = {
    ping: () => null,
    start({ id, script, upstreamPort }) {
      const subject = new Subject(script, upstreamPort, plant);
      subjects.set(id, subject);
      return subject.server.addr.port;
    },
    finish: ({ id }) => subjects.get(id)!.finish(),
    late: () => [...subjects.values()].filter(({ isLate }) => isLate).length,
  };
  for await (const line of lines(Deno.stdin.readable)) {
    const { call, name, of } = JSON.parse(line);
    void new Promise((resolve) => resolve(calls[name]!(of))).then(
      (result) => ({ call, result }),
      (error) => ({ call, error: String(error) }),
    ).then((reply) => console.log(JSON.stringify(reply)));
  }
}

if (import.meta.main) await answer();
