import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { closedPort, discard, peer, portOf } from "../support/peers.ts";
import {
  deno,
  hasScript,
  mayRun,
  maySignal,
  output,
  Running,
  shell,
} from "../support/processes.ts";

const split = (args: string) => args.split(" ");
const PING = "--ping --count 3 --interval 5ms";
const LOAD = "--load --count 50 --connections 2";
const SEARCH =
  "--load --rate max --duration 50ms --warmup 50ms --connections 2";

/** Runs the client at a server that answers after 5 ms. */
async function run(args: string, more: string[] = [], faults = { latency: 5 }) {
  await using server = serve({ port: 0, faults });
  const port = String(portOf(server));
  return await output(
    deno("client.ts", [...split(args), ...more, "--port", port]),
  );
}

describe("a run prints its result", { ignore: !mayRun }, () => {
  const rows: [args: string, status: number, lines: RegExp][] = [
    [
      PING,
      0,
      /^PING 127\.0\.0\.1:\d+: 56 bytes of data\n(56 bytes from .*: seq=[123] time=[\d.]+ ms\n){3}\n--- .* ping statistics ---\n3 probes sent, 3 received, 0% loss, .*\nrtt min\/avg\/max\/mdev = .* ms\nrtt p50 = .* ms\njitter = [\d.]+ ms\n/,
    ],
    [
      `${LOAD} --size 9`,
      0,
      /load: 2 connections, 9 bytes each ---\n50 messages verified in .*\nno errors\n[^]*latency ≥/,
    ],
    [
      `${PING} --expect min<10s --expect loss=0%`,
      0,
      /\nmin<10s: met \(.* s\)\nloss=0%: met \(0%\)\n$/,
    ],
    [
      `${PING} --expect max<10s --expect min>10s`,
      1,
      /\nmin>10s: not met \(.*\)\n$/,
    ],
    [
      `${LOAD} --expect errors=0 --expect p50<10s`,
      0,
      /\n\nerrors=0: met \(0\)\np50<10s: met \(.*\)\n$/,
    ],
    [`${LOAD} --expect p50>10s`, 1, /\np50>10s: not met \(.*\)\n$/],
    [
      `${SEARCH} --expect min>10s`,
      1,
      /^ +asked\/s .* verdict\n( .*\n){5,}no rate holds, not even 1 message\/s\n$/,
    ],
  ];
  for (const [args, status, expected] of rows) {
    it(`with status ${status}: ${args}`, async () => {
      const { stdout, stderr, ...outcome } = await run(args);
      assertEquals([outcome.status, stderr], [status, ""]);
      assertMatch(stdout, expected);
    });
  }

  it("with errors that a condition on loss allows, and no others", async () => {
    for (
      const [condition, status] of [["loss<90%", 0], ["p50<1s", 1]] as const
    ) {
      await using server = serve({ port: 0, faults: { limitData: 5_000 } });
      const outcome = await output(deno("client.ts", [
        ...[...split(LOAD), "--expect", condition],
        ...["--port", String(portOf(server))],
      ]));
      assertMatch(outcome.stdout, /^\d+ connections? w\w+ closed before /m);
      assertMatch(outcome.stdout, /: met \(/);
      assertEquals(outcome.status, status);
    }
  });

  it("with status 1 if a message is not answered", async () => {
    await using server = peer(discard);
    const args = "--load --duration 100ms --warmup 0s --connections 2 --port";
    const { status, stdout } = await output(
      deno("client.ts", [...split(args), String(server.port)]),
    );
    assertEquals(status, 1);
    assertMatch(stdout, /\n0 of 2 messages verified in 100 ms: 0 messages\/s/);
    assertMatch(stdout, /\n2 messages were without an echo at the end/);
  });

  it(
    "that tells a shell script what to do",
    { ignore: !maySignal },
    async () => {
      await using server = serve({ port: 0 });
      const client = shell(
        deno("client.ts", [...split(PING), "--port", "$PORT"]),
      );
      const script = `set -eu
if ! ${client} --expect 'max<10s' >/dev/null; then echo "unmet"; fi
if ! ${client} --expect 'min>10s' >/dev/null; then echo "too slow"; fi
if ${client} --expect 'p99<'; then exit 9; else echo "usage: $?"; fi
`;
      await using sh = new Running(["-c", script], {
        ...{ program: "sh", env: { PORT: String(portOf(server)) } },
      });
      const { status, stdout } = await sh.outcome;
      assertEquals([status, stdout], [0, "too slow\nusage: 2\n"]);
    },
  );
});

describe("a run on a terminal", { ignore: !hasScript }, () => {
  async function onTerminal(args: string) {
    await using server = serve({ port: 0 });
    const command = shell(
      deno("client.ts", [...split(args), "--port", String(portOf(server))]),
    );
    await using client = new Running(
      ["-qec", `stty columns 80; ${command}`, "/dev/null"],
      { program: "script" },
    );
    const { status, stdout } = await client.outcome;
    assertEquals(status, 0, stdout);
    // Deno itself clears the line below which it would show downloads.
    // deno-lint-ignore no-control-regex
    return stdout.replace(/\x1b\[\d*[GJK]/g, "");
  }

  it("shows its progress as a line that is redrawn and erased, and fits 80x24", async () => {
    const shown = await onTerminal("--load --connections 2 --duration 2500ms");
    const [progress = "", ...lines] = shown.split("\r\n");
    const drawn = progress.split("\r").filter((text) => text.includes(" of "));
    assertEquals(drawn.length, 3, JSON.stringify(progress));
    for (const line of drawn) {
      assertMatch(line, /^[\d.]+ s of 2\.5 s: .* messages\/s/);
    }
    const [, erased, heading] = /\r( +)\r(--- .*)$/.exec(progress) ?? [];
    assert(erased !== undefined && heading !== undefined, progress);
    assertLessOrEqual(lines.length, 23);
    for (const line of lines) assertLessOrEqual(line.length, 80);
  });

  it("prints only JSON with --json", async () => {
    const shown = await onTerminal(
      "--load --connections 1 --duration 1500ms --json",
    );
    const events = shown.trimEnd().split("\n").map((line) =>
      JSON.parse(line).event
    );
    assertEquals(events, ["start", "interval", "interval", "summary"]);
  });
});

describe("a run that is interrupted", { ignore: !maySignal }, () => {
  for (
    const [args, started, soFar] of [
      ["--ping --interval 20ms", /seq=2 /, /ping statistics[^]*jitter = /],
      [
        "--load --connections 2 --warmup 0s --json",
        /"interval"/,
        /messages? verified in/,
      ],
    ] as const
  ) {
    it(`prints its figures so far on Ctrl-\\, and its result on Ctrl-C: ${args}`, async () => {
      await using server = serve({ port: 0 });
      await using client = new Running(
        deno("client.ts", [...split(args), "--port", String(portOf(server))]),
      );
      await client.shows(started);
      client.child.kill("SIGQUIT");
      await client.shows(soFar, "stderr");
      const before = client.stdout.split("\n").length;
      await client.shows(new RegExp(`^(.*\n){${before + 1}}`));
      client.child.kill("SIGINT");
      assertEquals((await client.outcome).status, 0);
      assertMatch(client.stdout, /ping statistics|"event":"summary"/);
    });
  }

  it("has a heading before its first result, and 1 if nothing came back", async () => {
    await using server = peer(discard);
    const args = ["--ping", "--timeout", "10s", "--port", String(server.port)];
    await using client = new Running(deno("client.ts", args));
    await client.shows(/^PING .*: 56 bytes of data\n$/);
    client.child.kill("SIGINT");
    await client.shows(/ ping statistics /);
    assertEquals((await client.outcome).status, 1);
  });

  it("ends with one line and status 130 before the load began", async () => {
    const connecting = Promise.withResolvers<void>();
    // It accepts connections and never answers the handshake.
    await using server = peer((conn) => {
      connecting.resolve();
      return discard(conn);
    });
    const args = "--load --tls --timeout 1m --port";
    await using client = new Running(
      deno("client.ts", [...split(args), String(server.port)]),
    );
    await connecting.promise;
    client.child.kill("SIGINT");
    assertEquals(await client.outcome, {
      ...{ status: 130, stdout: "" },
      stderr:
        `echo-client: Cannot load 127.0.0.1:${server.port}: interrupted before the load began\n`,
    });
  });

  for (const args of ["--ping --interval 1ms", "--load --json"]) {
    it(`ends with one line and status 1 when stdout is closed: ${args}`, async () => {
      await using server = serve({ port: 0 });
      const port = String(portOf(server));
      const client = shell(deno("client.ts", ["--port", port, args]));
      await using sh = new Running(
        ["-c", `(${client}; echo $? >&2) | head -n 1`],
        { program: "sh" },
      );
      assertEquals(
        (await sh.outcome).stderr,
        "echo-client: Cannot write to stdout: it is closed\n1\n",
      );
    });
  }
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

  for (const args of [PING, LOAD, SEARCH]) {
    it(`writes the page of a run: ${args}`, () =>
      withFolder(async (folder) => {
        await using server = serve({ port: 0, faults: { latency: 5 } });
        const port = String(portOf(server));
        const path = `${folder}/report.html`;
        // A longer file from before must not show at the end.
        await Deno.writeTextFile(path, "x".repeat(1_000_000));
        const { stderr } = await output(deno("client.ts", [
          ...split(args),
          ...["--expect", "p50<10s", "--html", path, "--port", port],
        ], ["--allow-net=127.0.0.1", `--allow-write=${path}`]));
        assertStringIncludes(stderr, `report written to ${path}\n`);
        const page = await Deno.readTextFile(path);
        assertMatch(page, /^<!doctype html>[^]*<\/html>\n?$/i);
        for (
          const part of [
            ...[`127.0.0.1:${port}`, "p50&lt;10s", "--port", "echo-client "],
            ...[Deno.version.deno, Deno.build.arch],
          ]
        ) assertStringIncludes(page, part);
      }));
  }

  for (
    const [name, path, permissions, error] of [
      [
        "a missing permission",
        "report.html",
        [],
        "permission not granted: run again with --allow-write=",
      ],
      ["no folder", "none/report.html", ["--allow-write"], "no such file"],
    ] as const
  ) {
    it(`names ${name} before the run starts`, () =>
      withFolder(async (folder) => {
        const file = `${folder}/${path}`;
        const { status, stdout, stderr } = await output(deno("client.ts", [
          ...split(PING),
          ...["--html", file],
        ], [...permissions]));
        assertEquals([status, stdout], [1, ""]);
        assertStringIncludes(stderr, `Cannot write ${file}: ${error}`);
      }));
  }

  it("leaves no empty file after a run that failed, and keeps an old one", () =>
    withFolder(async (folder) => {
      const port = String(closedPort());
      await Deno.writeTextFile(`${folder}/old.html`, "old");
      for (const name of ["new.html", "old.html"]) {
        const { status } = await output(deno("client.ts", [
          ...["--load", "--port", port, "--html", `${folder}/${name}`],
        ], ["--allow-net=127.0.0.1", `--allow-write=${folder}`]));
        assertEquals(status, 1);
      }
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assertEquals(names, ["old.html"]);
      assertEquals(await Deno.readTextFile(`${folder}/old.html`), "old");
    }));

  it(
    "leaves no empty file after a second Ctrl-C",
    { ignore: !maySignal },
    () =>
      withFolder(async (folder) => {
        const connecting = Promise.withResolvers<void>();
        await using server = peer((conn) => {
          connecting.resolve();
          return discard(conn);
        });
        await using client = new Running(deno("client.ts", [
          ...split("--load --connections 1 --timeout 1m --port"),
          ...[String(server.port), "--html", `${folder}/new.html`],
        ], ["--allow-net=127.0.0.1", `--allow-write=${folder}`]));
        await connecting.promise;
        // Different ones: a repeat of the same signal would not count.
        client.child.kill("SIGINT");
        client.child.kill("SIGTERM");
        const { status } = await client.outcome;
        assertEquals([...Deno.readDirSync(folder)].length, 0);
        assertEquals(status, 130);
      }),
  );
});
