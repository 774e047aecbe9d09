import {
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { advice } from "../../client.ts";
import { ConnectionRefusedError } from "../../lib/echo.ts";
import { program as client } from "../../lib/cli/client_program.ts";
import { type Flags, UsageError } from "../../lib/cli/flags.ts";
import { parseCommand, type Program } from "../../lib/cli/program.ts";
import { connectOptions, modeOf } from "../../lib/cli/run_options.ts";
import { TERMINATION_SIGNALS } from "../../lib/cli/signals.ts";
import {
  program as server,
  serveOptions,
} from "../../lib/cli/server_program.ts";
import { closedPort, discard, peer, read, write } from "../support/peers.ts";
import {
  deno,
  mayRun,
  maySignal,
  output,
  Running,
  startServer,
} from "../support/processes.ts";

describe("the command line of the server", () => {
  it("without flags uses the library's defaults", () => {
    const command = parseCommand(server, []);
    const options = "values" in command && serveOptions(command.values);
    assertEquals(options, {
      faults: undefined,
      hostname: undefined,
      port: undefined,
      path: undefined,
      reusePort: false,
      backlog: undefined,
      maxConnections: undefined,
      idleTimeout: undefined,
      grace: undefined,
    });
  });

  for (
    const args of [
      ["--unix", "/tmp/x", "--port", "1"],
      ["--unix", "/tmp/x", "--hostname", "h"],
      ["--unix", "/tmp/x", "--tls-cert", "c", "--tls-key", "k"],
      ["--unix", "/tmp/x", "--reuse-port"],
      ["--tls-cert", "c"],
      ["--tls-key", "k"],
      ["--max-connections", "0"],
      ["--backlog", "0"],
      ["--idle-timeout", "0s"],
      ["--idle-timeout", "5"],
      ["--grace", "-1s"],
      ["--log-format", "xml"],
      ["--latency", "100"],
      ["--latency", "-1ms"],
      ["--jitter", "x"],
      ["--bandwidth", "0"],
      ["--bandwidth", "-1"],
      ["--slicer", "0"],
      ["--slicer", "10", "--slicer-delay", "5"],
      ["--slicer-delay", "5ms"],
      ["--limit-data", "-1"],
      ["--stall", "1.5"],
      ["--reset", "NaN"],
      ["--corrupt", "1.1"],
      ["--corrupt", "-0.1"],
      ["--corrupt", "NaN"],
      ["--close-on-accept", "--toxicity", "2"],
      ["--close-on-accept", "--seed", "x"],
      ["--toxicity", "0.5"],
      ["--seed", "1"],
    ]
  ) {
    it(`${args.join(" ")} is rejected`, () => {
      assertThrows(() => {
        const command = parseCommand(server, args);
        if ("values" in command) serveOptions(command.values);
      }, UsageError);
    });
  }

  it("port 0 is accepted, which picks a free one", () => {
    const command = parseCommand(server, ["--port", "0"]);
    assertEquals("values" in command && command.values.port, 0);
  });

  for (const port of ["abc", "-1", "65536", "1.5", ""]) {
    it(`--port ${JSON.stringify(port)} is rejected by name`, () => {
      assertThrows(
        () => parseCommand(server, ["--port", port]),
        UsageError,
        "Cannot use --port",
      );
    });
  }

  it("a surplus argument is rejected by name", () => {
    assertThrows(
      () => parseCommand(server, ["8080"]),
      UsageError,
      'Cannot use "8080"',
    );
  });
});

describe("the command line of the client", () => {
  it("an address of two arguments is rejected with the flags to use", () => {
    for (const hostname of ["localhost", "::1"]) {
      const error = assertThrows(
        () => parseCommand(client, [hostname, "8080"]),
        UsageError,
      );
      assertEquals(
        error.message,
        `Cannot use "8080": expected at most 1 argument; quote a message of several words; to connect elsewhere use --hostname ${hostname} --port 8080`,
      );
    }
  });

  it("without flags uses the library's defaults", () => {
    const command = parseCommand(client, []);
    assertEquals("values" in command && connectOptions(command.values), {
      hostname: undefined,
      port: undefined,
      path: undefined,
      tls: false,
      timeout: undefined,
      wait: undefined,
    });
  });

  it("a message may look like a number or, after --, like a flag", () => {
    for (const args of [["42"], ["--", "--port"], [""]]) {
      const command = parseCommand(client, args);
      assertEquals(
        "positionals" in command && command.positionals,
        args.slice(-1),
      );
    }
  });

  for (
    const args of [
      ["--port", "0"],
      ["--timeout", "10"],
      ["--timeout", "0s"],
      ["--wait", "soon"],
      ["--hostname", ""],
      ["one", "two"],
      ["--mesage", "x"],
      ["--unix", "/tmp/x", "--port", "1"],
      ["--unix", "/tmp/x", "--tls"],
      ["--tls-ca", "ca.pem"],
      ["--ping", "--load"],
      ["--ping", "hello"],
      ["--load", "-"],
      ["--count", "1"],
      ["--size", "1"],
      ["--interval", "1s"],
      ["--load", "--interval", "1s"],
      ["--ping", "--rate", "1"],
      ["--ping", "--connections", "1"],
      ["--ping", "--duration", "1s"],
      ["--ping", "--interval", "0s"],
      ["--ping", "--count", "0"],
      ["--ping", "--size", "0"],
      ["--load", "--rate", "0"],
      ["--load", "--rate", "-5"],
      ["--load", "--rate", "NaN"],
      ["--load", "--connections", "0"],
      ["--load", "--duration", "10"],
      ["--expect", "p99<5ms"],
      ["--html", "report.html"],
      ["--connect"],
      ["--load", "--connect"],
      ["--ping", "--connect", "--size", "1"],
      ["--ping", "--warmup", "1s"],
      ["--load", "--warmup", "1"],
      ["--ping", "--reconnect", "5"],
      ["--load", "--reconnect", "0"],
      ["--load", "--expect", "p99<5"],
      ["--load", "--expect", "p99<5ms", "--expect", "jitter<1ms"],
      ["--ping", "--expect", "rate>5"],
      ["--load", "--rate", "most"],
      ["--load", "--rate", "max"],
      ["--load", "--rate", "max", "--expect", "p99<5ms", "--count", "5"],
      ["--ping", "--rate", "max", "--expect", "p99<5ms"],
    ]
  ) {
    it(`${args.join(" ")} is rejected`, () => {
      assertThrows(() => {
        const command = parseCommand(client, args);
        if ("values" in command) {
          connectOptions(command.values);
          modeOf(command.values, command.positionals);
        }
      }, UsageError);
    });
  }
});

describe("the conditions and the rate on the client's command line", () => {
  it("are a list and a number or max", () => {
    const command = parseCommand(client, [
      "--load",
      ...["--expect", "p99<5ms", "--rate", "max", "--expect=loss<1%"],
    ]);
    if (!("values" in command)) throw new Error("it only shows a text");
    assertEquals(modeOf(command.values, []), "load");
    assertEquals(command.values.rate, "max");
    assertEquals(
      command.values.expect.map(({ text }) => text),
      ["p99<5ms", "loss<1%"],
    );
  });

  it("are none and undefined without flags", () => {
    const command = parseCommand(client, ["--load", "--rate", "7"]);
    if (!("values" in command)) throw new Error("it only shows a text");
    assertEquals([command.values.expect, command.values.rate], [[], 7]);
  });
});

describe("the advice if the client cannot connect", () => {
  const refused = new ConnectionRefusedError("Cannot connect");
  for (
    const [args, expected] of [
      [
        ["localhost:8080"],
        "to connect elsewhere use --hostname localhost --port 8080",
      ],
      [["[::1]:80"], "to connect elsewhere use --hostname ::1 --port 80"],
      [["Hello"], "start the server first"],
      [["at 12:30"], "start the server first"],
      [["12:30"], "start the server first"],
      [["localhost:8080", "--port", "7"], "start the server first"],
    ] as const
  ) {
    it(args.join(" "), () => {
      const command = parseCommand(client, args);
      if (!("values" in command)) throw new Error("it only shows a text");
      const hint = advice(refused, command.values, command.positionals);
      assertStringIncludes(hint ?? "", expected);
    });
  }
});

for (const program of [server, client] as Program<Flags>[]) {
  it(`${program.name} --help names every flag in at most 80 columns, and --version the versions`, () => {
    const help = parseCommand(program, ["--port", "7", "--help"]);
    const shown = "text" in help ? help.text : "";
    for (const name of [...Object.keys(program.flags), "help", "version"]) {
      assertStringIncludes(shown, `--${name}`);
    }
    assertEquals(parseCommand(program, ["-h"]), help);
    for (const line of shown.split("\n")) assertLessOrEqual(line.length, 80);
    assertStringIncludes(shown, "such as 500ms, 10s, 2m or 1h");
    const version = parseCommand(program, ["--version"]);
    assertEquals(parseCommand(program, ["-V"]), version);
    assertMatch(
      "text" in version ? version.text : "",
      /^echo-\w+ \d+\.\d+\.\d+ \(deno \d+\.\d+\.\d+.*\)$/,
    );
  });
}

/** Explains the failure of the only test that needs the default port. */
function requireDefaultPort(): void {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: 12345 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Error(
      "Cannot run the demo: port 12345 is in use; stop the server that runs there",
    );
  }
}

describe("the programs as processes", { ignore: !mayRun }, () => {
  it("deno task demo prints exactly its two lines", async () => {
    requireDefaultPort();
    const { status, stdout } = await output(["task", "--quiet", "demo"]);
    assertEquals(
      stdout,
      "Server listening on 127.0.0.1:12345\nReceived from server: Hello, server!\n",
    );
    assertEquals(status, 0);
  });

  it("the client prints the echo of the default message and of others", async () => {
    const { running, port } = await startServer();
    await using _server = running;
    for (
      const [args, line] of [
        [[], "Hello, server!"],
        [["grüße 👋"], "grüße 👋"],
        [[""], ""],
      ] as const
    ) {
      assertEquals(
        await output(deno("client.ts", [...args, "--port", port])),
        { status: 0, stdout: `Received from server: ${line}\n`, stderr: "" },
      );
    }
  });

  for (const signal of TERMINATION_SIGNALS) {
    it(`${signal} shuts the server down with status 0 and no output`, {
      ignore: !maySignal,
    }, async () => {
      const { running } = await startServer();
      await using server = running;
      server.child.kill(signal);
      const { status, stderr } = await server.outcome;
      assertEquals({ status, stderr }, { status: 0, stderr: "" });
    });
  }

  it("--once serves one connection and exits", async () => {
    const { running, port } = await startServer(["--once"]);
    await using server = running;
    const { status } = await output(deno("client.ts", ["--port", port]));
    assertEquals(status, 0);
    assertEquals((await server.outcome).status, 0);
  });

  it("--wait lets the client start first", async () => {
    const port = String(closedPort());
    await using client = new Running(
      deno("client.ts", ["--port", port, "--wait", "1m"]),
    );
    await using _server = new Running(
      deno("server.ts", ["--port", port, "--once"]),
    );
    assertEquals((await client.outcome).status, 0);
  });
});

describe(
  "an error is one line on stderr and an exit status",
  { ignore: !mayRun },
  () => {
    async function fails(
      args: string[],
      status: number,
      stderr: string,
    ): Promise<void> {
      assertEquals(await output(args), { status, stdout: "", stderr });
    }

    it("wrong usage is 2", async () => {
      await fails(
        deno("client.ts", ["--prot", "1"]),
        2,
        'echo-client: Cannot use unknown flag "--prot": did you mean --port?; see --help\n',
      );
    });

    it("a refused connection is 1", async () => {
      const port = String(closedPort());
      await fails(
        deno("client.ts", ["--port", port]),
        1,
        `echo-client: Cannot connect to 127.0.0.1:${port}: connection refused; start the server first, or wait for it with --wait 10s\n`,
      );
    });

    it("a file that holds no certificate is 1, and is named", async () => {
      // Without --allow-net: it is rejected before anything is opened.
      await fails(
        deno("client.ts", ["--tls", "--tls-ca", "deno.json"], [
          "--allow-read=deno.json",
        ]),
        1,
        "echo-client: Cannot use --tls-ca deno.json: it holds no certificate in PEM format\n",
      );
    });

    it("a port in use is 1", async () => {
      const { running, port } = await startServer();
      await using _server = running;
      await fails(
        deno("server.ts", ["--port", port]),
        1,
        `echo-server: Cannot listen on 127.0.0.1:${port}: address already in use; stop the program that listens there, or choose another address\n`,
      );
    });

    it("a missing permission is 1, and the flag is named", async () => {
      for (
        const [program, action] of [
          ["server", "listen on"],
          ["client", "connect to"],
        ] as const
      ) {
        await fails(
          deno(`${program}.ts`, ["--hostname", "::1", "--port", "8080"], []),
          1,
          `echo-${program}: Cannot ${action} [::1]:8080: permission not granted: run again with '--allow-net=[::1]:8080'\n`,
        );
      }
    });

    it("a host name that does not resolve is 1", async () => {
      await fails(
        deno("client.ts", ["--hostname", "nowhere.invalid"], ["--allow-net"]),
        1,
        "echo-client: Cannot connect to nowhere.invalid:12345: the host name does not resolve\n",
      );
    });

    it("a timeout is 1", async () => {
      await using server = peer(discard);
      await fails(
        deno("client.ts", [
          "--port",
          String(server.port),
          "--timeout",
          "500ms",
        ]),
        1,
        `echo-client: Cannot finish the exchange with 127.0.0.1:${server.port}: 0 of 14 bytes within 500 ms; is it an echo server? allow more time with --timeout\n`,
      );
    });

    it("a byte that differs is 1", async () => {
      await using server = peer(async (conn) => {
        await read(conn, 14);
        await write(conn, new TextEncoder().encode("Hello, client!"));
      });
      await fails(
        deno("client.ts", ["--port", String(server.port)]),
        1,
        `echo-client: Cannot finish the exchange with 127.0.0.1:${server.port}: differs at byte 7: sent 0x73, received 0x63; is it an echo server?\n`,
      );
    });

    it("a connection that the server closes early is 1", async () => {
      await using server = peer(async (conn) => {
        await write(conn, await read(conn, 7));
        await conn.closeWrite();
        await discard(conn);
      });
      await fails(
        deno("client.ts", ["--port", String(server.port)]),
        1,
        `echo-client: Cannot finish the exchange with 127.0.0.1:${server.port}: closed by the server after 7 of 14 bytes; is it an echo server?\n`,
      );
    });
  },
);
