import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import {
  closedPort,
  discard,
  pattern,
  peer,
  portOf,
  utf8,
} from "../support/peers.ts";
import {
  deno,
  hasScript,
  mayRun,
  maySignal,
  type Outcome,
  output,
  Running,
  shell,
} from "../support/processes.ts";

/** Runs the client with `input` as its stdin. */
async function piped(args: string[], input: Uint8Array): Promise<Outcome> {
  await using client = new Running(deno("client.ts", args), {
    stdin: "piped",
  });
  const writer = client.child.stdin.getWriter();
  void writer.write(input).then(() => writer.close()).catch(() => {});
  return await client.outcome;
}

const lines = (stdout: string) =>
  stdout.trimEnd().split("\n").map((line) => JSON.parse(line));

describe("the client program", { ignore: !mayRun }, () => {
  it("- sends stdin and writes its echo to stdout", async () => {
    await using server = serve({ port: 0 });
    const text = new TextDecoder().decode(
      pattern(500_000).map((byte) => 32 + byte % 90),
    );
    const port = String(portOf(server));
    const outcome = await piped(["-", "--port", port], utf8(text));
    assert(outcome.stdout === text);
    assertEquals([outcome.status, outcome.stderr], [0, ""]);
  });

  it("does not read stdin without the dash", async () => {
    await using server = serve({ port: 0 });
    const port = String(portOf(server));
    const { stdout } = await piped(["--port", port], utf8("not this"));
    assertEquals(stdout, "Received from server: Hello, server!\n");
  });

  it(
    "- ends with one line and status 1 on Ctrl-C, and when the server closes",
    {
      ignore: !maySignal,
    },
    async () => {
      await using server = serve({ port: 0 });
      const args = deno("client.ts", ["-", "--port", String(portOf(server))]);
      for (
        const reason of ["interrupted", "closed by the server after 2 of 2"]
      ) {
        await using client = new Running(args, { stdin: "piped" });
        const writer = client.child.stdin.getWriter();
        await writer.write(utf8("x\n"));
        await client.shows(/x\n/);
        if (reason === "interrupted") client.child.kill("SIGINT");
        else await server.shutdown();
        const { status, stderr } = await client.outcome;
        assertEquals(status, 1);
        assertMatch(
          stderr,
          new RegExp(`^echo-client: Cannot pipe .*${reason}.*\n$`),
        );
        await writer.close().catch(() => {});
      }
    },
  );

  it("- ends with one line and status 1 when stdout is closed", {
    ignore: !maySignal,
  }, async () => {
    await using server = serve({ port: 0 });
    const args = deno("client.ts", ["-", "--port", String(portOf(server))]);
    await using client = new Running(
      ["-c", `yes | (${shell(args)}; echo $? >&2) | head -c 1`],
      { program: "sh" },
    );
    assertEquals(await client.outcome, {
      status: 0,
      stdout: "y",
      stderr: "echo-client: Cannot write the echo to stdout: it is closed\n1\n",
    });
  });

  for (
    const [redirection, stderr] of [
      [
        "< tests",
        "echo-client: Cannot read stdin: is a directory",
      ],
      [
        "< README.md > /dev/full",
        "echo-client: Cannot write the echo to stdout: no space left on device",
      ],
    ] as const
  ) {
    it(`- ${redirection} ends with one line that says what was attempted`, {
      ignore: !mayRun || Deno.build.os !== "linux",
    }, async () => {
      await using server = serve({ port: 0 });
      const args = deno("client.ts", ["-", "--port", String(portOf(server))]);
      await using client = new Running(
        ["-c", `${shell(args)} ${redirection}`],
        { program: "sh" },
      );
      assertEquals(await client.outcome, {
        status: 1,
        stdout: "",
        stderr: `${stderr}\n`,
      });
    });
  }

  for (const mode of ["--ping --interval 1ms", "--load --json"]) {
    it(`${mode} ends with one line and status 1 when stdout is closed`, {
      ignore: !maySignal,
    }, async () => {
      await using server = serve({ port: 0 });
      const args = deno("client.ts", ["--port", String(portOf(server)), mode]);
      await using client = new Running(
        ["-c", `(${shell(args)}; echo $? >&2) | head -n 1`],
        { program: "sh" },
      );
      const { stderr } = await client.outcome;
      assertEquals(
        stderr,
        "echo-client: Cannot write to stdout: it is closed\n1\n",
      );
    });
  }

  it("--ping prints each probe and a summary", async () => {
    await using server = serve({ port: 0 });
    const args = ["--ping", "--count", "2", "--interval", "1ms"];
    const port = String(portOf(server));
    const { status, stdout, stderr } = await output(
      deno("client.ts", [...args, "--port", port]),
    );
    assertEquals([status, stderr], [0, ""]);
    assertMatch(
      stdout,
      /^PING 127\.0\.0\.1:\d+: 56 bytes of data\n56 bytes from .*: seq=1 time=[\d.]+ ms\n56 bytes from .*: seq=2 .*\n\n--- .* ping statistics ---\n2 probes sent, 2 received, 0% loss, .*\nrtt min\/avg\/max\/mdev = .* ms\nrtt p50\/p99 = .* ms\njitter = [\d.]+ ms\n$/,
    );
  });

  it(
    "--ping prints the summary on Ctrl-C, and ends with status 1 if no probe came back",
    {
      ignore: !maySignal,
    },
    async () => {
      const port = String(closedPort());
      await using client = new Running(
        deno("client.ts", ["--ping", "--port", port, "--interval", "5ms"]),
      );
      await client.shows(/seq=2/);
      client.child.kill("SIGINT");
      const { status, stdout } = await client.outcome;
      assertEquals(status, 1);
      assertMatch(stdout, /\d+ probes sent, 0 received, 100% loss/);
    },
  );

  it("--ping prints its header before the first result", {
    ignore: !maySignal,
  }, async () => {
    await using server = peer(discard);
    const args = ["--ping", "--count", "1", "--timeout", "10s"];
    await using client = new Running(
      deno("client.ts", [...args, "--port", String(server.port)]),
    );
    await client.shows(/^PING .*: 56 bytes of data\n$/);
    client.child.kill("SIGINT");
    await client.shows(/ ping statistics /);
  });

  it("--load ends with one line and status 1 on Ctrl-C before the load began", {
    ignore: !maySignal,
  }, async () => {
    for (const format of [[], ["--json"]]) {
      const connecting = Promise.withResolvers<void>();
      // It accepts connections and never answers the handshake.
      await using server = peer((conn) => {
        connecting.resolve();
        return discard(conn);
      });
      const args = ["--load", "--tls", "--timeout", "1m", ...format];
      await using client = new Running(
        deno("client.ts", [...args, "--port", String(server.port)]),
      );
      await connecting.promise;
      client.child.kill("SIGINT");
      assertEquals(await client.outcome, {
        status: 1,
        stdout: "",
        stderr:
          `echo-client: Cannot load 127.0.0.1:${server.port}: interrupted before the load began\n`,
      });
    }
  });

  it("--load --json prints only JSON on a terminal", {
    ignore: !hasScript,
  }, async () => {
    await using server = serve({ port: 0 });
    const args = ["--load", "--connections", "1", "--duration", "1500ms"];
    const command = shell(
      deno("client.ts", [...args, "--json", "--port", String(portOf(server))]),
    );
    await using client = new Running(["-qec", command, "/dev/null"], {
      program: "script",
    });
    const { status, stdout } = await client.outcome;
    assertEquals(status, 0);
    // Deno itself clears the line below which it would show downloads.
    // deno-lint-ignore no-control-regex
    const events = lines(stdout.replace(/\x1b\[\d*[GJK]/g, ""))
      .map(({ event }) => event);
    assertEquals([events[0], events.at(-1)], ["interval", "summary"]);
  });

  it("--load prints a report to stdout, and no progress", async () => {
    await using server = serve({ port: 0 });
    const args = ["--load", "--count", "1000", "--connections", "3"];
    const port = String(portOf(server));
    const { status, stdout, stderr } = await output(
      deno("client.ts", [...args, "--port", port]),
    );
    assertEquals([status, stderr], [0, ""]);
    assertMatch(stdout, /1,000 messages verified in .*\nno errors\n/);
  });

  it("--load --json prints an object for each second, including the last one", async () => {
    await using server = serve({ port: 0 });
    const args = ["--load", "--duration", "2s", "--connections", "3", "--json"];
    const port = String(portOf(server));
    const { status, stdout } = await output(
      deno("client.ts", [...args, "--port", port]),
    );
    const [first, second, summary, ...more] = lines(stdout);
    assertEquals([status, more], [0, []]);
    assertEquals([first.event, second.event], ["interval", "interval"]);
    assertEquals([second.elapsed, summary.duration], [2_000, 2_000]);
    assertEquals(
      first.messages + second.messages,
      summary.messages - summary.late,
    );
  });

  it("--load ends with status 1 if a message is not answered", async () => {
    await using server = peer(discard);
    const args = ["--load", "--duration", "100ms", "--connections", "2"];
    const { status, stdout } = await output(
      deno("client.ts", [...args, "--port", String(server.port)]),
    );
    assertEquals(status, 1);
    assertMatch(
      stdout,
      /^0 messages verified in 100 ms.*\nno errors\n2 unanswered/m,
    );
  });

  it("--load reports on Ctrl-C, and ends with status 1 if there were errors", {
    ignore: !maySignal,
  }, async () => {
    await using server = peer(discard);
    const args = ["--load", "--timeout", "500ms", "--json"];
    await using client = new Running(
      deno("client.ts", [...args, "--port", String(server.port)]),
    );
    await client.shows(/"errors":[1-9]/);
    client.child.kill("SIGINT");
    const { status, stdout } = await client.outcome;
    const summary = lines(stdout).at(-1);
    assertEquals([status, summary.event, summary.messages], [1, "summary", 0]);
    assert(summary.errors.timeout > 0);
  });

  it("--ping --json prints an object for each probe, then the summary", async () => {
    await using server = serve({ port: 0 });
    const args = ["--ping", "--count", "2", "--interval", "1ms", "--json"];
    const port = String(portOf(server));
    const { stdout } = await output(
      deno("client.ts", [...args, "--port", port]),
    );
    const [first, second, summary] = lines(stdout);
    assertEquals([first.event, first.seq, second.seq], ["probe", 1, 2]);
    assertEquals([summary.event, summary.received], ["summary", 2]);
    assert(summary.rtt.p99 >= summary.rtt.min && first.rtt > 0);
  });

  it("--json prints the echo of a message as JSON", async () => {
    await using server = serve({ port: 0 });
    const port = String(portOf(server));
    const { stdout } = await output(
      deno("client.ts", ["hi\x1b", "--json", "--port", port]),
    );
    const [{ event, size, echo }] = lines(stdout);
    assertEquals({ event, size, echo }, {
      event: "echo",
      size: 3,
      echo: "hi\x1b",
    });
  });
});
