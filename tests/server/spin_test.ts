import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { utf8, write } from "../support/peers.ts";
import {
  mayRun,
  maySignal,
  Running,
  startServer,
} from "../support/processes.ts";
import { within } from "../support/sessions.ts";

/** Milliseconds after which a process counts as hung, and is killed. */
const WATCHDOG_MS = 20_000;

/** In a process of its own, since a test cannot interrupt a loop without a turn. */
function script(lines: string): string {
  const lib = (name: string) =>
    new URL(`../../lib/${name}.ts`, import.meta.url);
  return `
    import { connect, serve } from "${lib("echo")}";
    import { proxy } from "${lib("proxy")}";
    const byte = new Uint8Array(1);
    const turns = async (condition) => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    ${lines}
    console.log("done");
    Deno.exit(0);
  `;
}

const faults = "{ reset: 0, latency: 200 }";
const scripts: Record<string, string> = {
  "a scope that ends while a byte is delayed": `
    {
      await using server = serve({ port: 0, grace: 500, faults: ${faults} });
      const conn = await connect({ port: server.addr.port });
      await conn.write(byte);
      await turns(() => server.stats().bytesRead === 1);
    }`,
  "a shutdown of a proxy while a byte is delayed": `
    await using upstream = serve({ port: 0, grace: 0 });
    {
      await using server = proxy({
        port: 0,
        grace: 500,
        upstream: { port: upstream.addr.port },
        faults: { downstream: ${faults}, upstream: ${faults} },
      });
      const conn = await connect({ port: server.addr.port });
      await conn.write(byte);
      await turns(() => server.stats().bytesRead === 1);
    }`,
  "an abort while a byte is delayed": `
    const controller = new AbortController();
    const { signal } = controller;
    const server = serve({ port: 0, signal, faults: ${faults} });
    const conn = await connect({ port: server.addr.port });
    await conn.write(byte);
    await turns(() => server.stats().bytesRead === 1);
    controller.abort();
    await server.finished;`,
  "faults that change while a byte is delayed, and a client that leaves": `
    await using server = serve({ port: 0, grace: 500, faults: ${faults} });
    const conn = await connect({ port: server.addr.port });
    await conn.write(byte);
    await turns(() => server.stats().bytesRead === 1);
    server.setFaults({ stall: 0, reset: 0 });
    server.setFaults(${faults});
    conn.close();
    await turns(() => server.stats().open === 0);`,
};

describe("a server does not spin:", { ignore: !mayRun }, () => {
  for (const [name, lines] of Object.entries(scripts)) {
    it(name, async () => {
      await using process = new Running([
        "eval",
        "--no-lock",
        script(lines),
      ]);
      const { status, stdout, stderr } = await within(
        WATCHDOG_MS,
        process.outcome,
      );
      assertEquals([status, stdout, stderr], [0, "done\n", ""]);
    });
  }
});

describe("SIGTERM ends the program", { ignore: !maySignal }, () => {
  for (const signals of [1, 2]) {
    it(`while a byte is delayed before a reset, after ${signals}`, async () => {
      const flags = "--reset 0 --latency 300ms --verbose --grace".split(" ");
      const { running, port } = await startServer([
        ...flags,
        signals === 1 ? "1s" : "60s",
      ]);
      await using process = running;
      using conn = await Deno.connect({ port: Number(port) });
      await process.shows(/opened/, "stderr");
      await write(conn, utf8("x"));
      process.child.kill("SIGTERM");
      if (signals === 2) {
        // Earlier, it would count as the same signal.
        await new Promise((resolve) => setTimeout(resolve, 300));
        process.child.kill("SIGTERM");
      }
      const { status, stderr } = await within(WATCHDOG_MS, process.outcome);
      assertEquals(status, 0);
      assert(/1 connection /.test(stderr), stderr);
    });
  }
});
