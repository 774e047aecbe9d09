import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { closedPort, portOf } from "../support/peers.ts";
import { elements, named, parse, textOf } from "../report/parse.ts";
import {
  deno,
  mayRun,
  maySignal,
  output,
  Running,
  shell,
} from "../support/processes.ts";

const events = (stdout: string) =>
  stdout.trimEnd().split("\n").map((line) => JSON.parse(line));

const PING = ["--ping", "--count", "3", "--interval", "5ms"];
const LOAD = ["--load", "--count", "50", "--connections", "2"];
const SEARCH = [
  ...["--load", "--rate", "max", "--duration", "50ms", "--warmup", "50ms"],
];

describe("a run with conditions", { ignore: !mayRun }, () => {
  for (
    const [args, status, lines] of [
      [
        [...PING, "--expect", "p99<1m"],
        2,
        ["echo-client: Cannot use --expect"],
      ],
      [
        [...PING, "--expect", "p99<10s", "--expect", "loss=0%"],
        0,
        [/^p99 .* < 10 s: met$/m, /^loss 0% = 0%: met$/m],
      ],
      [
        [...PING, "--expect", "p99<10s", "--expect", "min>10s"],
        1,
        [/^p99 .*: met$/m, /^min .* > 10 s: not met$/m],
      ],
      [
        [...LOAD, "--expect", "errors=0", "--expect", "p50<10s"],
        0,
        [/^errors 0 = 0: met$/m, /^p50 .* < 10 s: met$/m],
      ],
      [[...LOAD, "--expect", "p50>10s"], 1, [/^p50 .*: not met$/m]],
    ] as const
  ) {
    it(`has status ${status}: ${args.join(" ")}`, async () => {
      await using server = serve({ port: 0 });
      const { stdout, stderr, ...outcome } = await output(
        deno("client.ts", [...args, "--port", String(portOf(server))]),
      );
      assertEquals(outcome.status, status);
      for (const line of lines) {
        assertMatch(stdout + stderr, new RegExp(line));
      }
    });
  }

  it("tells a shell script what to do", { ignore: !maySignal }, async () => {
    await using server = serve({ port: 0 });
    const client = shell(deno("client.ts", [...PING, "--port", "$PORT"]));
    const script = `set -eu
if ! ${client} --expect 'p99<10s' >report; then echo "unmet"; fi
if ! ${client} --expect 'min>10s' --expect 'loss=0%' >>report; then
  echo "too slow"
fi
if ${client} --expect 'p99<'; then exit 9; else echo "usage: $?"; fi
${client} --expect 'min>10s' --json && echo "not reached" || echo "failed: $?"
`;
    const folder = await Deno.makeTempDir();
    try {
      await using sh = new Running(
        ["-c", script.replaceAll(">report", `>'${folder}/report'`)],
        { program: "sh", env: { PORT: String(portOf(server)) } },
      );
      const { status, stdout, stderr } = await sh.outcome;
      const lines = stdout.split("\n").filter((line) => !/^{/.test(line));
      assertEquals(lines, ["too slow", "usage: 2", "failed: 1", ""]);
      assertMatch(stderr, /^echo-client: Cannot use --expect "p99<".*\n$/);
      assertEquals(status, 0);
      const report = await Deno.readTextFile(`${folder}/report`);
      assertEquals(report.match(/^(p99|min|loss) .*met$/gm)?.length, 3);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("may have errors that a condition on loss allows, and no others", async () => {
    await using server = serve({ port: 0, faults: { limitData: 5_120 } });
    const port = String(portOf(server));
    for (
      const [condition, status] of [["loss<50%", 0], ["p50<1s", 1]] as const
    ) {
      const outcome = await output(
        deno("client.ts", [...LOAD, "--expect", condition, "--port", port]),
      );
      assertMatch(outcome.stdout, /^errors: \d+ /m);
      assertMatch(outcome.stdout, /: met$/m);
      assertEquals(outcome.status, status);
    }
  });

  it("has the conditions in the summary event", async () => {
    await using server = serve({ port: 0, faults: { latency: 20 } });
    const port = String(portOf(server));
    for (const args of [PING, LOAD]) {
      const { stdout, status } = await output(deno("client.ts", [
        ...args,
        ...["--json", "--expect", "min>=5ms", "--expect", "max<1ms"],
        ...["--port", port],
      ]));
      const summary = events(stdout).at(-1);
      assertEquals(summary.event, "summary");
      const [first, second] = summary.expectations;
      assertEquals([first.expectation, first.met], ["min>=5ms", true]);
      assert(first.measured >= 5);
      assertEquals([second.expectation, second.met], ["max<1ms", false]);
      assertEquals(status, 1);
    }
  });
});

describe("--rate max", { ignore: !mayRun }, () => {
  it("prints a table and an answer", async () => {
    await using server = serve({ port: 0, faults: { latency: 20 } });
    const { stdout, status } = await output(deno("client.ts", [
      ...SEARCH,
      ...["--connections", "2", "--expect", "min>10s"],
      ...["--port", String(portOf(server))],
    ]));
    const [heading = "", ...rows] = stdout.trimEnd().split("\n");
    assertMatch(heading, /asked\/s +reached\/s .* verdict$/);
    assertEquals(
      rows.pop(),
      "no rate holds, not even 1 message/s",
    );
    assert(rows.length >= 10);
    assertEquals(status, 1);
  });

  it("prints an event for each step, and the summary", async () => {
    await using server = serve({ port: 0, faults: { latency: 20 } });
    const { stdout } = await output(deno("client.ts", [
      ...SEARCH,
      ...["--connections", "2", "--expect", "p50<10s", "--json"],
      ...["--port", String(portOf(server))],
    ]));
    const all = events(stdout);
    const summary = all.pop();
    assertEquals(summary.event, "summary");
    assertEquals(all.map(({ event }) => event), all.map(() => "step"));
    assertEquals(all.length, summary.steps.length);
    for (const field of ["rate", "messagesPerSecond", "p99", "verdict"]) {
      assertEquals(all[0][field], summary.steps[0][field]);
    }
    assertEquals(all[0].expectations[0].expectation, "p50<10s");
    assertEquals(typeof summary.confirmed, "boolean");
  });

  it("says that no server is there", async () => {
    const port = String(closedPort());
    const { status, stdout, stderr } = await output(
      deno("client.ts", [...SEARCH, "--expect", "p50<1s", "--port", port]),
    );
    assertEquals([status, stdout], [1, ""]);
    assertStringIncludes(stderr, "connection refused");
  });
});

describe("--html", { ignore: !mayRun }, () => {
  async function withFolder(
    action: (folder: string) => Promise<void>,
  ): Promise<void> {
    const folder = await Deno.makeTempDir();
    try {
      await action(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  for (
    const [heading, args] of [
      ["Ping", PING],
      ["Load test", LOAD],
      ["Rate search", [...SEARCH, "--connections", "2"]],
    ] as const
  ) {
    it(`writes the page of a run: ${heading}`, () =>
      withFolder(async (folder) => {
        await using server = serve({ port: 0, faults: { latency: 5 } });
        const port = String(portOf(server));
        const path = `${folder}/report.html`;
        // A longer file from before must not show at the end.
        await Deno.writeTextFile(path, "x".repeat(1_000_000));
        const { stderr } = await output(deno("client.ts", [
          ...args,
          ...["--expect", "p50<10s", "--html", path, "--port", port],
        ], ["--allow-net=127.0.0.1", `--allow-write=${path}`]));
        assertStringIncludes(stderr, `report written to ${path}\n`);
        const page = parse(await Deno.readTextFile(path));
        assertEquals(
          textOf(named(page, "title")[0]!).trim(),
          `${heading}: 127.0.0.1:${port}`,
        );
        assert([...elements(page)].every(({ name }) => name !== "script"));
        const text = textOf(page);
        for (
          const part of [
            "p50<10s",
            "--expect",
            "--port",
            "echo-client ",
            Deno.version.deno,
            Deno.build.arch,
          ]
        ) {
          assertStringIncludes(text, part);
        }
      }));
  }

  it("names the permission before the run starts", () =>
    withFolder(async (folder) => {
      const path = `${folder}/report.html`;
      const { status, stdout, stderr } = await output(
        deno("client.ts", [...PING, "--html", path], []),
      );
      assertEquals([status, stdout], [1, ""]);
      assertStringIncludes(
        stderr,
        `Cannot write ${path}: permission not granted: run again with --allow-write=${path}`,
      );
    }));

  it("names a folder that does not exist before the run starts", () =>
    withFolder(async (folder) => {
      const path = `${folder}/none/report.html`;
      const { status, stdout, stderr } = await output(
        deno("client.ts", [...PING, "--html", path], [
          `--allow-write=${folder}`,
        ]),
      );
      assertEquals([status, stdout], [1, ""]);
      assertStringIncludes(stderr, `Cannot write ${path}: no such file`);
    }));

  it("leaves no empty file after a run that failed, and keeps an old one", () =>
    withFolder(async (folder) => {
      const port = String(closedPort());
      const run = (name: string) =>
        output(deno("client.ts", [
          ...["--load", "--port", port, "--html", `${folder}/${name}`],
        ], ["--allow-net=127.0.0.1", `--allow-write=${folder}`]));
      await Deno.writeTextFile(`${folder}/old.html`, "old");
      assertEquals((await run("new.html")).status, 1);
      assertEquals((await run("old.html")).status, 1);
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assertEquals(names, ["old.html"]);
      assertEquals(await Deno.readTextFile(`${folder}/old.html`), "old");
    }));
});

describe("--ping on SIGQUIT", { ignore: !maySignal }, () => {
  it("prints the statistics so far on stderr, and goes on", async () => {
    await using server = serve({ port: 0 });
    await using client = new Running(deno("client.ts", [
      ...["--ping", "--interval", "20ms", "--port", String(portOf(server))],
    ]));
    await client.shows(/seq=2 /);
    client.child.kill("SIGQUIT");
    await client.shows(/ping statistics[^]*jitter = /, "stderr");
    const { length } = client.stdout.split("\n");
    await client.shows(new RegExp(`seq=${length + 1} `));
    assert(!client.stdout.includes("statistics"));
    client.child.kill("SIGINT");
    assertEquals((await client.outcome).status, 0);
    assertMatch(client.stdout, /ping statistics/);
  });
});
