import {
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LineQueue } from "../lib/line_queue.ts";
import { FORMATS, log } from "../lib/log.ts";
import { read, readText } from "../lib/program.ts";
import { advice, program, shortageAdvice } from "../server.ts";
import { exchange } from "../lib/echo.ts";
import { until } from "./peers.ts";
import { deno, maySignal } from "./processes.ts";

/** A stream whose reader takes what it is told to take. */
function slowStream() {
  const stream = {
    text: "",
    writes: 0,
    take: (_count?: number) => {},
    fail: (_error: Error) => {},
    write(bytes: Uint8Array): Promise<number> {
      stream.writes++;
      return new Promise((resolve, reject) => {
        stream.take = (count = bytes.length) => {
          stream.text += new TextDecoder().decode(bytes.subarray(0, count));
          resolve(Math.min(count, bytes.length));
        };
        stream.fail = reject;
      });
    },
  };
  return stream;
}

const dropped = (count: number) => `${count} dropped`;

describe("lines for a reader that may stop", () => {
  it("keep their order, however the writes are cut", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { dropped });
    for (const line of ["one", "two", "grüße"]) queue.push(line);
    for (const count of [2, 2, 1, 5, 100]) {
      stream.take(count);
      const { writes } = stream;
      await until(() => stream.writes > writes || stream.text.endsWith("ße\n"));
    }
    assertEquals(stream.text, "one\ntwo\ngrüße\n");
    await queue.flush(1e6);
  });

  it("are dropped beyond the limit, which is told in their place", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { dropped, limit: 10 });
    queue.push("one"); // is being written
    for (const line of ["two", "three", "four", "five"]) queue.push(line);
    stream.take();
    await until(() => stream.writes === 2);
    queue.push("six");
    stream.take();
    await until(() => stream.writes === 3);
    stream.take();
    await queue.flush(1e6);
    assertEquals(stream.text, "one\ntwo\nthree\n2 dropped\nsix\n");
  });

  it("that fail are dropped too, and the next ones tried again", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { dropped });
    const full = new Error("No space left on device");
    queue.push("one");
    queue.push("two");
    stream.fail(full);
    await queue.flush(1e6);
    queue.push("three");
    stream.fail(full);
    await queue.flush(1e6);
    queue.push("four");
    stream.take();
    await queue.flush(1e6);
    assertEquals(stream.text, "3 dropped\nfour\n");
  });

  it("begin a line of their own after half a line", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { dropped });
    queue.push("one");
    stream.take(2);
    await until(() => stream.writes === 2);
    stream.fail(new Error("No space left on device"));
    await queue.flush(1e6);
    queue.push("two");
    stream.take();
    await queue.flush(1e6);
    assertEquals(stream.text, "on\n1 dropped\ntwo\n");
  });

  it("wait for a non-blocking stream to take more", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { dropped });
    queue.push("one");
    stream.fail(new Deno.errors.WouldBlock("try again"));
    await until(() => stream.writes === 2);
    stream.take();
    await queue.flush(1e6);
    assertEquals(stream.text, "one\n");
  });

  it("are waited for only so long in the end", async () => {
    const stream = slowStream();
    const queue = new LineQueue(stream, { dropped });
    queue.push("one");
    await queue.flush(1);
    assertEquals(stream.text, "");
  });
});

describe("a log", () => {
  const remoteAddr = { transport: "unix", path: "/a\x9b\u202eb" } as const;
  const figures = { id: 1, remoteAddr, bytesRead: 1, bytesWritten: 1 };
  const error = new Error("sent \x1b[2J\x9b");
  const closed = { ...figures, duration: 1, reason: "reset", error } as const;

  it("as JSON is valid, whatever a peer sends", () => {
    const lines = log("json", program);
    const shown = lines.closed(closed);
    assertStringIncludes(shown, String.raw`\u001b[2J\u009b`);
    const { event, peer, error } = JSON.parse(shown);
    assertEquals([event, peer, error], [
      "closed",
      remoteAddr.path,
      "sent \x1b[2J\x9b",
    ]);
    assertEquals(JSON.parse(lines.opened(figures)).peer, remoteAddr.path);
    const { time, ...rest } = JSON.parse(lines.dropped(3));
    assertMatch(time, /^\d{4}-.*Z$/);
    assertEquals(rest, { event: "dropped", lines: 3 });
    assertEquals(JSON.parse(lines.shortage("no\x9b", "more")).error, "no\x9b");
    assertEquals(JSON.parse(lines.draining(2)).open, 2);
  });

  it("as text is safe for a terminal", () => {
    const lines = log("text", program);
    assertStringIncludes(
      lines.closed(closed),
      String.raw`#1 /a\x9b\u202eb 1 bytes read`,
    );
    assertEquals(lines.dropped(1), "1 log line dropped");
    assertEquals(
      lines.shortage("no\x9b"),
      String.raw`echo-server: Cannot take more clients for now: no\x9b`,
    );
    assertEquals(
      lines.draining(3),
      "draining 3 connections, Ctrl-C again to abort",
    );
  });
});

describe("advice fits", () => {
  it("what the system is short of", () => {
    const says = (text: string) => shortageAdvice(new Error(text)) ?? "";
    assertStringIncludes(says("Too many open files (os error 24)"), "ulimit");
    assertEquals(
      says("Too many open files in system (os error 23)").includes("ulimit"),
      false,
    );
    assertEquals(says("Cannot allocate memory (os error 12)"), "");
    assertEquals(says("No buffer space available (os error 105)"), "");
  });

  it("where permission was denied: at a port, a path or a file", () => {
    const denied = new Deno.errors.PermissionDenied("denied");
    const says = (...args: string[]) => {
      const request = read(program, args);
      return advice(denied, "values" in request ? request.values : undefined);
    };
    assertStringIncludes(says("--port", "7") ?? "", "--port above 1023");
    assertStringIncludes(says("--unix", "/x") ?? "", "a path");

    const readTextFileSync = Deno.readTextFileSync;
    try {
      Deno.readTextFileSync = () => {
        throw denied;
      };
      const error = assertThrows(
        () => readText("key.pem"),
        Error,
        "Cannot read key.pem: permission denied; let this user read it",
      );
      assertEquals(advice(error), undefined);
    } finally {
      Deno.readTextFileSync = readTextFileSync;
    }
  });
});

for (const format of FORMATS) {
  it(`a ${format} log that nobody reads delays no echo and no end`, {
    ignore: !maySignal,
  }, async () => {
    const args = ["--port", "0", "--log-format", format];
    const child = new Deno.Command(Deno.execPath(), {
      args: deno("server.ts", args),
      cwd: new URL("../", import.meta.url),
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    try {
      const reader = child.stdout.getReader();
      const said = new TextDecoder().decode((await reader.read()).value);
      const port = Number(/:(\d+)\n/.exec(said)?.[1]);
      // More than the 64 KiB that a pipe holds, and long before the queue's end.
      for (let i = 0; i < 1_200; i++) await exchange("echo", { port });
      child.kill("SIGTERM");
      assertEquals((await child.status).code, 0);
      await reader.cancel();
      await child.stderr.cancel();
    } finally {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    }
  });
}
