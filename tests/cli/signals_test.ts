import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { countSignals } from "../../lib/cli/signals.ts";
import { closedPort, portOf, read, utf8, write } from "../support/peers.ts";
import {
  deno,
  maySignal,
  output,
  Running,
  shell,
  startServer,
} from "../support/processes.ts";

/** Whether Python's `pty` is installed, which runs a program on a terminal. */
const hasTerminal = maySignal && await (async () => {
  try {
    const { status } = await new Running(["-c", "import pty"], {
      program: "python3",
    }).outcome;
    return status === 0;
  } catch {
    return false;
  }
})();
if (maySignal && !hasTerminal) {
  console.warn("No python3 with pty: tests on a terminal are ignored");
}

/** `deno` on its own terminal. What is written to stdin is typed there. */
function onTerminal(args: string[], options: string[] = []): Running {
  const driver = `${import.meta.dirname}/../support/terminal.py`;
  return new Running([driver, ...options, Deno.execPath(), ...args], {
    program: "python3",
    stdin: "piped",
  });
}

const CTRL_C = utf8("\x03");

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves once a port accepts connections. */
async function untilListening(port: number): Promise<void> {
  for (;;) {
    try {
      return (await Deno.connect({ port })).close();
    } catch {
      await pause(1);
    }
  }
}

/** Three clients that send more than the server can write back. */
async function threeBusy(port: number) {
  // Many times what the socket buffers of both ends hold on Linux (6 MB).
  const sent = new Uint8Array(32 << 20);
  const conns = await Promise.all(
    [1, 2, 3].map(() => Deno.connect({ port })),
  );
  const sending = conns.map((conn) => write(conn, sent).catch(() => {}));
  return {
    /** Reads each echo until its end, then closes. Returns their lengths. */
    async drain(): Promise<number[]> {
      const echoes = await Promise.all(conns.map(async (conn) => {
        const echo = await read(conn).catch(() => new Uint8Array());
        await conn.closeWrite().catch(() => {});
        return echo;
      }));
      return echoes.map(({ length }) => length);
    },
    async [Symbol.asyncDispose]() {
      for (const conn of conns) conn.close();
      await Promise.all(sending);
    },
  };
}

describe("the signals that count", () => {
  /** The signals that count, of those that arrive at these times in ms. */
  function counted(signals: [Deno.Signal, number][]): [Deno.Signal, number][] {
    let time = 0;
    const seen: [Deno.Signal, number][] = [];
    const count = countSignals((signal) => seen.push([signal, time]), {
      now: () => time,
    });
    for (const [signal, at] of signals) {
      time = at;
      count(signal);
    }
    return seen;
  }

  it("do not include repeats within 200 ms", () => {
    assertEquals(
      counted([0, 1, 150, 199, 200, 201, 399].map((at) => ["SIGINT", at])),
      [["SIGINT", 0], ["SIGINT", 200]],
    );
  });

  it("include different signals at the same time", () => {
    assertEquals(counted([["SIGINT", 0], ["SIGTERM", 1], ["SIGINT", 2]]), [
      ["SIGINT", 0],
      ["SIGTERM", 1],
    ]);
  });

  it("include SIGHUP only as the first signal", () => {
    assertEquals(
      counted([["SIGHUP", 0], ["SIGHUP", 5_000], ["SIGINT", 5_001]]),
      [["SIGHUP", 0], ["SIGINT", 5_001]],
    );
    assertEquals(counted([["SIGINT", 0], ["SIGHUP", 5_000]]), [["SIGINT", 0]]);
  });
});

describe("a signal to a program", { ignore: !maySignal }, () => {
  it("shuts the server down as soon as it listens, before it prints that", {
    ignore: Deno.build.os !== "linux",
  }, async () => {
    const port = closedPort();
    const command = shell(deno("server.ts", ["--port", String(port)]));
    // The pipe is full and not read, so the server cannot print its line yet.
    const child = new Deno.Command("sh", {
      args: ["-c", `head -c 65536 /dev/zero; exec ${command}`],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    await untilListening(port);
    child.kill("SIGTERM");
    const { stdout, code } = await child.output();
    const output = new TextDecoder().decode(stdout.subarray(65_536));
    assertEquals([code, output], [
      0,
      `Server listening on 127.0.0.1:${port}\n`,
    ]);
  });

  it("shuts the server down as soon as it has printed that it listens", async () => {
    for (let run = 0; run < 20; run++) {
      const { running } = await startServer();
      await using server = running;
      server.child.kill("SIGTERM");
      const { status, stderr } = await server.outcome;
      assertEquals({ status, stderr }, { status: 0, stderr: "" });
    }
  });

  it("is ignored if it is SIGHUP and the server has no terminal", async () => {
    const { running, port } = await startServer(["--verbose"]);
    await using server = running;
    server.child.kill("SIGHUP");
    const { status } = await output(deno("client.ts", ["--port", port]));
    assertEquals(status, 0);
    await server.shows(/14 written/, "stderr");
    server.child.kill("SIGTERM");
    assertEquals((await server.outcome).status, 0);
  });

  it("is ignored if it is SIGHUP and the client has no terminal", async () => {
    await using server = serve({ port: 0 });
    const args = ["--ping", "--port", String(portOf(server))];
    await using client = new Running(
      deno("client.ts", [...args, "--interval", "10ms"]),
    );
    await client.shows(/seq=1 /);
    client.child.kill("SIGHUP");
    await client.shows(/seq=20 /);
    client.child.kill("SIGINT");
    const { status, stdout } = await client.outcome;
    assertEquals(status, 0);
    assertStringIncludes(stdout, "ping statistics");
  });
});

describe("a program on a terminal", { ignore: !hasTerminal }, () => {
  const server = deno("server.ts", ["--port", "0", "--grace", "1h"]);

  async function listening(running: Running): Promise<number> {
    const [, port] = await running.shows(/Server listening on .*:(\d+)\r/);
    return Number(port);
  }

  it("drains the server on one Ctrl-C that is delivered twice", async () => {
    await using running = onTerminal([...server, "--verbose"], ["--twice"]);
    const keys = running.child.stdin.getWriter();
    await using clients = await threeBusy(await listening(running));
    await running.shows(/#3 .*opened/);
    await keys.write(CTRL_C);
    await running.shows(/draining 3 connections, Ctrl-C again to abort\r/);
    const received = await clients.drain();
    const { status, stdout } = await running.outcome;
    assertEquals(status, 0);
    assert(received.every((length) => length > 0));
    assertEquals(
      stdout.match(/: closed by the shutdown\r/g)?.length,
      3,
      stdout,
    );
    await keys.close().catch(() => {});
  });

  it("aborts open connections on a second Ctrl-C", async () => {
    await using running = onTerminal([...server, "--verbose"], ["--twice"]);
    const keys = running.child.stdin.getWriter();
    await using _clients = await threeBusy(await listening(running));
    await running.shows(/#3 .*opened/);
    await keys.write(CTRL_C);
    await running.shows(/draining 3 connections/);
    // More than the 200 ms within which a repeat does not count.
    await pause(250);
    await keys.write(CTRL_C);
    const { status, stdout } = await running.outcome;
    assertEquals(status, 0);
    assertEquals(stdout.match(/aborted by the shutdown/g)?.length, 3, stdout);
    await keys.close().catch(() => {});
  });

  it("prints nothing on Ctrl-C if no connection is open", async () => {
    await using running = onTerminal(server);
    const keys = running.child.stdin.getWriter();
    await listening(running);
    await keys.write(CTRL_C);
    const { status, stdout } = await running.outcome;
    assertEquals(status, 0);
    assertMatch(stdout, /^Server listening on \S+\r\n(\^C)?$/);
    await keys.close().catch(() => {});
  });

  it("prints the client's report on one Ctrl-C that is delivered twice", async () => {
    await using echo = serve({ port: 0 });
    for (
      const [mode, started, report] of [
        ["--ping", /seq=1 /, /ping statistics/],
        ["--load", /messages/, /messages verified/],
      ] as const
    ) {
      const args = [mode, "--port", String(portOf(echo)), "--wait", "1m"];
      await using running = onTerminal(deno("client.ts", args), ["--twice"]);
      const keys = running.child.stdin.getWriter();
      await running.shows(started);
      await keys.write(CTRL_C);
      const { status, stdout } = await running.outcome;
      assertEquals(status, 0, stdout);
      assertMatch(stdout, report);
      await keys.close().catch(() => {});
    }
  });

  it("shuts the server down when the terminal is closed", async () => {
    const port = closedPort();
    const args = deno("server.ts", ["--port", String(port)]);
    await using running = onTerminal(args);
    await listening(running);
    await running.child.stdin.close();
    assertEquals((await running.outcome).status, 0);
  });
});
