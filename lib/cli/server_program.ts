/**
 * The command line of the server program: its flags by topic, and the options of the
 * library that they ask for.
 *
 * ```ts
 * import { parseCommand } from "./program.ts";
 * import { program, serveOptions } from "./server_program.ts";
 *
 * const command = parseCommand(program, ["--port", "8080"]);
 * if ("values" in command) console.log(serveOptions(command.values).port);
 * ```
 *
 * @module
 */

import type { ServeOptions } from "../echo.ts";
import {
  DEFAULT_BACKLOG,
  DEFAULT_GRACE_MS,
  DEFAULT_HOSTNAME,
  DEFAULT_PORT,
} from "../net/defaults.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import type { Upstream } from "../proxy.ts";
import { LOG_FORMATS } from "./connection_log.ts";
import {
  duration,
  file,
  hostPort,
  integer,
  oneOf,
  positiveDuration,
  text,
} from "./flag_types.ts";
import { faultFlags, faultOptions } from "./fault_flags.ts";
import { booleanFlag, flag, UsageError, type Values } from "./flags.ts";
import { checkEndpointFlags, type Program } from "./program.ts";

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

const upstream = {
  upstream: flag(hostPort, "forward connections to this service"),
  "upstream-unix": flag(
    text("PATH", "the path of a Unix socket"),
    "forward connections to this Unix socket",
  ),
  "upstream-tls": booleanFlag("use TLS to the upstream, and verify its name"),
  "upstream-tls-ca": flag(
    file,
    "trust the certificates in this file too (PEM)",
  ),
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

const output = {
  verbose: booleanFlag("log each connection and a summary to stderr"),
  "log-format": flag(
    oneOf("FORMAT", LOG_FORMATS),
    "log format: text or json (implies --verbose)",
  ),
};

/** All flags of the server, with their types. */
export type ServerFlags = typeof flags;

const flags = {
  ...address,
  ...tls,
  ...upstream,
  ...limits,
  ...faultFlags,
  ...output,
};

/** The server program, for its parser, its help text and its tests. */
export const program: Program<ServerFlags> = {
  name: "echo-server",
  summary:
    "Sends back what each client sends (RFC 862). With --upstream, it is a proxy instead.",
  flags,
  groups: {
    Address: address,
    TLS: tls,
    "Upstream, to be a proxy": upstream,
    Limits: limits,
    "Faults, to test clients with": faultFlags,
    Output: output,
  },
  notes:
    `Ctrl-C shuts down gracefully; a second Ctrl-C aborts. SIGHUP shuts down if
stdin, stdout or stderr is a terminal, and is ignored otherwise (nohup).
Exit status: 0 after a shutdown, 1 after a failure, 2 for wrong usage.`,
};

/** The upstream that flags ask for, if any. @throws {UsageError} */
export function upstreamOptions(
  values: Values<ServerFlags>,
): Upstream | undefined {
  const { upstream, "upstream-unix": path, "upstream-tls": tls } = values;
  if (upstream && path !== undefined) {
    throw new UsageError("--upstream cannot be combined with --upstream-unix");
  }
  if (tls && !upstream) throw new UsageError("--upstream-tls needs --upstream");
  if (values["upstream-tls-ca"] !== undefined && !tls) {
    throw new UsageError("--upstream-tls-ca needs --upstream-tls");
  }
  const found = path === undefined
    ? upstream && { ...upstream, tls }
    : { path };
  if (!found && values["fault-direction"] !== undefined) {
    throw new UsageError(
      "--fault-direction needs --upstream or --upstream-unix",
    );
  }
  const { hostname, port, unix } = values;
  if (found && isSame(found, { hostname, port, path: unix })) {
    throw new UsageError(
      `Cannot forward to ${
        formatEndpoint(found)
      }: it is where this server listens`,
    );
  }
  return found;
}

/** Names of one address, as far as a connection from this machine is concerned. */
const LOCAL: readonly string[] = ["127.0.0.1", "localhost", "0.0.0.0", "::"];

/** Whether connections to an endpoint reach the server that listens on another. */
function isSame(to: Endpoint, listening: Endpoint): boolean {
  const canonical = ({ path, port, hostname = DEFAULT_HOSTNAME }: Endpoint) =>
    formatEndpoint({
      path,
      port,
      hostname: LOCAL.includes(hostname) ? DEFAULT_HOSTNAME : hostname,
    });
  return canonical(to) === canonical(listening);
}

/** The library's options that flags ask for. @throws {UsageError} */
export function serveOptions(values: Values<ServerFlags>): ServeOptions {
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
