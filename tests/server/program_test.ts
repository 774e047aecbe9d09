import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { exchange, serve } from "../../lib/echo.ts";
import { expired } from "../support/certificates.ts";
import {
  closedPort,
  discard,
  peer,
  portOf,
  read,
  utf8,
  write,
} from "../support/peers.ts";
import {
  deno,
  mayRun,
  maySignal,
  output,
  Running,
  shell,
  startServer,
} from "../support/processes.ts";
import { see, within } from "../support/sessions.ts";

const ALL = ["-A"];

/** The server program with few files. */
async function shortOfFiles(files: number, args: string[]) {
  const command = shell(deno("server.ts", ["--port", "0", ...args], ALL));
  const running = new Running(
    ["-c", `ulimit -n ${files}; exec ${command}`],
    { program: "/bin/sh" },
  );
  const [, port] = await running.shows(/Server listening on \S+:(\d+)[,\n]/);
  return { running, port: Number(port) };
}

describe("a server that is short of files", { ignore: !maySignal }, () => {
  for (const kind of ["echo", "proxy"]) {
    it(`accepts fewer clients, and serves each of 200: ${kind}`, () =>
      within(90_000, async () => {
        await using upstream = serve({ port: 0, grace: 0 });
        const flags = kind === "echo"
          ? []
          : ["--upstream", `127.0.0.1:${portOf(upstream)}`];
        const { running, port } = await shortOfFiles(128, flags);
        await using _running = running;
        const results = await Promise.allSettled(
          Array.from(
            { length: 200 },
            (_, i) => exchange(`${i}`, { port, timeout: 60_000 }),
          ),
        );
        const failures = results.filter(({ status }) => status === "rejected");
        assertEquals(failures.length, 0, Deno.inspect(failures[0]));
        assert(!/reach|refused/.test(running.stderr), running.stderr);
      }));
  }
});

describe("the dial of the program as a proxy", { ignore: !maySignal }, () => {
  it("is repeated for as long as --upstream-wait says", () =>
    within(60_000, async () => {
      const upstreamPort = closedPort();
      const { running, port } = await startServer([
        "--upstream",
        `127.0.0.1:${upstreamPort}`,
        "--upstream-wait",
        "30s",
      ]);
      await using _running = running;
      using conn = await Deno.connect({ port: Number(port) });
      await write(conn, utf8("x"));
      await using _upstream = serve({ port: upstreamPort, grace: 0 });
      assertEquals(await read(conn, 1), utf8("x"));
    }));

  it("ends after --upstream-timeout, and says so", () =>
    within(60_000, async () => {
      await using silent = peer(discard);
      const { running, port } = await startServer([
        ...["--upstream", `localhost:${silent.port}`, "--upstream-tls"],
        ...["--upstream-timeout", "300ms"],
      ], ALL);
      await using _running = running;
      using conn = await Deno.connect({ port: Number(port) });
      assertEquals((await see(conn)).bytes.length, 0);
      await running.shows(/no answer within 300 ms/, "stderr");
    }));

  it("says that the certificate of an upstream has expired", () =>
    within(60_000, async () => {
      const { ca, cert, key } = expired;
      await using upstream = serve({ port: 0, cert, key, grace: 0 });
      const file = await Deno.makeTempFile();
      await Deno.writeTextFile(file, ca);
      {
        const { running, port } = await startServer([
          ...["--upstream", `localhost:${portOf(upstream)}`],
          ...["--upstream-tls", "--upstream-tls-ca", file],
        ], ALL);
        await using _running = running;
        using conn = await Deno.connect({ port: Number(port) });
        assertEquals((await see(conn)).bytes.length, 0);
        const [line] = await running.shows(/^echo-server: .*\n/m, "stderr");
        assertMatch(line, /expired/);
      }
      await Deno.remove(file);
    }));
});

describe("the log of the program", { ignore: !maySignal }, () => {
  for (const first of ["client", "upstream"] as const) {
    it(`says who has closed the connection: the ${first}`, () =>
      within(60_000, async () => {
        await using upstream = peer(async (conn) => {
          if (first === "client") await discard(conn);
          else await write(conn, utf8("bye"));
        });
        const { running, port } = await startServer([
          ...["--upstream", `127.0.0.1:${upstream.port}`, "--verbose"],
        ]);
        await using _running = running;
        const conn = await Deno.connect({ port: Number(port) });
        if (first === "upstream") await read(conn);
        conn.close();
        const [line] = await running.shows(/^#1 .* bytes read.*\n/m, "stderr");
        assertMatch(line, new RegExp(`: closed by the ${first}`));
      }));
  }

  it("ends with the summary, although its reader was slow and lines were lost", () =>
    within(90_000, async () => {
      const child = new Deno.Command(Deno.execPath(), {
        args: deno("server.ts", ["--port", "0", "--log-format", "json"]),
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const stdout = child.stdout.getReader();
      try {
        const greeting = await stdout.read();
        const [, port] = /:(\d+)\n/.exec(
          new TextDecoder().decode(greeting.value),
        )!;
        // More than the 4 MiB that it keeps.
        let connections = 0;
        const client = async () => {
          while (connections++ < 20_000) {
            const conn = await Deno.connect({ port: Number(port) });
            await conn.closeWrite();
            await read(conn);
            conn.close();
          }
        };
        await Promise.all(Array.from({ length: 50 }, client));
        child.kill("SIGTERM");
        let text = "";
        for await (
          const part of child.stderr.pipeThrough(new TextDecoderStream())
        ) text += part;
        const lines = text.trimEnd().split("\n");
        assert(text.includes('"dropped"'), "the reader was not slow enough");
        assertMatch(lines.at(-1)!, /"event":"summary"/);
      } finally {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended.
        }
        await stdout.cancel();
        await child.status;
      }
    }));
});

describe("--unix on what is no socket", { ignore: !mayRun }, () => {
  const kinds: [string, (path: string) => Promise<unknown>][] = [
    ["a file", (path) => Deno.writeTextFile(path, "precious")],
    ["a directory", (path) => Deno.mkdir(path)],
    [
      "a FIFO",
      (path) => new Deno.Command("mkfifo", { args: [path] }).output(),
    ],
  ];
  for (const [name, make] of kinds) {
    it(`says so, and does not advise to stop a program: ${name}`, () =>
      within(30_000, async () => {
        const folder = await Deno.makeTempDir();
        const path = `${folder}/echo`;
        await make(path);
        const before = await Deno.lstat(path);
        const { status, stdout, stderr } = await output(
          deno("server.ts", ["--unix", path], ALL),
        );
        const { isFile, isDirectory, size } = await Deno.lstat(path);
        assertEquals([isFile, isDirectory, size], [
          before.isFile,
          before.isDirectory,
          before.size,
        ]);
        await Deno.remove(folder, { recursive: true });
        assertEquals([status, stdout], [1, ""]);
        assert(!/stop the program/.test(stderr), stderr);
        assertMatch(stderr, /^echo-server: Cannot listen on .*socket.*\n$/);
      }));
  }
});

describe(
  "a process whose server is unreferenced",
  { ignore: !maySignal },
  () => {
    it("ends, whatever a fault waits for", () =>
      within(30_000, async () => {
        const lib = new URL("../../lib/echo.ts", import.meta.url);
        const code = `
        import { serve } from "${lib}";
        const server = serve({ port: 0, faults: { closeAfter: 1e9 } });
        const conn = await Deno.connect({ port: server.addr.port });
        await conn.write(new Uint8Array(1));
        await conn.read(new Uint8Array(1));
        server.unref();
        conn.unref();`;
        const { success } = await new Deno.Command(Deno.execPath(), {
          args: ["eval", "--no-check", code],
          signal: AbortSignal.timeout(20_000),
        }).output();
        assert(success);
      }));
  },
);
