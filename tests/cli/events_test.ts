import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { violations } from "../support/json_schema.ts";
import { closedPort, discard, peer, portOf } from "../support/peers.ts";
import {
  deno,
  mayRun,
  maySignal,
  output,
  Running,
  startServer,
} from "../support/processes.ts";
import { schema } from "./event_schema.ts";

const roots = {
  client: { ...schema.$defs!["client"]!, $defs: schema.$defs! },
  server: { ...schema.$defs!["server"]!, $defs: schema.$defs! },
};

/** The events in an output. Each is as the schema says, or the test fails. */
function events(text: string, program: keyof typeof roots) {
  return text.trimEnd().split("\n").map((line) => {
    const event = JSON.parse(line);
    assertEquals(violations(event, roots[program]), [], line);
    return event;
  });
}

/** The names of events, repeats left out. */
const names = (all: { event: string }[]) =>
  all.map(({ event }) => event).filter((name, i, all) => name !== all[i - 1]);

describe("the schema", () => {
  it("refuses what it does not name, what is missing, and other types", () => {
    const start = { event: "start", timestamp: "", mode: "ping", target: "" };
    const valid = { ...start, version: "", deno: "", options: {} };
    assertEquals(violations(valid, roots.client), []);
    for (
      const [wrong, at] of [
        [{ ...valid, more: 1 }, "$.more: not in the schema"],
        [{ ...valid, deno: undefined }, "$.deno: undefined is no string"],
        [{ ...valid, mode: "pong" }, "$.mode: pong is none of "],
        [start, "$.version: missing"],
      ] as const
    ) {
      const [first = ""] = violations(wrong, roots.client);
      assert(first.startsWith(at), first);
    }
  });
});

const PING = "--ping --count 2 --interval 1ms";
const LOAD = "--load --connections 2";
const SEARCH = `${LOAD} --rate max --duration 50ms --warmup 50ms`;

describe("--json prints events as the schema has them", {
  ignore: !mayRun,
}, () => {
  const runs: [args: string, status: number, names: string[]][] = [
    ["hi", 0, ["start", "echo"]],
    [PING, 0, ["start", "probe", "summary"]],
    [`${PING} --connect`, 0, ["start", "probe", "summary"]],
    [`${LOAD} --count 50`, 0, ["start", "interval", "summary"]],
    [`${LOAD} --count 50 --rate 1000 --reconnect 5`, 0, [
      ...["start", "interval", "summary"],
    ]],
    [`${LOAD} --count 1500 --expect p99.9<9s --expect max<1us`, 1, [
      ...["start", "interval", "summary"],
    ]],
    [`${SEARCH} --expect p50<10s`, 0, ["start", "step", "summary"]],
    [`${SEARCH} --expect min>10s`, 1, ["start", "step", "summary"]],
  ];
  for (const [args, status, expected] of runs) {
    it(args, async () => {
      await using server = serve({ port: 0, faults: { latency: 2 } });
      const port = String(portOf(server));
      const { stdout, ...outcome } = await output(
        deno("client.ts", [...args.split(" "), "--port", port, "-j"]),
      );
      const all = events(stdout, "client");
      assertEquals(names(all), expected);
      const [start] = all;
      assertEquals(start.target, `127.0.0.1:${port}`);
      assertEquals(start.options.port, Number(port));
      assertEquals(start.deno, Deno.version.deno);
      const { passed = true, expectations = [] } = all.at(-1);
      // Whether a rate is confirmed depends on the machine.
      if (status === 1 || !args.includes("max ")) {
        assertEquals([outcome.status, passed], [status, status === 0]);
      }
      if (!args.includes("max ")) {
        assertEquals(expectations.length, args.split("--expect").length - 1);
      }
      const fractions = stdout.match(/\d\.\d{7,}/g) ?? [];
      assertEquals(fractions, [], "finer than a nanosecond");
    });
  }

  it("a pipe, on stderr", async () => {
    await using server = serve({ port: 0 });
    const args = deno("client.ts", ["-", "-p", String(portOf(server)), "-j"]);
    await using client = new Running(args, { stdin: "piped" });
    const writer = client.child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("echo"));
    await writer.close();
    const { stdout, stderr } = await client.outcome;
    assertEquals(stdout, "echo");
    const all = events(stderr, "client");
    assertEquals(names(all), ["start", "summary"]);
    assertEquals([all[1].mode, all[1].received], ["pipe", 4]);
  });

  for (const args of ["hi", LOAD, `${SEARCH} --expect p50<1s`]) {
    it(`a run that fails before its first figure: ${args}`, async () => {
      const port = String(closedPort());
      const { stdout, stderr, status } = await output(
        deno("client.ts", [...args.split(" "), "--port", port, "--json"]),
      );
      const all = events(stdout, "client");
      assertEquals([status, names(all)], [1, ["start", "error"]]);
      const { error } = all[1];
      assert(stderr.startsWith(`echo-client: ${error};`), stderr);
    });
  }

  it("without replies, no latency", async () => {
    await using server = peer(discard);
    const { stdout, status } = await output(deno("client.ts", [
      ...`${LOAD} --duration 100ms --warmup 0s --json --port`.split(" "),
      String(server.port),
    ]));
    const summary = events(stdout, "client").at(-1);
    assertEquals([status, summary.received, summary.unanswered], [1, 0, 2]);
    assertEquals([summary.latency.min, summary.latency.mean], [null, null]);
    assertEquals(summary.reasons[0], "nothing came back");
  });

  it("the log of the server", { ignore: !maySignal }, async () => {
    const upstream = `127.0.0.1:${closedPort()}`;
    for (const args of [["--latency", "1ms"], ["--upstream", upstream]]) {
      const { running, port } = await startServer([
        ...args,
        ...["--log-format", "json"],
      ]);
      await using server = running;
      await output(deno("client.ts", ["--port", port]));
      await server.shows(/"closed"/, "stderr");
      server.child.kill("SIGTERM");
      const { stderr } = await server.outcome;
      const all = events(stderr, "server");
      const isProxy = args[0] === "--upstream";
      assertEquals(names(all), [
        "opened",
        ...isProxy ? ["upstreamError"] : [],
        ...["closed", "summary"],
      ]);
      assertEquals(all.at(-2).reason, isProxy ? "unreachable" : "closed");
      assertEquals(all.at(-1).accepted, 1);
    }
  });
});
