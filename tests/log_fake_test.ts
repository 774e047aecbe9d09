import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ClosedConnection, EndReason, ServerStats } from "../lib/echo.ts";
import { log } from "../lib/log.ts";

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

describe("the log as text", () => {
  const lines = log("text", { name: "echo-server" });

  it("tells of each client by its number, and where it comes from", () => {
    assertEquals(lines.opened(connection), "#3 [2001:db8::1]:40000 opened");
  });

  it("tells of its end: what it carried, for how long, and why", () => {
    const line = lines.closed(closed);
    assertStringIncludes(line, "#3 [2001:db8::1]:40000 ");
    assertStringIncludes(line, "20 bytes read, 15 written");
    assertStringIncludes(line, "1.2 s");
    assertStringIncludes(line, "closed by the client");
  });

  it("has a different text for each reason, and the error where one is known", () => {
    const reasons: EndReason[] = [
      "closed",
      "reset",
      "idle",
      "handshake",
      "shutdown",
      "aborted",
    ];
    const texts = reasons.map((reason) => lines.closed({ ...closed, reason }));
    assertEquals(new Set(texts).size, reasons.length);
    for (const text of texts) assertEquals(text.includes("undefined"), false);
    assertStringIncludes(
      lines.closed({ ...closed, reason: "reset", error: new Error("why") }),
      "why",
    );
  });

  it("tells what was done to a client on purpose", () => {
    const line = lines.closed({ ...closed, faults: { latency: 3, reset: 1 } });
    assertStringIncludes(line, "latency 3");
    assertStringIncludes(line, "reset 1");
  });

  it("ends with the totals", () => {
    const line = lines.summary(totals);
    assertMatch(line, /3 connections .*\b2\b/);
    assertStringIncludes(line, "60 bytes read, 45 written");
    assertStringIncludes(line, "999 ms");
    assertStringIncludes(
      lines.summary({ ...totals, accepted: 1 }),
      "1 connection ",
    );
  });

  it("is one line, whatever an error's message holds", () => {
    const error = new Error("two\nlines\x1b[2J");
    const line = lines.closed({ ...closed, reason: "reset", error });
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x1f]/.test(line), false);
  });
});

describe("the log as JSON", () => {
  const lines = log("json", { name: "echo-server" });

  function parsed(line: string): Record<string, unknown> {
    const { time, ...fields } = JSON.parse(line);
    assertEquals(new Date(time).toISOString(), time);
    return fields;
  }

  it("has an object for each event, with the figures as numbers", () => {
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
    const summary = parsed(lines.summary(totals));
    assertEquals(summary, { event: "summary", ...totals });
  });

  it("has an error as its message", () => {
    const error = new TypeError('a "quoted" one\n');
    const fields = parsed(lines.closed({ ...closed, reason: "reset", error }));
    assertEquals(fields.error, 'a "quoted" one\n');
    assertEquals(fields.reason, "reset");
  });
});
