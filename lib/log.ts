/**
 * What a server shows on stderr: a line for each connection that is opened and
 * closed, a summary at the end, and what it runs short of, for people or as JSON.
 *
 * ```sh
 * deno task server --verbose
 * deno task server --log-format json 2>server.log
 * ```
 *
 * @module
 */

import { showAddress } from "./address.ts";
import type {
  ClosedConnection,
  Connection,
  EndReason,
  FaultCounts,
  ServerStats,
} from "./options.ts";
import { jsonLine, printable } from "./printable.ts";

/** The formats that `--log-format` knows. */
export const FORMATS = ["text", "json"] as const;
/** One of them. */
export type Format = typeof FORMATS[number];

/** Turns what a server tells into lines. */
export interface Log {
  /** A connection was opened. */
  opened(connection: Connection): string;
  /** A connection was closed. */
  closed(connection: ClosedConnection): string;
  /** The server has ended. */
  summary(totals: ServerStats): string;
  /** No connection can be accepted for now. */
  shortage(error: string, advice?: string): string;
  /** The server ends once these connections have ended. */
  draining(open: number): string;
  /** Lines of this log that could not be written. */
  dropped(lines: number): string;
}

const REASONS: Record<EndReason, string> = {
  closed: "closed by the client",
  reset: "reset",
  idle: "idle for too long",
  handshake: "no TLS session",
  fault: "closed by a fault",
  shutdown: "shut down",
  aborted: "cut off by the shutdown",
};

/** A duration for people: `12 ms`, `3.4 s`. */
function spell(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** What was done on purpose: `; on purpose: latency 3, reset 1`. */
function spellFaults(faults: FaultCounts = {}): string {
  const done = Object.entries(faults).map(([name, n]) => `${name} ${n}`);
  return done.length === 0 ? "" : `; on purpose: ${done.join(", ")}`;
}

/** `1 connection`, `2 connections`. */
function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function cause(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const text: Log = {
  opened: ({ id, remoteAddr }) => `#${id} ${showAddress(remoteAddr)} opened`,
  closed: ({ id, remoteAddr, bytesRead, bytesWritten, ...rest }) => {
    const { duration, reason, error, faults } = rest;
    const why = error === undefined ? "" : ` (${cause(error)})`;
    return `#${id} ${
      showAddress(remoteAddr)
    } ${bytesRead} bytes read, ${bytesWritten} written, ${spell(duration)}: ${
      REASONS[reason]
    }${why}${spellFaults(faults)}`;
  },
  summary: ({ accepted, peak, bytesRead, bytesWritten, duration, faults }) =>
    `${
      plural(accepted, "connection")
    } (at most ${peak} at a time), ${bytesRead} bytes read, ${bytesWritten} written, ${
      spell(duration)
    }${spellFaults(faults)}`,
  shortage: (error, advice) =>
    `Cannot take more clients for now: ${error}${advice ? `; ${advice}` : ""}`,
  draining: (open) =>
    `draining ${plural(open, "connection")}, Ctrl-C again to abort`,
  dropped: (lines) => `${plural(lines, "log line")} dropped`,
};

function event(name: string, fields: object): string {
  return jsonLine({ time: new Date().toISOString(), event: name, ...fields });
}

const json: Log = {
  opened: ({ id, remoteAddr }) =>
    event("opened", { id, peer: showAddress(remoteAddr) }),
  closed: ({ id, remoteAddr, error, ...figures }) =>
    event("closed", {
      id,
      peer: showAddress(remoteAddr),
      ...figures,
      ...(error === undefined ? {} : { error: cause(error) }),
    }),
  summary: (totals) => event("summary", totals),
  shortage: (error, advice) => event("shortage", { error, advice }),
  draining: (open) => event("draining", { open }),
  dropped: (lines) => event("dropped", { lines }),
};

/** The lines of a format, safe for a terminal; `name` begins those of trouble. */
export function log(format: Format, { name }: { name: string }): Log {
  if (format === "json") return json;
  return {
    ...text,
    opened: (connection) => printable(text.opened(connection)),
    closed: (connection) => printable(text.closed(connection)),
    shortage: (error, advice) =>
      printable(`${name}: ${text.shortage(error, advice)}`),
  };
}
