import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { certificateFiles } from "../support/certificates.ts";
import { read, write } from "../support/peers.ts";
import {
  deno,
  mayRun,
  maySignal,
  output,
  Running,
  shell,
  startServer,
} from "../support/processes.ts";

/** Resolves once connections to a port are refused. */
async function untilClosed(port: number): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ port })).close();
    } catch {
      return;
    }
  }
}

describe("the server program", { ignore: !mayRun }, () => {
  it("--verbose logs each connection and a summary", {
    ignore: !maySignal,
  }, async () => {
    const { running, port } = await startServer(["--verbose"]);
    await using server = running;
    await output(deno("client.ts", ["--port", port]));
    await server.shows(/#1 .* 14 bytes read, 14 written/, "stderr");
    server.child.kill("SIGTERM");
    const { stdout, stderr } = await server.outcome;
    assertEquals(stdout, `Server listening on 127.0.0.1:${port}\n`);
    assertMatch(
      stderr,
      /^#1 127\.0\.0\.1:\d+ opened\n#1 127\.0\.0\.1:\d+ 14 bytes read, 14 written, .*: closed by the client\n1 connection \(at most 1 at a time\), 14 bytes read, 14 written, .*\n$/,
    );
  });

  it("continues if its log cannot be written", {
    ignore: Deno.build.os !== "linux",
  }, async () => {
    const args = ["--port", "0", "--verbose"];
    const command = shell(deno("server.ts", args));
    await using server = new Running(["-c", `exec ${command} 2>/dev/full`], {
      program: "sh",
    });
    const [, port] = await server.shows(/Server listening on .*:(\d+)\n/);
    for (const _ of [1, 2]) {
      const { status } = await output(deno("client.ts", ["--port", port!]));
      assertEquals(status, 0);
    }
    server.child.kill("SIGTERM");
    assertEquals((await server.outcome).status, 0);
  });

  it("aborts open connections on a second signal", {
    ignore: !maySignal,
  }, async () => {
    const { running, port } = await startServer(["--grace", "1h", "--verbose"]);
    await using server = running;
    using silent = await Deno.connect({ port: Number(port) });
    const flooding = write(silent, new Uint8Array(32 << 20)).catch(() => {});
    await server.shows(/#1 .* opened/, "stderr");
    server.child.kill("SIGINT");
    await untilClosed(Number(port));
    // A different one: a repeat of the same signal would not count.
    server.child.kill("SIGTERM");
    const { status, stderr } = await server.outcome;
    assertEquals(status, 0);
    assertStringIncludes(stderr, "aborted by the shutdown");
    await flooding;
  });

  it("logs the file limit once, and serves its open connections", {
    ignore: !maySignal,
  }, async () => {
    const command = deno("server.ts", ["--port", "0"]).join(" ");
    await using server = new Running(
      ["-c", `ulimit -n 48; exec '${Deno.execPath()}' ${command}`],
      { program: "sh" },
    );
    const [, port] = await server.shows(/Server listening on .*:(\d+)\n/);
    const conns = await Promise.all(
      Array.from({ length: 100 }, () => Deno.connect({ port: Number(port) })),
    );
    await server.shows(/Cannot accept connections/, "stderr");
    await write(conns[0]!, new Uint8Array(1));
    assertEquals(await read(conns[0]!, 1), new Uint8Array(1));
    for (const conn of conns) conn.close();
    const { status } = await output(deno("client.ts", ["--port", port!]));
    assertEquals(status, 0);
    assertEquals(
      server.stderr,
      "echo-server: Cannot accept connections: too many open files; raise the limit (ulimit -n), or set --max-connections below it\n",
    );
  });

  it("shares a port with --reuse-port", {
    ignore: Deno.build.os !== "linux",
  }, async () => {
    const { running, port } = await startServer(["--reuse-port"]);
    await using _one = running;
    await using two = new Running(
      deno("server.ts", ["--reuse-port", "--port", port]),
    );
    await two.shows(/Server listening/);
    const { status } = await output(deno("client.ts", ["--port", port]));
    assertEquals(status, 0);
  });

  it("listens on a Unix socket that a killed server has left behind", {
    ignore: !maySignal,
  }, async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/echo.sock`;
    const server = deno("server.ts", ["--unix", path], ["-A"]);
    await using killed = new Running(server);
    await killed.shows(/Server listening/);
    assertEquals((await output(server)).status, 1);
    killed.child.kill("SIGKILL");
    await killed.outcome;
    await using second = new Running(server);
    await second.shows(/Server listening/);
    assertEquals(
      await output(deno("client.ts", ["hi", "--unix", path], ["-A"])),
      { status: 0, stdout: "Received from server: hi\n", stderr: "" },
    );
    second.child.kill("SIGTERM");
    await second.outcome;
    await Deno.remove(folder); // fails unless it is empty
  });

  it("--once on a Unix socket does not count the probe of another server", {
    ignore: !maySignal,
  }, async () => {
    const folder = await Deno.makeTempDir();
    const args = ["--unix", `${folder}/echo.sock`];
    const server = deno("server.ts", [...args, "--once"], ["-A"]);
    await using running = new Running(server);
    await running.shows(/Server listening/);
    const { status, stderr } = await output(server);
    assertEquals(status, 1);
    assertStringIncludes(stderr, "address already in use");
    const client = await output(deno("client.ts", args, ["-A"]));
    assertEquals(client.stdout, "Received from server: Hello, server!\n");
    assertEquals((await running.outcome).status, 0);
    await Deno.remove(folder);
  });

  it("injects faults and logs them", async () => {
    const faults = ["--limit-data", "7", "--latency", "5ms"];
    const { running, port } = await startServer(["--verbose", ...faults]);
    await using server = running;
    const { status, stderr } = await output(
      deno("client.ts", ["--port", port]),
    );
    assertEquals(status, 1);
    assertStringIncludes(stderr, "after 7 of 14 bytes");
    await server.shows(
      /7 written.*: closed by a fault; faults: latency 1, limitData 1/,
      "stderr",
    );
  });

  it("repeats its faults with the same --seed", async () => {
    const outcomes: string[] = [];
    for (const _ of [1, 2]) {
      const { running, port } = await startServer(
        ["--corrupt", "0.2", "--seed", "42", "--toxicity", "0.7"],
      );
      await using _server = running;
      for (let i = 0; i < 5; i++) {
        const { status, stderr } = await output(
          deno("client.ts", ["--port", port]),
        );
        outcomes.push(`${status} ${stderr.replaceAll(port, "PORT")}`);
      }
    }
    assertEquals(outcomes.slice(0, 5), outcomes.slice(5));
    assert(outcomes.some((outcome) => outcome.includes("differs at byte")));
  });

  it("speaks TLS with a client that trusts its issuer", async () => {
    await using files = await certificateFiles();
    const { folder } = files;
    const { running, port } = await startServer(
      ["--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`],
      ["-A"],
    );
    await using _server = running;
    const run = (ca?: string, permissions = ["-A"]) => {
      const trust = ca ? ["--tls-ca", `${folder}/${ca}.pem`] : [];
      const args = ["--port", port, "--tls", ...trust];
      return output(deno("client.ts", args, permissions));
    };
    const echoed = {
      ...{ status: 0, stderr: "" },
      stdout: "Received from server: Hello, server!\n",
    };
    assertEquals(await run("ca"), echoed);
    // `--cert` is Deno's own way to trust an authority, to which others are added.
    const trusting = ["-A", `--cert=${folder}/ca.pem`];
    assertEquals(await run("otherCa", trusting), echoed);
    const wary = await run();
    assertEquals([wary.status, wary.stdout], [1, ""]);
    assertMatch(
      wary.stderr,
      /^echo-client: Cannot speak TLS with .*--tls-ca\n$/,
    );
    assertEquals(await run("key"), {
      ...{ status: 1, stdout: "" },
      stderr:
        `echo-client: Cannot use --tls-ca ${folder}/key.pem: it holds no certificate in PEM format\n`,
    });
  });
});
