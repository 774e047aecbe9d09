/**
 * What a server shows of its connections: a line on stderr for each that is
 * opened and closed, and a summary at the end, for people or as JSON.
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
import { printable } from "./printable.ts";

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
    `${accepted} connection${
      accepted === 1 ? "" : "s"
    } (at most ${peak} at a time), ${bytesRead} bytes read, ${bytesWritten} written, ${
      spell(duration)
    }${spellFaults(faults)}`,
};

const stamp = () => ({ time: new Date().toISOString() });

const json: Log = {
  opened: ({ id, remoteAddr }) =>
    JSON.stringify({
      ...stamp(),
      event: "opened",
      id,
      peer: showAddress(remoteAddr),
    }),
  closed: ({ id, remoteAddr, error, ...figures }) =>
    JSON.stringify({
      ...stamp(),
      event: "closed",
      id,
      peer: showAddress(remoteAddr),
      ...figures,
      ...(error === undefined ? {} : { error: cause(error) }),
    }),
  summary: (totals) =>
    JSON.stringify({ ...stamp(), event: "summary", ...totals }),
};

/** The lines of a format, safe for a terminal. */
export function log(format: Format): Log {
  const lines = { text, json }[format];
  return {
    opened: (connection) => printable(lines.opened(connection)),
    closed: (connection) => printable(lines.closed(connection)),
    summary: (totals) => printable(lines.summary(totals)),
  };
}
