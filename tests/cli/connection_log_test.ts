import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatEvent, type ServerEvent } from "../../lib/cli/connection_log.ts";
import { watchUpstream } from "../../lib/cli/outages.ts";
import {
  type ClosedConnection,
  type EndReason,
  exchange,
} from "../../lib/echo.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { deno, maySignal } from "../support/processes.ts";

const connection = {
  id: 3,
  remoteAddr: { transport: "tcp", hostname: "2001:db8::1", port: 40_000 },
} as const;
const closed: ClosedConnection = {
  ...connection,
  ...{ bytesRead: 20, bytesWritten: 15, duration: 1_234, reason: "closed" },
  closedBy: "client",
};
const totals = {
  ...{ open: 0, peak: 2, accepted: 3 },
  ...{ bytesRead: 60, bytesWritten: 45, duration: 999 },
  ...{ ended: { closed: 3 }, heldBytes: 0 },
};
/** What a hostile peer may put into its address and into an error. */
const hostile = {
  ...closed,
  remoteAddr: { transport: "unix", path: "/a\x9b\u202eb" },
  reason: "reset",
  error: new TypeError('sent "\x1b[2J\n'),
} as const;

/** Each event, as text, and the fields of its JSON. */
const EVENTS: [ServerEvent, text: string, fields: object][] = [
  [{ event: "opened", ...connection }, "#3 [2001:db8::1]:40000 opened", {
    ...{ event: "opened", id: 3, peer: "[2001:db8::1]:40000" },
  }],
  [
    { event: "closed", ...closed, faults: { latency: 3, reset: 1 } },
    "#3 [2001:db8::1]:40000 20 bytes read, 15 written, 1.23 s: closed by the client; faults: latency 3, reset 1",
    {
      ...{ event: "closed", id: 3, peer: "[2001:db8::1]:40000" },
      ...{ bytesRead: 20, bytesWritten: 15, duration: 1_234 },
      ...{ reason: "closed", closedBy: "client" },
      faults: { latency: 3, reset: 1 },
    },
  ],
  [
    { event: "closed", ...hostile },
    String
      .raw`#3 /a\x9b\u202eb 20 bytes read, 15 written, 1.23 s: reset (sent "\x1b[2J\x0a)`,
    {
      ...{ event: "closed", id: 3, peer: "/a\x9b\u202eb", bytesRead: 20 },
      ...{ bytesWritten: 15, duration: 1_234, reason: "reset" },
      closedBy: "client",
      error: 'sent "\x1b[2J\n',
    },
  ],
  [
    { event: "summary", ...totals },
    "3 connections (at most 2 at a time), 60 bytes read, 45 written, 999 ms",
    { event: "summary", ...totals },
  ],
  [
    { event: "acceptError", error: new Error("no\x9b"), advice: "wait" },
    String.raw`echo-server: Cannot accept connections: no\x9b; wait`,
    { event: "acceptError", error: "no\x9b", advice: "wait" },
  ],
  [
    { event: "upstreamError", error: new Error("gone") },
    "echo-server: gone",
    { event: "upstreamError", error: "gone" },
  ],
  [
    { event: "draining", open: 3 },
    "draining 3 connections, Ctrl-C again to abort",
    { event: "draining", open: 3 },
  ],
  [{ event: "dropped", lines: 1 }, "1 log line dropped", {
    ...{ event: "dropped", lines: 1 },
  }],
];

describe("the server's log has one line without control characters for", () => {
  for (const [event, text, fields] of EVENTS) {
    it(`${event.event}: ${JSON.stringify(text)}`, () => {
      assertEquals(formatEvent(event, "text"), text);
      const line = formatEvent(event, "json");
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x1f\x7f-\x9f\u202e]/.test(line), false);
      const { timestamp, ...rest } = JSON.parse(line);
      assertEquals(new Date(timestamp).toISOString(), timestamp);
      assertEquals(rest, fields);
    });
  }

  it("each reason that a connection ends for, in other words", () => {
    const reasons: EndReason[] = [
      ...["closed", "reset", "idle", "handshake"] as const,
      ...["unreachable", "fault", "shutdown", "aborted"] as const,
    ];
    const texts = reasons.map((reason) =>
      formatEvent({ event: "closed", ...closed, reason }, "text")
    );
    assertEquals(new Set(texts).size, reasons.length);
    for (const text of texts) assertMatch(text, /: [a-zTLS ]+$/);
  });
});

describe("an outage of the upstream is told", () => {
  const unreachable: ClosedConnection = {
    ...closed,
    ...{ reason: "unreachable", duration: 1 },
    upstream: { bytesRead: 0, bytesWritten: 0 },
  };
  const answered: ClosedConnection = {
    ...unreachable,
    ...{ reason: "closed", upstream: { bytesRead: 5, bytesWritten: 5 } },
  };
  const reset: ClosedConnection = { ...unreachable, reason: "reset" };
  const { upstream: _, ...echo } = closed;
  type Step = [after: number, ClosedConnection, told: boolean];
  const rows: Record<string, Step[]> = {
    "once, however many connections fail": [
      [0, unreachable, true],
      ...Array.from({ length: 99 }, (): Step => [1, unreachable, false]),
    ],
    "again after a minute": [
      [0, unreachable, true],
      [59_999, unreachable, false],
      [1, unreachable, true],
      [0, unreachable, false],
    ],
    "again after a later connection that was answered": [
      [0, unreachable, true],
      [100, { ...answered, duration: 50 }, false],
      [0, unreachable, true],
    ],
    "once, while connections from before it end": [
      [0, unreachable, true],
      [100, { ...answered, duration: 5_100 }, false],
      [0, unreachable, false],
    ],
    "once, while others get no answer": [
      [0, unreachable, true],
      [100, { ...reset, duration: 5 }, false],
      [0, unreachable, false],
    ],
    "never, if all are answered or there is no upstream": [
      [0, answered, false],
      [0, echo, false],
      [0, { ...echo, reason: "idle" }, false],
    ],
  };
  for (const [name, steps] of Object.entries(rows)) {
    it(name, async () => {
      using clock = new FakeClock();
      const isOutage = watchUpstream();
      for (const [after, connection, told] of steps) {
        await clock.advance(after);
        assertEquals(isOutage(connection), told);
      }
    });
  }
});

for (const format of ["text", "json"]) {
  it(`a ${format} log that is not read delays neither echo nor shutdown`, {
    ignore: !maySignal,
  }, async () => {
    const args = ["--port", "0", "--log-format", format];
    const child = new Deno.Command(Deno.execPath(), {
      args: deno("server.ts", args),
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1" },
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
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
