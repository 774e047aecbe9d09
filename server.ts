/**
 * The echo server program: sends back what each client sends. With `--upstream`, it
 * is a proxy with faults in front of another service.
 *
 * ```sh
 * deno task server
 * deno run --allow-net=127.0.0.1:12345 server.ts
 * deno run --allow-net=0.0.0.0:7 server.ts --hostname 0.0.0.0 --port 7
 * deno run --allow-net=127.0.0.1 server.ts --upstream 127.0.0.1:6379 --latency 1s
 * ```
 *
 * @module
 */

import type { Faults } from "./lib/net/fault_options.ts";
import { readCertificates } from "./lib/cli/certificates.ts";
import { connectionLog } from "./lib/cli/connection_log.ts";
import { directedFaults } from "./lib/cli/fault_flags.ts";
import type { Values } from "./lib/cli/flags.ts";
import { LineQueue } from "./lib/cli/line_queue.ts";
import { readText, run } from "./lib/cli/program.ts";
import {
  program,
  serveOptions,
  type ServerFlags,
  upstreamOptions,
} from "./lib/cli/server_program.ts";
import { onTerminationSignal } from "./lib/cli/signals.ts";
import { clearStaleSocket } from "./lib/cli/stale_socket.ts";
import { print } from "./lib/cli/stdio.ts";
import { UpstreamWatch } from "./lib/cli/upstream_watch.ts";
import { type ClosedConnection, serve } from "./lib/echo.ts";
import { formatAddress, formatEndpoint } from "./lib/net/endpoint.ts";
import { describeError } from "./lib/net/system_error.ts";
import { proxy } from "./lib/proxy.ts";

/**
 * Milliseconds that the end of the log may take to be written. It is enough for a
 * reader that reads, and short if the reader has stopped.
 */
const FLUSH_MS = 1_000;

async function main(values: Values<ServerFlags>): Promise<void> {
  const options = serveOptions(values);
  const upstream = upstreamOptions(values);
  const { "tls-cert": cert, "tls-key": key, "log-format": format } = values;
  if (cert && key) {
    Object.assign(options, { cert: readText(cert), key: readText(key) });
  }
  const ca = values["upstream-tls-ca"];
  if (upstream && ca !== undefined) {
    upstream.caCerts = [readCertificates(ca, "--upstream-tls-ca")];
  }
  if (options.path) await clearStaleSocket(options.path);
  const log = connectionLog(format ?? "text", { program: program.name });
  const stderr = new LineQueue(Deno.stderr, { formatDropped: log.dropped });
  const verbose = values.verbose || format !== undefined;
  const unreachable = new UpstreamWatch();
  const abort = new AbortController();
  let shuttingDown = false;
  // Before the server: a signal may arrive as soon as it listens.
  onTerminationSignal((signal) => {
    if (shuttingDown) return abort.abort();
    shuttingDown = true;
    void server.shutdown();
    const { open } = server.stats();
    if (open > 0 && signal !== "SIGHUP" && Deno.stderr.isTerminal()) {
      stderr.push(log.draining(open));
    }
  });
  const { faults, ...rest } = options;
  const common: typeof rest = {
    ...rest,
    signal: abort.signal,
    onOpen: (connection) => verbose && stderr.push(log.opened(connection)),
    onClose(connection) {
      if (verbose) stderr.push(log.closed(connection));
      else if (unreachable.isNews(connection)) {
        stderr.push(log.upstreamError(connection.error));
      }
      if (values.once && !isProbe(connection)) void server.shutdown();
    },
    onAcceptError: (error) =>
      stderr.push(log.acceptError(describeError(error), acceptAdvice(error))),
  };
  const server = upstream
    ? proxy({
      ...common,
      upstream,
      faults: directedFaults(values, faults as Faults | undefined),
    })
    : serve({ ...common, faults });
  const to = upstream ? `, forwarding to ${formatEndpoint(upstream)}` : "";
  print(`Server listening on ${formatAddress(server.addr)}${to}`);
  const totals = await server.finished;
  if (verbose) stderr.push(log.summary(totals));
  await stderr.flush(FLUSH_MS);
}

/**
 * Whether a connection was most likely another server that checked whether the
 * Unix socket is in use: it ended without a byte.
 */
function isProbe(connection: ClosedConnection): boolean {
  const { remoteAddr, reason, bytesRead, faults = {} } = connection;
  return remoteAddr.transport === "unix" && reason === "closed" &&
    bytesRead === 0 && Object.keys(faults).length === 0;
}

/** What the user can do if no connection can be accepted. */
export function acceptAdvice(error: Error): string | undefined {
  switch (describeError(error)) {
    case "too many open files":
      return "raise the limit (ulimit -n), or set --max-connections below it";
    case "too many open files in system":
      return "raise the system's limit (fs.file-max), or set --max-connections";
    default:
      return undefined;
  }
}

/** What the user can do if the server cannot listen. */
export function advice(
  error: unknown,
  values?: Values<ServerFlags>,
): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) {
    return "stop the program that listens there, or choose another address";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "choose an address of this machine as --hostname";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return values?.unix === undefined
      ? "choose a --port above 1023, or run it with more privileges"
      : "choose a path in a folder that this user may write to";
  }
  return undefined;
}

if (import.meta.main) await run(program, main, advice);
