import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { certificateFiles } from "../support/certificates.ts";
import { closedPort, discard, peer, read, write } from "../support/peers.ts";
import {
  deno,
  mayRun,
  output,
  Running,
  startServer,
} from "../support/processes.ts";

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

  it("the default client loads no other mode, nor the report", async () => {
    const { stdout } = await output(["info", "--json", "client.ts"]);
    const { modules } = JSON.parse(stdout) as {
      modules: {
        specifier: string;
        dependencies?: {
          isDynamic?: boolean;
          code?: { specifier?: string };
        }[];
      }[];
    };
    const byName = new Map(modules.map((one) => [one.specifier, one]));
    const loaded = new Set<string>();
    const load = (name: string) => {
      if (loaded.has(name)) return;
      loaded.add(name);
      for (const { isDynamic, code } of byName.get(name)?.dependencies ?? []) {
        if (!isDynamic && code?.specifier) load(code.specifier);
      }
    };
    load(new URL("../../client.ts", import.meta.url).href);
    const names = [...loaded].map((name) => name.replace(/.*\/lib\//, ""));
    const others = names.filter((name) =>
      /^(report|stats|load|ping|html_report|max_rate|pipe|node:)/.test(name)
    );
    assertEquals(others, []);
  });
});

describe("an error is one line on stderr and an exit status", {
  ignore: !mayRun,
}, () => {
  type Row = [
    name: string,
    args: string[],
    outcome: { status: number; stderr: string },
  ];
  const ownKey = "deno.json";
  const rows: Row[] = [
    ["wrong usage", deno("client.ts", ["--prot", "1"]), {
      status: 2,
      stderr:
        'echo-client: Cannot use unknown flag "--prot": did you mean --port?; see --help\n',
    }],
    ["a wrong condition", deno("client.ts", ["--ping", "--expect", "p99<"]), {
      status: 2,
      stderr:
        'echo-client: Cannot use --expect "p99<": expected a metric, one of < <= > >= = and a value, such as p99<5ms; see --help\n',
    }],
    [
      "a condition that the mode cannot measure",
      deno("client.ts", ["--load", "--expect", "jitter<1ms"]),
      { status: 2, stderr: "echo-client: Cannot use --expect " },
    ],
    [
      "a file that holds no certificate",
      deno("client.ts", ["--tls", "--tls-ca", ownKey], [
        `--allow-read=${ownKey}`,
      ]),
      {
        status: 1,
        stderr:
          "echo-client: Cannot use --tls-ca deno.json: it holds no certificate in PEM format\n",
      },
    ],
    [
      "a file that does not exist",
      deno("server.ts", ["--tls-cert", "none.pem", "--tls-key", "k"], [
        "--allow-read",
      ]),
      {
        status: 1,
        stderr:
          "echo-server: Cannot read none.pem: no such file or directory\n",
      },
    ],
    [
      "a host name that does not resolve",
      deno("client.ts", ["--hostname", "nowhere.invalid"], ["--allow-net"]),
      {
        status: 1,
        stderr:
          "echo-client: Cannot connect to nowhere.invalid:12345: the host name does not resolve\n",
      },
    ],
    ...(["server", "client"] as const).map((program): Row => [
      `a missing permission of the ${program}`,
      deno(`${program}.ts`, ["--hostname", "::1", "--port", "8080"], []),
      {
        status: 1,
        stderr: `echo-${program}: Cannot ${
          program === "server" ? "listen on" : "connect to"
        } [::1]:8080: permission not granted: run again with '--allow-net=[::1]:8080'\n`,
      },
    ]),
    ...["/", "README.md"].map((path): Row => [
      `no socket but something else: ${path}`,
      deno("server.ts", ["--unix", path], ["-A"]),
      {
        status: 1,
        stderr:
          `echo-server: Cannot listen on ${path}: address already in use; it is no socket: choose another path\n`,
      },
    ]),
  ];
  for (const [name, args, { status, stderr }] of rows) {
    it(name, async () => {
      const outcome = await output(args);
      assertEquals([outcome.status, outcome.stdout], [status, ""]);
      const shown = stderr.endsWith("\n")
        ? outcome.stderr
        : outcome.stderr.slice(0, stderr.length);
      assertEquals(shown, stderr);
      assertEquals(outcome.stderr.split("\n").length, 2, outcome.stderr);
    });
  }

  /** The error of the client at a port, without the port. */
  async function clientError(port: string | number, args: string[] = []) {
    const outcome = await output(
      deno("client.ts", ["--port", String(port), ...args]),
    );
    assertEquals([outcome.status, outcome.stdout], [1, ""]);
    return outcome.stderr.replaceAll(String(port), "PORT");
  }

  it("a refused connection", async () => {
    assertEquals(
      await clientError(closedPort()),
      "echo-client: Cannot connect to 127.0.0.1:PORT: connection refused; start the server first, or wait for it with --wait 10s\n",
    );
  });

  it("a port in use", async () => {
    const { running, port } = await startServer();
    await using _server = running;
    assertEquals(await output(deno("server.ts", ["--port", port])), {
      ...{ status: 1, stdout: "" },
      stderr:
        `echo-server: Cannot listen on 127.0.0.1:${port}: address already in use; stop the program that listens there, or choose another address\n`,
    });
  });

  const action = "echo-client: Cannot finish the exchange with 127.0.0.1:PORT";
  const bytes = (text: string) => new TextEncoder().encode(text);
  const servers: [
    name: string,
    serve: (conn: Deno.Conn) => Promise<void>,
    args: string[],
    error: string,
  ][] = [
    [
      "a timeout",
      discard,
      ["--timeout", "500ms"],
      "0 of 14 bytes within 500 ms; is it an echo server? allow more time with --timeout",
    ],
    [
      "a byte that differs",
      async (conn) => {
        await read(conn, 14);
        await write(conn, bytes("Hello, client!"));
      },
      [],
      "differs at byte 7: sent 0x73, received 0x63; is it an echo server?",
    ],
    [
      "a connection that the server closes early",
      async (conn) => {
        await write(conn, await read(conn, 7));
        await conn.closeWrite();
        await discard(conn);
      },
      [],
      "closed by the server after 7 of 14 bytes; is it an echo server?",
    ],
  ];
  for (const [name, serve, args, error] of servers) {
    it(name, async () => {
      await using server = peer(serve);
      assertEquals(
        await clientError(server.port, args),
        `${action}: ${error}\n`,
      );
    });
  }

  it("a client without TLS at a server with it", async () => {
    await using files = await certificateFiles();
    const { folder } = files;
    const { running, port } = await startServer(
      ["--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`],
      ["-A"],
    );
    await using _server = running;
    const error = await clientError(port);
    assertEquals(
      error.endsWith("received 0x15; it speaks TLS: connect with --tls\n"),
      true,
      error,
    );
  });
});
