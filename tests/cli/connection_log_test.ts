import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connectionLog, LOG_FORMATS } from "../../lib/cli/connection_log.ts";
import {
  type ClosedConnection,
  type EndReason,
  exchange,
  type ServerStats,
} from "../../lib/echo.ts";
import { deno, maySignal } from "../support/processes.ts";

const remoteAddr: Deno.NetAddr = {
  transport: "tcp",
  hostname: "2001:db8::1",
  port: 40_000,
};

const connection = { id: 3, remoteAddr };

const closed: ClosedConnection = {
  ...connection,
  bytesRead: 20,
  bytesWritten: 15,
  duration: 1_234,
  reason: "closed",
};

const totals: ServerStats = {
  open: 0,
  peak: 2,
  accepted: 3,
  bytesRead: 60,
  bytesWritten: 45,
  duration: 999,
};

/** A connection whose address and error contain control characters. */
const unixAddr = { transport: "unix", path: "/a\x9b\u202eb" } as const;
const hostile = { id: 1, remoteAddr: unixAddr, bytesRead: 1, bytesWritten: 1 };
const error = new Error("sent \x1b[2J\x9b");
const hostileClosed = {
  ...hostile,
  duration: 1,
  reason: "reset",
  error,
} as const;

describe("the log as text", () => {
  const lines = connectionLog("text", { program: "echo-server" });

  it("has the number and the address of a connection that was opened", () => {
    assertEquals(lines.opened(connection), "#3 [2001:db8::1]:40000 opened");
  });

  it("has the bytes, the duration and the reason of a connection that was closed", () => {
    const line = lines.closed(closed);
    assertStringIncludes(line, "#3 [2001:db8::1]:40000 ");
    assertStringIncludes(line, "20 bytes read, 15 written");
    assertStringIncludes(line, "1.2 s");
    assertStringIncludes(line, "closed by the client");
  });

  it("has a text for each reason, and the error if there is one", () => {
    const reasons: EndReason[] = [
      "closed",
      "reset",
      "idle",
      "handshake",
      "unreachable",
      "fault",
      "shutdown",
      "aborted",
    ];
    const texts = reasons.map((reason) => lines.closed({ ...closed, reason }));
    assertEquals(new Set(texts).size, reasons.length);
    for (const text of texts) assertEquals(text.includes("undefined"), false);
    assertStringIncludes(
      lines.closed({
        ...closed,
        reason: "reset",
        error: new Error("the cause"),
      }),
      "(the cause)",
    );
  });

  it("has the faults that took effect", () => {
    const line = lines.closed({ ...closed, faults: { latency: 3, reset: 1 } });
    assertStringIncludes(line, "latency 3");
    assertStringIncludes(line, "reset 1");
  });

  it("has the totals of the server", () => {
    const line = lines.summary(totals);
    assertMatch(line, /3 connections .*\b2\b/);
    assertStringIncludes(line, "60 bytes read, 45 written");
    assertStringIncludes(line, "999 ms");
    assertStringIncludes(
      lines.summary({ ...totals, accepted: 1 }),
      "1 connection ",
    );
  });

  it("is one line without control characters, whatever an error message contains", () => {
    const error = new Error("two\nlines\x1b[2J");
    const line = lines.closed({ ...closed, reason: "reset", error });
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x1f]/.test(line), false);
  });

  it("is safe for a terminal, whatever a peer sends", () => {
    assertStringIncludes(
      lines.closed(hostileClosed),
      String.raw`#1 /a\x9b\u202eb 1 bytes read`,
    );
    assertEquals(lines.dropped(1), "1 log line dropped");
    assertEquals(
      lines.acceptError("no\x9b"),
      String.raw`echo-server: Cannot accept connections: no\x9b`,
    );
    assertEquals(
      lines.upstreamError(error),
      String.raw`echo-server: sent \x1b[2J\x9b`,
    );
    assertEquals(
      lines.draining(3),
      "draining 3 connections, Ctrl-C again to abort",
    );
  });
});

describe("the log as JSON", () => {
  const lines = connectionLog("json", { program: "echo-server" });

  function parsed(line: string): Record<string, unknown> {
    const { time, ...fields } = JSON.parse(line);
    assertEquals(new Date(time).toISOString(), time);
    return fields;
  }

  it("has an object for each event, with numbers as numbers", () => {
    assertEquals(parsed(lines.opened(connection)), {
      event: "opened",
      id: 3,
      peer: "[2001:db8::1]:40000",
    });
    assertEquals(parsed(lines.closed({ ...closed, faults: { stall: 1 } })), {
      event: "closed",
      id: 3,
      peer: "[2001:db8::1]:40000",
      bytesRead: 20,
      bytesWritten: 15,
      duration: 1_234,
      reason: "closed",
      faults: { stall: 1 },
    });
    const upstream = { bytesRead: 7, bytesWritten: 8 };
    assertEquals(
      parsed(lines.closed({ ...closed, upstream })).upstream,
      upstream,
    );
    const summary = parsed(lines.summary(totals));
    assertEquals(summary, { event: "summary", ...totals });
  });

  it("has the message of an error", () => {
    const error = new TypeError('a "quoted" one\n');
    const fields = parsed(lines.closed({ ...closed, reason: "reset", error }));
    assertEquals(fields.error, 'a "quoted" one\n');
    assertEquals(fields.reason, "reset");
  });

  it("is valid JSON, whatever a peer sends", () => {
    const shown = lines.closed(hostileClosed);
    assertStringIncludes(shown, String.raw`\u001b[2J\u009b`);
    const { event, peer, error } = JSON.parse(shown);
    assertEquals([event, peer, error], [
      "closed",
      unixAddr.path,
      "sent \x1b[2J\x9b",
    ]);
    assertEquals(JSON.parse(lines.opened(hostile)).peer, unixAddr.path);
    const { time, ...rest } = JSON.parse(lines.dropped(3));
    assertMatch(time, /^\d{4}-.*Z$/);
    assertEquals(rest, { event: "dropped", lines: 3 });
    assertEquals(
      JSON.parse(lines.acceptError("no\x9b", "more")).error,
      "no\x9b",
    );
    assertEquals(
      JSON.parse(lines.upstreamError(error)).error,
      "sent \x1b[2J\x9b",
    );
    assertEquals(JSON.parse(lines.draining(2)).open, 2);
  });
});

for (const format of LOG_FORMATS) {
  it(`a ${format} log that is not read delays neither echo nor shutdown`, {
    ignore: !maySignal,
  }, async () => {
    const args = ["--port", "0", "--log-format", format];
    const child = new Deno.Command(Deno.execPath(), {
      args: deno("server.ts", args),
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    try {
      const reader = child.stdout.getReader();
      const output = new TextDecoder().decode((await reader.read()).value);
      const port = Number(/:(\d+)\n/.exec(output)?.[1]);
      // More than the 64 KiB of a pipe, and less than the limit of the queue.
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
