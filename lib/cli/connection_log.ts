/**
 * The server's log: a line for each event, as text or as JSON.
 *
 * ```sh
 * deno task server --verbose
 * deno task server --log-format json 2>server.log
 * ```
 *
 * @module
 */

import { formatAddress } from "../net/endpoint.ts";
import type { FaultCounts } from "../net/fault_options.ts";
import type {
  ClosedConnection,
  Connection,
  EndReason,
  ServerStats,
} from "../net/server.ts";
import { formatDuration, plural } from "../stats/format.ts";
import { jsonLine, printable } from "./output.ts";

/** What the server logs. The schema of the JSON describes the fields. */
export type ServerEvent =
  | { event: "opened" } & Connection
  | { event: "closed" } & ClosedConnection
  | { event: "summary" } & ServerStats
  /** No connection can be accepted at the moment. */
  | { event: "acceptError"; error: unknown; advice?: string | undefined }
  /** The upstream of a proxy cannot be reached: once an outage and minute. */
  | { event: "upstreamError"; error: unknown }
  /** The server shuts down, and waits for its open connections. */
  | { event: "draining"; open: number }
  /** Lines of this log were dropped. */
  | { event: "dropped"; lines: number };

/** How a connection ended, by its reason. */
const REASONS: Record<EndReason, string> = {
  closed: "closed",
  reset: "reset",
  idle: "idle timeout",
  handshake: "TLS handshake failed",
  unreachable: "upstream not reachable",
  fault: "closed by a fault",
  shutdown: "closed by the shutdown",
  aborted: "aborted by the shutdown",
};

/** The faults that took effect: `; faults: latency 3, reset 1`. */
function formatFaults(faults: FaultCounts = {}): string {
  const counts = Object.entries(faults).map(([name, n]) => `${name} ${n}`);
  return counts.length === 0 ? "" : `; faults: ${counts.join(", ")}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the events of a connection and of all have in common. */
function traffic(
  { bytesRead, bytesWritten, duration }: ClosedConnection | ServerStats,
): string {
  return `${bytesRead} bytes read, ${bytesWritten} written, ${
    formatDuration(duration)
  }`;
}

function text(event: ServerEvent): string {
  switch (event.event) {
    case "opened":
      return `#${event.id} ${formatAddress(event.remoteAddr)} opened`;
    case "closed": {
      const { id, remoteAddr, reason, closedBy, error, faults } = event;
      const by = reason === "closed" && closedBy ? ` by the ${closedBy}` : "";
      const cause = error === undefined ? "" : ` (${messageOf(error)})`;
      return `#${id} ${formatAddress(remoteAddr)} ${traffic(event)}: ${
        REASONS[reason]
      }${by}${cause}${formatFaults(faults)}`;
    }
    case "summary":
      return `${
        plural(event.accepted, "connection")
      } (at most ${event.peak} at a time), ${traffic(event)}${
        formatFaults(event.faults)
      }`;
    case "acceptError":
      return `echo-server: Cannot accept connections: ${
        messageOf(event.error)
      }${event.advice ? `; ${event.advice}` : ""}`;
    case "upstreamError":
      return `echo-server: ${messageOf(event.error)}`;
    case "draining":
      return `draining ${
        plural(event.open, "connection")
      }, Ctrl-C again to abort`;
    case "dropped":
      return `${plural(event.lines, "log line")} dropped`;
  }
}

function json({ event, ...fields }: ServerEvent): string {
  const timestamp = new Date().toISOString();
  const { remoteAddr, error, ...rest } = fields as
    & typeof fields
    & { remoteAddr?: Deno.Addr; error?: unknown };
  return jsonLine({
    event,
    timestamp,
    ...rest,
    ...remoteAddr && { peer: formatAddress(remoteAddr) },
    ...error !== undefined && { error: messageOf(error) },
  });
}

/** An event as one line without control characters. */
export function formatEvent(
  event: ServerEvent,
  format: "text" | "json",
): string {
  return format === "json" ? json(event) : printable(text(event));
}
