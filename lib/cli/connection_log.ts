/**
 * The server's log: a line for each connection that is opened or closed, for an
 * error while accepting, and for the totals, as text or as JSON.
 *
 * ```sh
 * deno task server --verbose
 * deno task server --log-format json 2>server.log
 * ```
 *
 * @module
 */

import { formatAddress } from "../net/endpoint.ts";
import { formatDuration, plural } from "../net/format.ts";
import type { FaultCounts } from "../net/fault_options.ts";
import type {
  ClosedConnection,
  Connection,
  EndReason,
  ServerStats,
} from "../net/server.ts";
import { jsonLine, printable } from "./terminal.ts";

/** The formats of `--log-format`. */
export const LOG_FORMATS = ["text", "json"] as const;
/** A format of the log. */
export type LogFormat = typeof LOG_FORMATS[number];

/** Formats the events of a server, each as one line without control characters. */
export interface ConnectionLog {
  /** A connection was opened. */
  opened(connection: Connection): string;
  /** A connection was closed. */
  closed(connection: ClosedConnection): string;
  /** The server has ended. */
  summary(totals: ServerStats): string;
  /** No connection can be accepted at the moment. */
  acceptError(error: string, advice?: string): string;
  /** The upstream of a proxy cannot be reached. */
  upstreamError(error: unknown): string;
  /** The server shuts down, and waits for its open connections. */
  draining(open: number): string;
  /** Lines of this log were dropped. */
  dropped(lines: number): string;
}

const REASONS: Record<EndReason, string> = {
  closed: "closed by the client",
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

function textLog(program: string): ConnectionLog {
  return {
    opened: ({ id, remoteAddr }) =>
      printable(`#${id} ${formatAddress(remoteAddr)} opened`),
    closed(connection) {
      const { id, remoteAddr, bytesRead, bytesWritten, duration } = connection;
      const { reason, error, faults } = connection;
      const cause = error === undefined ? "" : ` (${messageOf(error)})`;
      return printable(
        `#${id} ${
          formatAddress(remoteAddr)
        } ${bytesRead} bytes read, ${bytesWritten} written, ${
          formatDuration(duration)
        }: ${REASONS[reason]}${cause}${formatFaults(faults)}`,
      );
    },
    summary: ({ accepted, peak, bytesRead, bytesWritten, duration, faults }) =>
      `${
        plural(accepted, "connection")
      } (at most ${peak} at a time), ${bytesRead} bytes read, ${bytesWritten} written, ${
        formatDuration(duration)
      }${formatFaults(faults)}`,
    acceptError: (error, advice) =>
      printable(
        `${program}: Cannot accept connections: ${error}${
          advice ? `; ${advice}` : ""
        }`,
      ),
    upstreamError: (error) => printable(`${program}: ${messageOf(error)}`),
    draining: (open) =>
      `draining ${plural(open, "connection")}, Ctrl-C again to abort`,
    dropped: (lines) => `${plural(lines, "log line")} dropped`,
  };
}

function event(name: string, fields: object): string {
  return jsonLine({ time: new Date().toISOString(), event: name, ...fields });
}

const jsonLog: ConnectionLog = {
  opened: ({ id, remoteAddr }) =>
    event("opened", { id, peer: formatAddress(remoteAddr) }),
  closed: ({ id, remoteAddr, error, ...stats }) =>
    event("closed", {
      id,
      peer: formatAddress(remoteAddr),
      ...stats,
      ...(error === undefined ? {} : { error: messageOf(error) }),
    }),
  summary: (totals) => event("summary", totals),
  acceptError: (error, advice) => event("acceptError", { error, advice }),
  upstreamError: (error) => event("upstreamError", { error: messageOf(error) }),
  draining: (open) => event("draining", { open }),
  dropped: (lines) => event("dropped", { lines }),
};

/** The log in a format. The text of an error begins with the program's name. */
export function connectionLog(
  format: LogFormat,
  { program }: { program: string },
): ConnectionLog {
  return format === "json" ? jsonLog : textLog(program);
}
