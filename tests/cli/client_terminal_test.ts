import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { pattern, portOf, until } from "../support/peers.ts";
import {
  deno,
  hasScript,
  maySignal,
  Running,
  shell,
} from "../support/processes.ts";

/**
 * The rows of a terminal: the text of a row each time that the cursor returned to
 * its start, and the text in the end.
 */
function rows(output: string): { drawn: string[]; screen: string[] } {
  const drawn: string[] = [];
  const screen: string[] = [];
  let [row, column] = ["", 0];
  // deno-lint-ignore no-control-regex
  for (const [part] of output.matchAll(/\x1b\[[\d;]*[A-Za-z]|[^]/g)) {
    if (part === "\r") {
      drawn.push(row);
      column = 0;
    } else if (part === "\n") {
      screen.push(row);
      [row, column] = ["", 0];
    } else if (part === "\x1b[K") {
      row = row.slice(0, column);
    } else if (part.length === 1) {
      row = row.slice(0, column) + part + row.slice(column + 1);
      column++;
    }
  }
  return { drawn: [...drawn, ...screen], screen: [...screen, row] };
}

describe("the client on a terminal", { ignore: !hasScript }, () => {
  it("shows the progress of --load as one line, redrawn each second and erased in the end", async () => {
    await using server = serve({ port: 0 });
    const command = shell(
      deno("client.ts", [
        "--port",
        String(portOf(server)),
        "--load",
        "--connections",
        "2",
        "--duration",
        "3500ms",
      ]),
    );
    await using client = new Running(
      ["-qec", `stty columns 120; ${command}`, "/dev/null"],
      { program: "script" },
    );
    const { status, stdout } = await client.outcome;
    assertEquals(status, 0, stdout);
    const { drawn, screen } = rows(stdout);
    const progress = /\d+(\.\d+)? s of 3\.5 s/g;
    const counts = drawn.map((row) => [...row.matchAll(progress)].length);
    assert(counts.filter((count) => count > 0).length >= 2, stdout);
    assertEquals(Math.max(...counts), 1, stdout);
    assert(screen.every((row) => !row.match(progress)), screen.join("\n"));
    assert(screen.some((row) => row.startsWith("--- ")), screen.join("\n"));
  });
});

describe("Ctrl-C on the client", { ignore: !maySignal }, () => {
  it("ends it at the latest when it is pressed again", async () => {
    await using server = serve({ port: 0, grace: 0 });
    // The echo is larger than the pipe of its stdout, which is not read: the client
    // may be blocked when the first Ctrl-C arrives.
    const child = new Deno.Command(Deno.execPath(), {
      args: deno("client.ts", ["-", "--port", String(portOf(server))]),
      cwd: new URL("../../", import.meta.url),
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    const writing = writer.write(pattern(64 << 20)).then(() => writer.close());
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
    assertEquals([signal, code], [null, 1], `${pressed} times`);
  });
});
