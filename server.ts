/**
 * The echo server: sends back what each client sends, until the client ends.
 *
 * ```sh
 * deno task server
 * deno run --allow-net=127.0.0.1:12345 server.ts
 * deno run --allow-net=0.0.0.0:7 server.ts --hostname 0.0.0.0 --port 7
 * ```
 *
 * @module
 */

import { showAddress } from "./lib/address.ts";
import {
  type ClosedConnection,
  type Faults,
  serve,
  type ServeOptions,
} from "./lib/echo.ts";
import { reason } from "./lib/errors.ts";
import { flag, toggle, UsageError, type Values } from "./lib/flags.ts";
import { LineQueue } from "./lib/line_queue.ts";
import { FORMATS, log } from "./lib/log.ts";
import {
  DEFAULT_BACKLOG,
  DEFAULT_HOSTNAME,
  DEFAULT_PORT,
} from "./lib/defaults.ts";
import {
  print,
  type Program,
  readText,
  refusePortInHostnameFlag,
  refuseTwoPlaces,
  run,
} from "./lib/program.ts";
import { onEnding } from "./lib/signals.ts";
import { clearStaleSocket } from "./lib/stale.ts";
import {
  duration,
  integer,
  oneOf,
  positiveDuration,
  share,
  text,
} from "./lib/values.ts";

/**
 * Milliseconds that the end of the log gets to be written: enough for a reader
 * that reads, and no reason to stay for one that has stopped.
 */
const FLUSH_MS = 1_000;

const file = text("FILE", "the path of a file");

const flags = {
  hostname: flag(
    text("HOST", "an address or a host name"),
    `address to listen on (default ${DEFAULT_HOSTNAME})`,
  ),
  port: flag(
    integer("PORT", 0, 65_535),
    `port to listen on, 0 for any free one (default ${DEFAULT_PORT})`,
  ),
  unix: flag(
    text("PATH", "the path of a Unix socket"),
    "Unix socket to listen on instead",
  ),
  "tls-cert": flag(file, "certificate chain (PEM): speak TLS"),
  "tls-key": flag(file, "private key of the certificate (PEM)"),
  "reuse-port": toggle("share the port with other processes"),
  backlog: flag(
    integer("N", 1, 2 ** 31 - 1),
    `clients that may wait to be taken (default ${DEFAULT_BACKLOG})`,
  ),
  "max-connections": flag(
    integer("N", 1),
    "clients served at a time, the next ones wait (default: no limit)",
  ),
  "idle-timeout": flag(
    positiveDuration,
    "close a client that is silent for so long (default: never)",
  ),
  grace: flag(
    duration,
    "time that clients get when the server ends (default 5s)",
  ),
  latency: flag(duration, "fault: echo each piece so much later"),
  jitter: flag(duration, "fault: let the latency vary by so much"),
  bandwidth: flag(integer("BYTES", 1), "fault: echo so many bytes a second"),
  slicer: flag(integer("BYTES", 1), "fault: echo in pieces of so many bytes"),
  "slicer-delay": flag(duration, "fault: wait so long between the pieces"),
  "limit-data": flag(integer("BYTES", 0), "fault: close after so many bytes"),
  stall: flag(integer("BYTES", 0), "fault: go silent after so many bytes"),
  reset: flag(integer("BYTES", 0), "fault: reset after so many bytes"),
  corrupt: flag(share, "fault: change each byte with this probability"),
  refuse: toggle("fault: close each connection at once"),
  toxicity: flag(share, "share of connections that faults befall (default 1)"),
  seed: flag(integer("N", 0), "make chance repeat"),
  once: toggle("serve one client, then exit"),
  verbose: toggle("a line on stderr for each client, and a summary"),
  "log-format": flag(
    oneOf("FORMAT", FORMATS),
    "the same as text or as json, a line each",
  ),
};

/** What the server program is, for its parser, its usage and its tests. */
export const program: Program<typeof flags> = {
  name: "echo-server",
  summary: "Sends back what each client sends (RFC 862).",
  flags,
  notes:
    `Ctrl-C ends it in order; a second one ends it at once. SIGHUP ends it in order
where stdin, stdout or stderr is a terminal, and is ignored elsewhere (nohup).
Exit status: 0 ended in order, 1 failed, 2 wrong usage.`,
};

/** What the library takes, as far as flags say it. @throws {UsageError} */
export function serveOptions(values: Values<typeof flags>): ServeOptions {
  const { hostname, port, unix: path } = values;
  const { "tls-cert": cert, "tls-key": key } = values;
  refuseTwoPlaces(values);
  refusePortInHostnameFlag(hostname);
  if (path && (cert || values["reuse-port"])) {
    throw new UsageError(
      "Cannot use --unix with --tls-cert or --reuse-port: they are for TCP",
    );
  }
  if (!cert !== !key) {
    throw new UsageError("Cannot use --tls-cert and --tls-key but together");
  }
  const { latency, jitter, bandwidth, slicer, stall, reset } = values;
  const { corrupt, refuse, toxicity, seed } = values;
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
    refuse: refuse || undefined,
  };
  const any = Object.values(faults).some((value) => value !== undefined);
  if (!any && (toxicity !== undefined || seed !== undefined)) {
    throw new UsageError("Cannot use --toxicity or --seed without a fault");
  }
  if (values["slicer-delay"] !== undefined && slicer === undefined) {
    throw new UsageError("Cannot use --slicer-delay without --slicer");
  }
  return {
    faults: any ? { ...faults, toxicity, seed } : undefined,
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
  const lines = log(format ?? "text", program);
  const stderr = new LineQueue(Deno.stderr, { dropped: lines.dropped });
  const verbose = values.verbose || format !== undefined;
  const now = new AbortController();
  let asked = 0;
  // Before it listens, since whoever sees that may send a signal at once.
  onEnding((signal) => {
    if (asked++ > 0) return now.abort();
    void server.shutdown();
    const { open } = server.stats();
    if (open > 0 && signal !== "SIGHUP" && Deno.stderr.isTerminal()) {
      stderr.push(lines.draining(open));
    }
  });
  const server = serve({
    ...options,
    signal: now.signal,
    onOpen: (connection) => verbose && stderr.push(lines.opened(connection)),
    onClose(connection) {
      if (verbose) stderr.push(lines.closed(connection));
      if (values.once && !isProbe(connection)) void server.shutdown();
    },
    onShortage: (error) =>
      stderr.push(lines.shortage(reason(error), shortageAdvice(error))),
  });
  print(`Server listening on ${showAddress(server.addr)}`);
  const totals = await server.finished;
  if (verbose) stderr.push(lines.summary(totals));
  await stderr.flush(FLUSH_MS);
}

/**
 * Whether a connection was most likely another server that wanted to know
 * whether its Unix socket is still in use: it ended without a byte.
 */
function isProbe(connection: ClosedConnection): boolean {
  const { remoteAddr, reason, bytesRead, faults = {} } = connection;
  return remoteAddr.transport === "unix" && reason === "closed" &&
    bytesRead === 0 && Object.keys(faults).length === 0;
}

/** What the user can do where no connection can be accepted. */
export function shortageAdvice(error: Error): string | undefined {
  const said = reason(error);
  if (said === "too many open files") {
    return "raise the limit (ulimit -n), or set --max-connections below it";
  }
  if (said === "too many open files in system") {
    return "raise the system's limit (fs.file-max), or set --max-connections";
  }
  return undefined;
}

/** What the user can do where the server cannot listen. */
export function advice(
  error: unknown,
  values?: Values<typeof flags>,
): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) {
    return "stop what listens there, or choose another address";
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
