import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import config from "../deno.json" with { type: "json" };
import { program as client } from "../lib/cli/client_flags.ts";
import type { Flags } from "../lib/cli/flag_table.ts";
import { syntax } from "../lib/cli/help.ts";
import { exchange } from "../lib/echo.ts";
import { MIN_DENO_VERSION } from "../lib/net/deno_version.ts";
import { program as server } from "../lib/cli/server_flags.ts";
import { closedPort } from "./support/peers.ts";
import { mayRun, Running, startServer } from "./support/processes.ts";

const here = import.meta.url;
const mayRead =
  (await Deno.permissions.query({ name: "read" })).state === "granted";
const readme = mayRead
  ? await Deno.readTextFile(new URL("../README.md", here))
  : "";

/** The blocks of a language, without their fences. */
const blocks = (language: string) =>
  [...readme.matchAll(/^```(\S+).*\n([^]*?)^```$/gm)]
    .filter(([, of]) => of === language)
    .map(([, , text]) => text!);

interface Example {
  /** As README has it. */
  command: string;
  expected: string;
}

/** The ports in README's commands, which other programs may be using. */
const PORTS = /\b(12345|8080)\b/g;

/**
 * The same command on another port: a task's own command from deno.json with
 * `--port`, because a task has no permission for other ports.
 */
function onPort(port: string, { command, expected }: Example): Example {
  const tasks = config.tasks;
  return {
    command: command.replace(
      /deno task (?:--quiet )?(server|client)\b/,
      (_, task: "server" | "client") => `${tasks[task].command} --port ${port}`,
    ).replace(PORTS, port),
    expected: expected.replace(PORTS, port),
  };
}

/** Every command of the console blocks, and what it is said to show. */
const examples: Example[] = blocks("console").flatMap((block) =>
  block.split(/^\$ /m).slice(1).map((example) => {
    const end = example.indexOf("\n");
    return {
      command: example.slice(0, end),
      expected: example.slice(end + 1).trim(),
    };
  })
);

/** What varies from run to run made the same, where anything was measured. */
function comparable(text: string): string {
  if (!/time=|latency/.test(text)) return text.trim();
  // Whether the client was busy depends on the machine.
  const lines = text.trim().split("\n")
    .filter((line) => !line.startsWith("the client was busy"))
    .map((line) => line.replace(/\d[\d,.]*/g, "#").replace(/█+/g, "█"))
    .map((line) => line.replace(/[µm]s\b/g, "ms").replace(/ +/g, " ").trim());
  // As many bars as there are; none is like the one before it.
  return lines.filter((line, i) => line !== lines[i - 1]).join("\n");
}

/** Runs a command as a user does, to its end, and shows what he sees. */
async function shown(command: string): Promise<string> {
  await using running = new Running(["-c", command], { program: "sh" });
  const { stdout, stderr } = await running.outcome;
  return stderr + stdout;
}

/** The same for one that goes on until it is asked to end. */
async function served(command: string): Promise<string> {
  await using running = new Running(["-c", `exec ${command}`], {
    program: "sh",
  });
  await running.shows(/Server listening .*\n/);
  running.child.kill("SIGTERM");
  const { stdout } = await running.outcome;
  return stdout;
}

const servers = examples.filter(({ expected }) =>
  expected.startsWith("Server listening")
);
const needServer = examples.filter(({ command }) =>
  /task (--quiet )?client/.test(command)
);
const rest = examples.filter((example) =>
  !servers.includes(example) && !needServer.includes(example)
);

// They are written for a Unix shell, with the names that Linux has for its tools.
const mayShow = mayRun && Deno.build.os === "linux";

describe("README's commands show what it says", { ignore: !mayShow }, () => {
  it("all of them are looked at", () => {
    assert(examples.length >= 6);
    assert(servers.length >= 1 && needServer.length >= 4 && rest.length >= 1);
  });

  for (const example of servers) {
    it(example.command, async () => {
      const { command, expected } = onPort(String(closedPort()), example);
      assertEquals((await served(command)).trim(), expected);
    });
  }

  for (const example of rest) {
    it(example.command, async () => {
      const said = comparable(await shown(example.command));
      assert(said.includes(comparable(example.expected)), said);
    });
  }

  for (const example of needServer) {
    it(example.command, async () => {
      const { running, port } = await startServer();
      await using _server = running;
      const { command, expected } = onPort(port, example);
      const said = comparable(await shown(command));
      assert(said.includes(comparable(expected)), said);
    });
  }

  it("each task that they name is run on another port", () => {
    for (const example of [...servers, ...needServer]) {
      const { command } = onPort("1", example);
      assert(!/deno task|12345|8080/.test(command), command);
    }
  });
});

describe("README's tests pass", { ignore: !mayShow }, () => {
  for (
    const block of blocks("ts").filter((text) => /Deno\.test\(/.test(text))
  ) {
    const [, name = ""] = /Deno\.test\("([^"]+)"/.exec(block) ?? [];
    it(name, async () => {
      const folder = await Deno.makeTempDir();
      try {
        const file = `${folder}/example_test.ts`;
        const lib = new URL("../lib/", here).href;
        await Deno.writeTextFile(file, block.replaceAll("./lib/", lib));
        await using running = new Running([
          ...["test", "--quiet", "--allow-net=127.0.0.1,0.0.0.0"],
          ...["--config", "deno.json", file],
        ]);
        const { status, stdout, stderr } = await running.outcome;
        assertEquals(status, 0, stdout + stderr);
        assert(/\b1 passed\b/.test(stdout), stdout);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
});

describe("README's echo server", { ignore: !mayShow }, () => {
  it("runs, and serves the client", async () => {
    const block = blocks("ts").find((text) => text.includes("Deno.listen"))!;
    const port = String(closedPort());
    await using server = new Running(
      ["run", "--quiet", `--allow-net=127.0.0.1:${port}`, "--ext=ts", "-"],
      { stdin: "piped" },
    );
    const writer = server.child.stdin.getWriter();
    await writer.write(
      new TextEncoder().encode(block.replaceAll("12345", port)),
    );
    await writer.close();
    for (const message of ["Hello, server!", "x".repeat(100_000)]) {
      const bytes = await exchange(message, {
        port: Number(port),
        wait: 30_000,
      });
      assertEquals(new TextDecoder().decode(bytes), message);
    }
  });
});

describe("README names", { ignore: !mayRead }, () => {
  /** The cells of its tables, without the padding. */
  const cells = [...readme.matchAll(/^\|.*\|$/gm)].flatMap(([row]) =>
    row.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim())
  );
  const code = ([key, flag]: [string, Flags[string]]) =>
    `\`${syntax(key, flag).replace("|", "\\|")}\``;

  for (const program of [server, client]) {
    const { Faults: faults, ...groups } = program.groups;
    for (const [group, flags] of Object.entries(groups)) {
      it(`the flags of ${program.name}, in a cell of a table: ${group}`, () => {
        const row = Object.entries(flags).map(code).join(" ");
        // The modes have more than flags.
        assert(cells.some((cell) => cell.split(";")[0] === row), row);
      });
    }
    for (const entry of Object.entries(faults ?? {})) {
      it(`the fault ${code(entry)} and its option`, () => {
        const flag = cells.findLastIndex((cell) => cell.includes(code(entry)));
        const [key] = entry;
        assert(
          cells[flag + 1]?.includes(`\`${key}\``) || key === "faultDirection",
        );
      });
    }
  }

  it("no flag that there is not", () => {
    const flags = [server, client].flatMap(({ groups }) =>
      Object.values(groups).flatMap(Object.entries<Flags[string]>).map((
        [key, flag],
      ) => syntax(key, flag).replace(/^-\w, /, "").split(" ")[0])
    );
    const others = ["--help", "--version", "--sanitize-resources"];
    const allowed = [...flags, ...others, "--sanitize-ops", "--yes"];
    for (const [, name] of readme.matchAll(/`(--[a-z-]+)[` ]/g)) {
      assert(allowed.includes(name!) || name!.startsWith("--allow-"), name);
    }
  });

  it("only tasks that there are", () => {
    const tasks = Object.keys(config.tasks);
    for (
      const [, task] of readme.matchAll(/deno task (?:--quiet )?([a-z:]+)/g)
    ) {
      assert(tasks.includes(task!), task);
    }
  });

  it("only files that there are", async () => {
    for (const [, path] of readme.matchAll(/\]\((?!http|#)([^)]+)\)/g)) {
      await Deno.stat(new URL(`../${path}`, here));
    }
  });

  it("the oldest Deno that is not refused", () => {
    assert(readme.includes(`${MIN_DENO_VERSION} or newer`));
  });
});
