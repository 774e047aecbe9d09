/**
 * The server program: listens, logs, and shuts down on signals.
 *
 * @module
 */

import {
  type ClosedConnection,
  type EchoServer,
  serve,
  type ServeOptions,
} from "../echo.ts";
import { metrics } from "../metrics.ts";
import {
  formatAddress,
  formatEndpoint,
  requiredPermissions,
} from "../net/endpoint.ts";
import type { Faults } from "../net/fault_options.ts";
import { requestPermissions } from "../net/endpoint.ts";
import { describeError, systemError } from "../net/system_error.ts";
import { proxy } from "../proxy.ts";
import { formatEvent, type ServerEvent } from "./connection_log.ts";
import { LineQueue } from "./line_queue.ts";
import { acceptAdvice, watchUpstream } from "./outages.ts";
import { print } from "./output.ts";
import { readCertificates, readText } from "./program.ts";
import {
  type ServerOptions,
  serverOptions,
  type ServerValues,
} from "./server_flags.ts";
import { onTerminationSignal } from "./signals.ts";
import { clearStaleSocket } from "./stale_socket.ts";

/**
 * Whether a connection was most likely another server that checked whether the
 * Unix socket is in use: it ended without a byte.
 */
function isProbe(connection: ClosedConnection): boolean {
  const { remoteAddr, reason, bytesRead, faults = {} } = connection;
  return remoteAddr.transport === "unix" && reason === "closed" &&
    bytesRead === 0 && Object.keys(faults).length === 0;
}

/** Adds what is in the files that flags name. @throws {Error} that names the file. */
function readFiles(
  { listen, upstream }: ServerOptions,
  { tlsCert, tlsKey, tlsClientCa, upstreamTlsCa }: ServerValues,
): void {
  if (tlsCert !== undefined && tlsKey !== undefined) {
    listen.cert = readText(tlsCert);
    listen.key = readText(tlsKey);
  }
  if (tlsClientCa !== undefined) {
    listen.clientCa = readCertificates(tlsClientCa, "--tls-client-ca");
  }
  if (upstream && upstreamTlsCa !== undefined) {
    upstream.caCerts = [readCertificates(upstreamTlsCa, "--upstream-tls-ca")];
  }
}

/** Runs the server until it is asked to shut down. */
export async function main(
  values: ServerValues,
  positionals: string[] = [],
): Promise<void> {
  const options = serverOptions(values, positionals);
  if (values.toxiproxy) {
    const { runToxiproxy } = await import("./toxiproxy_mode.ts");
    return await runToxiproxy(values, values.toxiproxy);
  }
  if (values.metrics) requestPermissions([values.metrics], METRICS);
  readFiles(options, values);
  const { listen, faults, upstream } = options;
  if (listen.path) await clearStaleSocket(listen.path);
  const { once, logFormat = "text" } = values;
  const verbose = values.verbose || values.logFormat !== undefined;
  const format = (event: ServerEvent) => formatEvent(event, logFormat);
  const stderr = new LineQueue(Deno.stderr, {
    formatDropped: (lines) => format({ event: "dropped", lines }),
  });
  const log = (event: ServerEvent) => stderr.push(format(event));
  const isOutage = watchUpstream();
  const abort = new AbortController();
  let shuttingDown = false;
  // Before the server: a signal may arrive as soon as it listens.
  onTerminationSignal((signal) => {
    if (shuttingDown) return abort.abort();
    shuttingDown = true;
    void server.shutdown();
    const { open } = server.stats();
    if (open > 0 && signal !== "SIGHUP" && Deno.stderr.isTerminal()) {
      log({ event: "draining", open });
    }
  });
  const common: ServeOptions = {
    ...listen,
    signal: abort.signal,
    onOpen: (connection) => verbose && log({ event: "opened", ...connection }),
    onClose(connection) {
      if (isOutage(connection)) {
        log({ event: "upstreamError", error: connection.error });
      }
      if (verbose) log({ event: "closed", ...connection });
      if (once && !isProbe(connection)) void server.shutdown();
    },
    onAcceptError(error) {
      const reason = describeError(error);
      log({
        event: "acceptError",
        error: reason,
        advice: acceptAdvice(reason),
      });
    },
  };
  const server: EchoServer = upstream
    ? proxy({ ...common, faults, upstream })
    : serve({ ...common, faults: faults as Faults });
  const http = values.metrics && serveMetrics(server, values.metrics);
  const to = upstream ? `, forwarding to ${formatEndpoint(upstream)}` : "";
  print(`Server listening on ${formatAddress(server.addr)}${to}`);
  if (http) print(`Metrics at http://${formatAddress(http.addr)}/metrics`);
  const totals = await server.finished;
  if (verbose) stderr.pushLast(format({ event: "summary", ...totals }));
  await stderr.flush();
}

/** What fails if metrics cannot be served. */
const METRICS = "Cannot serve metrics";

/** Serves metrics until the program exits. */
function serveMetrics(
  server: EchoServer,
  endpoint: { hostname: string; port: number },
): Deno.HttpServer<Deno.NetAddr> {
  try {
    const quiet = { ...endpoint, onListen: () => {} };
    return Deno.serve(quiet, (request) => metrics(server, request));
  } catch (error) {
    const action = `${METRICS} on ${formatEndpoint(endpoint)}`;
    const permissions = requiredPermissions(endpoint);
    throw systemError(error, { action, permissions });
  }
}

/** What the user can do if the server cannot listen. */
export function advise(
  error: unknown,
  { unix }: ServerValues,
): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) {
    // Behind a socket that refuses no connection, there is a server.
    return unix !== undefined && !isSocket(unix)
      ? "it is no socket: choose another path"
      : "stop the program that listens there, or choose another address";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "choose an address of this machine as --hostname";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return unix === undefined
      ? "choose a --port above 1023, or run it with more privileges"
      : "choose a path in a folder that this user may write to";
  }
  return undefined;
}

/** Whether a path is a socket, as far as this program may see. */
function isSocket(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket === true;
  } catch {
    return true;
  }
}
