/**
 * The echo server program: sends back what each client sends.
 *
 * ```sh
 * deno task server
 * deno run --allow-net=127.0.0.1:12345 server.ts
 * deno run --allow-net=0.0.0.0:7 server.ts --hostname 0.0.0.0 --port 7
 * ```
 *
 * @module
 */

import { connectionLog, LOG_FORMATS } from "./lib/cli/connection_log.ts";
import {
  duration,
  file,
  fraction,
  integer,
  oneOf,
  positiveDuration,
  text,
} from "./lib/cli/flag_types.ts";
import { booleanFlag, flag, UsageError, type Values } from "./lib/cli/flags.ts";
import { LineQueue } from "./lib/cli/line_queue.ts";
import {
  checkEndpointFlags,
  type Program,
  readText,
  run,
} from "./lib/cli/program.ts";
import { onTerminationSignal } from "./lib/cli/signals.ts";
import { clearStaleSocket } from "./lib/cli/stale_socket.ts";
import { print } from "./lib/cli/stdio.ts";
import {
  type ClosedConnection,
  type Faults,
  serve,
  type ServeOptions,
} from "./lib/echo.ts";
import {
  DEFAULT_BACKLOG,
  DEFAULT_GRACE_MS,
  DEFAULT_HOSTNAME,
  DEFAULT_PORT,
} from "./lib/net/defaults.ts";
import { formatAddress } from "./lib/net/endpoint.ts";
import { describeError } from "./lib/net/system_error.ts";

/**
 * Milliseconds that the end of the log may take to be written. It is enough for a
 * reader that reads, and short if the reader has stopped.
 */
const FLUSH_MS = 1_000;

const address = {
  hostname: flag(
    text("HOST", "an address or a host name"),
    "listen on this address",
    DEFAULT_HOSTNAME,
  ),
  port: flag(
    integer("PORT", 0, 65_535),
    "listen on this port; 0 picks a free one",
    DEFAULT_PORT,
  ),
  unix: flag(
    text("PATH", "the path of a Unix socket"),
    "listen on a Unix socket instead",
  ),
  "reuse-port": booleanFlag("share the port with other processes"),
};

const tls = {
  "tls-cert": flag(file, "use TLS with this certificate chain (PEM)"),
  "tls-key": flag(file, "the private key of the certificate (PEM)"),
};

const limits = {
  backlog: flag(
    integer("N", 1, 2 ** 31 - 1),
    "length of the queue of new connections",
    DEFAULT_BACKLOG,
  ),
  "max-connections": flag(
    integer("N", 1),
    "serve this many connections; further ones wait in the queue",
    "no limit",
  ),
  "idle-timeout": flag(
    positiveDuration,
    "close connections idle for this long",
    "never",
  ),
  grace: flag(
    duration,
    "how long shutdown waits for open connections",
    `${DEFAULT_GRACE_MS / 1_000}s`,
  ),
  once: booleanFlag("serve one connection, then exit"),
};

const faults = {
  latency: flag(duration, "delay each chunk"),
  jitter: flag(duration, "vary the latency up and down by this much"),
  bandwidth: flag(
    integer("BYTES", 1),
    "limit the bytes per second of each connection",
  ),
  slicer: flag(integer("BYTES", 1), "send slices of at most this size"),
  "slicer-delay": flag(duration, "pause between slices"),
  "limit-data": flag(
    integer("BYTES", 0),
    "close the connection after this many bytes",
  ),
  stall: flag(integer("BYTES", 0), "send nothing more after this many bytes"),
  reset: flag(
    integer("BYTES", 0),
    "reset the connection after this many bytes",
  ),
  corrupt: flag(fraction, "change each byte with this probability"),
  "close-on-accept": booleanFlag("close each connection at once"),
  toxicity: flag(
    fraction,
    "share of connections with faults",
    1,
  ),
  seed: flag(
    integer("N", 0),
    "repeat all random choices: same seed, same bytes",
  ),
};

const output = {
  verbose: booleanFlag("log each connection and a summary to stderr"),
  "log-format": flag(
    oneOf("FORMAT", LOG_FORMATS),
    "log format: text or json (implies --verbose)",
  ),
};

const flags = { ...address, ...tls, ...limits, ...faults, ...output };

/** The server program, for its parser, its help text and its tests. */
export const program: Program<typeof flags> = {
  name: "echo-server",
  summary: "Sends back what each client sends (RFC 862).",
  flags,
  groups: {
    Address: address,
    TLS: tls,
    Limits: limits,
    "Faults, to test clients with": faults,
    Output: output,
  },
  notes:
    `Ctrl-C shuts down gracefully; a second Ctrl-C aborts. SIGHUP shuts down if
stdin, stdout or stderr is a terminal, and is ignored otherwise (nohup).
Exit status: 0 after a shutdown, 1 after a failure, 2 for wrong usage.`,
};

/** The faults that flags ask for, if any. @throws {UsageError} */
function faultOptions(values: Values<typeof flags>): Faults | undefined {
  const { latency, jitter, bandwidth, slicer, stall, reset } = values;
  const { corrupt, toxicity, seed } = values;
  const faults: Faults = {
    latency,
    jitter,
    bandwidth,
    slicer,
    slicerDelay: values["slicer-delay"],
    limitData: values["limit-data"],
    stall,
    reset,
    corrupt,
    closeOnAccept: values["close-on-accept"] || undefined,
  };
  const any = Object.values(faults).some((value) => value !== undefined);
  if (!any && (toxicity !== undefined || seed !== undefined)) {
    throw new UsageError("--toxicity and --seed need a fault");
  }
  if (faults.slicerDelay !== undefined && slicer === undefined) {
    throw new UsageError("--slicer-delay needs --slicer");
  }
  return any ? { ...faults, toxicity, seed } : undefined;
}

/** The library's options that flags ask for. @throws {UsageError} */
export function serveOptions(values: Values<typeof flags>): ServeOptions {
  const { hostname, port, unix: path } = values;
  const { "tls-cert": cert, "tls-key": key } = values;
  checkEndpointFlags(values);
  if (path && (cert || values["reuse-port"])) {
    throw new UsageError(
      "--unix cannot be combined with --tls-cert or --reuse-port",
    );
  }
  if (!cert !== !key) {
    throw new UsageError("--tls-cert and --tls-key must be given together");
  }
  return {
    faults: faultOptions(values),
    hostname,
    port,
    path,
    reusePort: values["reuse-port"],
    backlog: values.backlog,
    maxConnections: values.once ? 1 : values["max-connections"],
    idleTimeout: values["idle-timeout"],
    grace: values.grace,
  };
}

async function main(values: Values<typeof flags>): Promise<void> {
  const options = serveOptions(values);
  const { "tls-cert": cert, "tls-key": key, "log-format": format } = values;
  if (cert && key) {
    Object.assign(options, { cert: readText(cert), key: readText(key) });
  }
  if (options.path) await clearStaleSocket(options.path);
  const log = connectionLog(format ?? "text", { program: program.name });
  const stderr = new LineQueue(Deno.stderr, { formatDropped: log.dropped });
  const verbose = values.verbose || format !== undefined;
  const abort = new AbortController();
  let shuttingDown = false;
  // Before serve(): a signal may arrive as soon as the server listens.
  onTerminationSignal((signal) => {
    if (shuttingDown) return abort.abort();
    shuttingDown = true;
    void server.shutdown();
    const { open } = server.stats();
    if (open > 0 && signal !== "SIGHUP" && Deno.stderr.isTerminal()) {
      stderr.push(log.draining(open));
    }
  });
  const server = serve({
    ...options,
    signal: abort.signal,
    onOpen: (connection) => verbose && stderr.push(log.opened(connection)),
    onClose(connection) {
      if (verbose) stderr.push(log.closed(connection));
      if (values.once && !isProbe(connection)) void server.shutdown();
    },
    onAcceptError: (error) =>
      stderr.push(log.acceptError(describeError(error), acceptAdvice(error))),
  });
  print(`Server listening on ${formatAddress(server.addr)}`);
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
  values?: Values<typeof flags>,
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
