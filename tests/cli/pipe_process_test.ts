import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { pattern, portOf, until, utf8 } from "../support/peers.ts";
import {
  deno,
  hasScript,
  mayRun,
  maySignal,
  type Outcome,
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

describe("the client as a pipe", { ignore: !mayRun }, () => {
  it("sends stdin and writes its echo to stdout", async () => {
    await using server = serve({ port: 0 });
    const text = new TextDecoder().decode(
      pattern(500_000).map((byte) => 32 + byte % 90),
    );
    const port = String(portOf(server));
    const outcome = await piped(["-", "--port", port], utf8(text));
    assert(outcome.stdout === text);
    assertEquals([outcome.status, outcome.stderr], [0, ""]);
  });

  it("is only asked for by the dash", async () => {
    await using server = serve({ port: 0 });
    const port = String(portOf(server));
    const { stdout } = await piped(["--port", port], utf8("not this"));
    assertEquals(stdout, "Received from server: Hello, server!\n");
  });

  it("ends with 130 and no word on Ctrl-C, with 1 when the server closes", {
    ignore: !maySignal,
  }, async () => {
    await using server = serve({ port: 0 });
    const args = deno("client.ts", ["-", "--port", String(portOf(server))]);
    for (const isInterrupted of [true, false]) {
      await using client = new Running(args, { stdin: "piped" });
      const writer = client.child.stdin.getWriter();
      await writer.write(utf8("x\n"));
      await client.shows(/x\n/);
      if (isInterrupted) client.child.kill("SIGINT");
      else await server.shutdown();
      const { status, stderr } = await client.outcome;
      assertEquals(status, isInterrupted ? 130 : 1);
      assertMatch(
        stderr,
        isInterrupted
          ? /^$/
          : /^echo-client: Cannot pipe .*closed by the server after 2 of 2.*\n$/,
      );
      await writer.close().catch(() => {});
    }
  });

  it("ends with one line and status 1 when stdout is closed", {
    ignore: !maySignal,
  }, async () => {
    await using server = serve({ port: 0 });
    const args = deno("client.ts", ["-", "--port", String(portOf(server))]);
    await using client = new Running(
      ["-c", `yes | (${shell(args)}; echo $? >&2) | head -c 1`],
      { program: "sh" },
    );
    assertEquals(await client.outcome, {
      ...{ status: 0, stdout: "y" },
      stderr: "echo-client: Cannot write the echo to stdout: it is closed\n1\n",
    });
  });

  for (
    const [redirection, stderr] of [
      ["< tests", "Cannot read stdin: is a directory"],
      [
        "< README.md > /dev/full",
        "Cannot write the echo to stdout: no space left on device",
      ],
    ] as const
  ) {
    it(`says what was attempted: ${redirection}`, {
      ignore: Deno.build.os !== "linux",
    }, async () => {
      await using server = serve({ port: 0 });
      const args = deno("client.ts", ["-", "--port", String(portOf(server))]);
      await using client = new Running(
        ["-c", `${shell(args)} ${redirection}`],
        { program: "sh" },
      );
      assertEquals(await client.outcome, {
        ...{ status: 1, stdout: "" },
        stderr: `echo-client: ${stderr}\n`,
      });
    });
  }

  it("says on a terminal what is connected, and how it ends", {
    ignore: !hasScript,
  }, async () => {
    await using server = serve({ port: 0 });
    const port = String(portOf(server));
    const command = shell(deno("client.ts", ["-", "--port", port]));
    await using client = new Running(["-qec", command, "/dev/null"], {
      ...{ program: "script", stdin: "piped" },
    });
    const writer = client.child.stdin.getWriter();
    await client.shows(
      new RegExp(`connected to 127.0.0.1:${port}, Ctrl-D ends the input\r\n`),
    );
    await writer.write(utf8("hi\n\x04"));
    assertEquals((await client.outcome).status, 0);
    await writer.close().catch(() => {});
  });

  it(
    "ends at the latest on a second Ctrl-C",
    { ignore: !maySignal },
    async () => {
      await using server = serve({ port: 0, grace: 0 });
      // The echo is larger than the pipe of its stdout, which is not read: the client
      // may be blocked when the first Ctrl-C arrives.
      const child = new Deno.Command(Deno.execPath(), {
        args: deno("client.ts", ["-", "--port", String(portOf(server))]),
        cwd: new URL("../../", import.meta.url),
        ...{ stdin: "piped", stdout: "piped", stderr: "null" },
      }).spawn();
      const writer = child.stdin.getWriter();
      const writing = writer.write(pattern(64 << 20)).then(() =>
        writer.close()
      );
      writing.catch(() => {});
      let before = -1;
      await until(() => {
        const { bytesRead } = server.stats();
        const blocked = bytesRead > 0 && bytesRead === before;
        before = bytesRead;
        return blocked;
      }, 250);
      let ended = false;
      void child.status.then(() => ended = true);
      let pressed = 0;
      while (!ended && pressed < 20) {
        child.kill("SIGINT");
        pressed++;
        // Far enough apart to count as two. More of them than needed, so that none
        // has to arrive at the right time.
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      if (!ended) child.kill("SIGKILL");
      const { code, signal } = await child.status;
      await child.stdout.cancel();
      await writing.catch(() => {});
      assertEquals([signal, code], [null, 130], `${pressed} times`);
    },
  );
});
