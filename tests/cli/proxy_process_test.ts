import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { cert, certificateFiles, key } from "../support/certificates.ts";
import {
  closedPort,
  discard,
  echo,
  pattern,
  peer,
  read,
  until,
  utf8,
  write,
} from "../support/peers.ts";
import {
  deno,
  mayRun,
  maySignal,
  type Outcome,
  output,
  Running,
  startServer,
} from "../support/processes.ts";

/** What the client prints for its default message. */
const ECHOED: Outcome = {
  status: 0,
  stdout: "Received from server: Hello, server!\n",
  stderr: "",
};

/** The client program, at a port. */
function runClient(port: string, args: string[] = []): Promise<Outcome> {
  return output(deno("client.ts", ["--port", port, ...args], ["-A"]));
}

/** Sends bytes and a FIN, and returns what comes back until the connection ends. */
async function exchanged(port: string, sent: Uint8Array): Promise<Uint8Array> {
  using conn = await Deno.connect({ port: Number(port) });
  await write(conn, sent);
  await conn.closeWrite().catch(() => {});
  return await read(conn).catch(() => new Uint8Array());
}

describe("the server program with an upstream", { ignore: !mayRun }, () => {
  it("says where it listens and forwards to, and forwards", async () => {
    await using echo = serve({ port: 0 });
    const to = `127.0.0.1:${echo.addr.port}`;
    const { running, port } = await startServer(["--upstream", to]);
    await using server = running;
    assertEquals(await runClient(port), ECHOED);
    assertEquals(
      server.stdout,
      `Server listening on 127.0.0.1:${port}, forwarding to ${to}\n`,
    );
    assertEquals(echo.stats().bytesRead, 14);
  });

  it("forwards to a Unix socket, and from one", {
    ignore: Deno.build.os === "windows",
  }, async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/echo.sock`;
    await using echo = serve({ path });
    const upstream = ["--upstream-unix", path];
    const { running, port } = await startServer(upstream, ["-A"]);
    await using server = running;
    assertEquals(await runClient(port), ECHOED);
    assertStringIncludes(server.stdout, `, forwarding to ${path}\n`);
    const own = `${folder}/proxy.sock`;
    await using second = new Running(
      deno("server.ts", ["--unix", own, ...upstream, "--once"], ["-A"]),
    );
    await second.shows(/Server listening/);
    assertEquals(
      await output(deno("client.ts", ["--unix", own], ["-A"])),
      ECHOED,
    );
    assertEquals(
      (await second.outcome).stdout,
      `Server listening on ${own}, forwarding to ${path}\n`,
    );
    await echo.shutdown();
    await Deno.remove(folder); // fails unless it is empty
  });

  it("speaks TLS with an upstream that it can verify", async () => {
    await using files = await certificateFiles();
    await using echo = serve({ port: 0, cert, key });
    const tls = ["--upstream-tls", "--verbose"];
    const to = ["--upstream", `localhost:${echo.addr.port}`, ...tls];
    const trust = ["--upstream-tls-ca", `${files.folder}/ca.pem`];
    const trusting = await startServer([...to, ...trust], ["-A"]);
    await using _trusting = trusting.running;
    assertEquals(await runClient(trusting.port), ECHOED);

    const wary = await startServer(to, ["-A"]);
    await using server = wary.running;
    assertEquals((await runClient(wary.port)).status, 1);
    const [line] = await server.shows(/.* upstream not reachable .*/, "stderr");
    assertStringIncludes(line, "its certificate is not trusted");
  });

  it("rejects a file that holds no certificate, before it listens", async () => {
    await using files = await certificateFiles();
    const path = `${files.folder}/key.pem`;
    const args = ["--upstream", "localhost:1", "--upstream-tls"];
    assertEquals(
      await output(
        deno("server.ts", [...args, "--upstream-tls-ca", path], [
          `--allow-read=${path}`,
        ]),
      ),
      {
        status: 1,
        stdout: "",
        stderr:
          `echo-server: Cannot use --upstream-tls-ca ${path}: it holds no certificate in PEM format\n`,
      },
    );
  });

  it("speaks TLS with its clients, in front of an upstream without", async () => {
    await using files = await certificateFiles();
    await using echo = serve({ port: 0 });
    const { folder } = files;
    const { running, port } = await startServer([
      ...["--upstream", `127.0.0.1:${echo.addr.port}`],
      ...["--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`],
    ], ["-A"]);
    await using _server = running;
    const tls = ["--tls", "--tls-ca", `${folder}/ca.pem`];
    assertEquals(await runClient(port, tls), ECHOED);
  });

  for (const direction of [undefined, "downstream", "upstream", "both"]) {
    it(`injects faults ${direction ?? "by default"}`, async () => {
      let arrived = new Uint8Array();
      await using upstream = peer(async (conn) => {
        arrived = new Uint8Array(await read(conn));
        await write(conn, arrived);
      });
      const { running, port } = await startServer([
        ...["--upstream", `127.0.0.1:${upstream.port}`],
        ...["--corrupt", "1", "--verbose"],
        ...direction ? ["--fault-direction", direction] : [],
      ]);
      await using server = running;
      const sent = pattern(1_000);
      const received = await exchanged(port, sent);
      const differing = (a: Uint8Array, b: Uint8Array) =>
        a.length === b.length && a.filter((byte, i) => byte !== b[i]).length;
      const inRequest = direction === "upstream" || direction === "both";
      const inReply = direction !== "upstream";
      assertEquals(
        [differing(sent, arrived), differing(arrived, received)],
        [inRequest ? 1_000 : 0, inReply ? 1_000 : 0],
      );
      const [, count] = await server.shows(/; faults: corrupt (\d+)/, "stderr");
      assertEquals(Number(count), inRequest && inReply ? 2_000 : 1_000);
    });
  }

  it("cuts what the client receives, and logs the fault", async () => {
    await using upstream = peer(echo);
    const { running, port } = await startServer([
      ...["--upstream", `127.0.0.1:${upstream.port}`],
      ...["--limit-data", "7", "--verbose"],
    ]);
    await using server = running;
    const { status, stderr } = await runClient(port);
    assertEquals(status, 1);
    assertStringIncludes(stderr, "after 7 of 14 bytes");
    await server.shows(
      / 14 bytes read, 7 written.*: closed by a fault; faults: limitData 1\n/,
      "stderr",
    );
  });

  it("--once serves one connection, then exits", async () => {
    await using echo = serve({ port: 0 });
    const { running, port } = await startServer([
      ...["--upstream", `127.0.0.1:${echo.addr.port}`, "--once"],
    ]);
    await using server = running;
    assertEquals(await runClient(port), ECHOED);
    const { status, stderr } = await server.outcome;
    assertEquals([status, stderr], [0, ""]);
  });

  it("passes on an answer that the upstream gives after SIGTERM", {
    ignore: !maySignal,
  }, async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    await using upstream = peer(async (conn) => {
      await read(conn, 3);
      asked.resolve();
      await answer.promise;
      await write(conn, utf8("late"));
      await discard(conn);
    });
    const { running, port } = await startServer([
      ...["--upstream", `127.0.0.1:${upstream.port}`],
      ...["--verbose", "--grace", "1h"],
    ]);
    await using server = running;
    using conn = await Deno.connect({ port: Number(port) });
    await write(conn, utf8("ask"));
    await asked.promise;
    server.child.kill("SIGTERM");
    // Only once nothing listens any more does the answer come.
    for (let refused = false; !refused;) {
      refused = await Deno.connect({ port: Number(port) })
        .then((other) => other.close(), () => true) ?? false;
    }
    answer.resolve();
    assertEquals(await read(conn), utf8("late"));
    conn.close();
    const { status, stderr } = await server.outcome;
    assertEquals(status, 0);
    assertMatch(
      stderr,
      /#1 .* 3 bytes read, 4 written, .*: closed by the shutdown\n/,
    );
  });

  it("says nothing about sides that reset their connections", {
    ignore: !maySignal,
  }, async () => {
    // What was not read makes the close a reset.
    await using upstream = peer((conn) => Promise.resolve(conn.close()));
    const { running, port } = await startServer([
      ...["--upstream", `127.0.0.1:${upstream.port}`],
    ]);
    await using server = running;
    for (let i = 0; i < 20; i++) {
      using conn = await Deno.connect({ port: Number(port) });
      await write(conn, pattern(100_000)).catch(() => {});
      if (i % 2 === 0) await read(conn).catch(() => {});
    }
    server.child.kill("SIGTERM");
    const { status, stderr } = await server.outcome;
    assertEquals([status, stderr], [0, ""]);
  });
});

describe("an upstream that is not reachable", { ignore: !maySignal }, () => {
  const count = 20;

  /** What a proxy logs of that many connections, and where it forwards to. */
  async function logOf(args: string[]): Promise<{ log: string; to: string }> {
    const to = `127.0.0.1:${closedPort()}`;
    const { running, port } = await startServer(["--upstream", to, ...args]);
    await using server = running;
    const received = await Promise.all(
      Array.from({ length: count }, () => exchanged(port, utf8("hello"))),
    );
    assert(received.every(({ length }) => length === 0));
    if (args.length > 0) {
      await until(() => server.stderr.split("\n").length > 2 * count);
    }
    server.child.kill("SIGTERM");
    const { status, stderr } = await server.outcome;
    assertEquals(status, 0);
    return { log: stderr, to };
  }

  it("is one line for all connections", async () => {
    const { log, to } = await logOf([]);
    assertEquals(
      log,
      `echo-server: Cannot connect to ${to}: connection refused\n`,
    );
  });

  it("is the reason of each connection in the log", async () => {
    const { log, to } = await logOf(["--verbose"]);
    const lines = log.trimEnd().split("\n");
    const reason =
      `: upstream not reachable (Cannot connect to ${to}: connection refused)`;
    assertEquals(lines.filter((line) => line.endsWith(reason)).length, count);
    assertEquals(
      lines.filter((line) => line.endsWith(" opened")).length,
      count,
    );
    // The outage itself, and the summary.
    assertEquals(lines.length, 2 * count + 2);
  });

  it("is the reason and the error of each connection in the JSON log", async () => {
    const { log, to } = await logOf(["--log-format", "json"]);
    const events = log.trimEnd().split("\n").map((line) => JSON.parse(line));
    const closed = events.filter(({ event }) => event === "closed");
    assertEquals(closed.length, count);
    for (const { reason, error } of closed) {
      assertEquals([reason, error], [
        "unreachable",
        `Cannot connect to ${to}: connection refused`,
      ]);
    }
    const outages = events.filter(({ event }) => event === "upstreamError");
    assertEquals(outages.map(({ error }) => error), [closed[0].error]);
    assertEquals(events.length, 2 * count + 2);
    assertEquals(events.at(-1).upstream, { bytesRead: 0, bytesWritten: 0 });
  });

  it("is told again once it was reached in between", async () => {
    const port = closedPort();
    const { running, port: own } = await startServer([
      ...["--upstream", `127.0.0.1:${port}`],
    ]);
    await using server = running;
    await exchanged(own, utf8("hello"));
    await server.shows(/connection refused\n/, "stderr");
    {
      await using _echo = serve({ port });
      assertEquals(await exchanged(own, utf8("hello")), utf8("hello"));
    }
    await exchanged(own, utf8("hello"));
    await server.shows(/(connection refused\n[^]*){2}/, "stderr");
    server.child.kill("SIGTERM");
    assertEquals((await server.outcome).status, 0);
  });
});

describe("a proxy without its permissions", { ignore: !mayRun }, () => {
  const own = "127.0.0.1:12345";
  for (
    const [args, granted, action, advice] of [
      [
        "--upstream 127.0.0.1:6379",
        [],
        `listen on ${own}, forwarding to 127.0.0.1:6379`,
        `--allow-net=${own},127.0.0.1:6379`,
      ],
      [
        // What `deno task server` grants.
        "--upstream 127.0.0.1:6379",
        [`--allow-net=${own}`],
        `listen on ${own}, forwarding to 127.0.0.1:6379`,
        `--allow-net=${own},127.0.0.1:6379`,
      ],
      [
        "--upstream localhost:6379",
        ["--allow-net=localhost:6379"],
        `listen on ${own}, forwarding to localhost:6379`,
        `--allow-net=${own},localhost:6379`,
      ],
      [
        "--port 8080 --upstream [::1]:6379",
        ["--allow-net=127.0.0.1:8080"],
        "listen on 127.0.0.1:8080, forwarding to [::1]:6379",
        "'--allow-net=127.0.0.1:8080,[::1]:6379'",
      ],
      [
        "--upstream-unix /run/db",
        [`--allow-net=${own}`],
        `listen on ${own}, forwarding to /run/db`,
        `--allow-net=${own},unix:/run/db --allow-read=/run/db --allow-write=/run/db`,
      ],
      [
        "--unix /run/echo --upstream-unix /run/db",
        ["--allow-net", "--allow-read"],
        "listen on /run/echo, forwarding to /run/db",
        "--allow-net=unix:/run/echo,unix:/run/db --allow-read=/run/echo,/run/db --allow-write=/run/echo,/run/db",
      ],
    ] as const
  ) {
    it(`is told all of them: ${args} with ${granted}`, async () => {
      const command = deno("server.ts", args.split(" "), [...granted]);
      assertEquals(await output(command), {
        status: 1,
        stdout: "",
        stderr:
          `echo-server: Cannot ${action}: permission not granted: run again with ${advice}\n`,
      });
    });
  }

  it("listens with exactly the flags that it is told", async () => {
    const port = String(closedPort());
    const args = ["--port", port, "--upstream", `127.0.0.1:${closedPort()}`];
    const { stderr } = await output(deno("server.ts", args, []));
    const [, flag] = /run again with (\S+)\n$/.exec(stderr) ?? [];
    await using server = new Running(deno("server.ts", args, [flag!]));
    await server.shows(/Server listening/);
  });
});
