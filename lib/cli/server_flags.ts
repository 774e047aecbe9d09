/**
 * The flags of the server program, and the options of the library that they ask
 * for. A key is the name of the option, where there is one.
 *
 * @module
 */

import type { ServeOptions } from "../echo.ts";
import {
  DEFAULT_BACKLOG,
  DEFAULT_GRACE_MS,
  DEFAULT_HOSTNAME,
  DEFAULT_PORT,
  DEFAULT_TIMEOUT_MS,
  DEFAULT_TOXIPROXY_PORT,
} from "../net/defaults.ts";
import { FAULTS } from "../faults/table.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import type { DirectedFaults, Faults } from "../net/fault_options.ts";
import { isOwnEndpoint, OWN_ADDRESS } from "../net/own_address.ts";
import {
  BOOLEAN,
  DELAY,
  FRACTION,
  NON_NEGATIVE_INTEGER,
  POSITIVE_INTEGER,
  type Range,
} from "../net/validate.ts";
import type { Upstream } from "../proxy.ts";
import {
  type Flag,
  type Flags,
  type FlagType,
  given,
  type Program,
  UsageError,
  type Values,
} from "./flags.ts";
import * as type from "./flags.ts";

const { COUNT, DURATION, FILE, HOST, PATH, PROTOCOLS, SPAN, SWITCH } = type;
const PORT = type.integer("PORT", 0, 65_535);
const BACKLOG = type.integer("N", 1, 2 ** 31 - 1);
const SIZE = type.integer("BYTES", 1);
const OFFSET = type.integer("BYTES", 0);
const DIRECTION = type.oneOf("DIR", ["downstream", "upstream", "both"]);
/** The formats of the log. */
const FORMAT = type.oneOf("FORMAT", ["text", "json"]);

const address = {
  hostname: [HOST, "listen on this address", DEFAULT_HOSTNAME],
  port: [PORT, "listen on this port; 0 picks a free one", DEFAULT_PORT, "p"],
  unix: [PATH, "listen on a Unix socket instead"],
  reusePort: [SWITCH, "share the port with other processes"],
} satisfies Flags;

const tls = {
  tlsCert: [FILE, "use TLS with this certificate chain (PEM)"],
  tlsKey: [FILE, "the private key of the certificate (PEM)"],
  tlsClientCa: [
    FILE,
    "refuse clients that these issuers do not vouch for (PEM)",
  ],
  tlsAlpn: [PROTOCOLS, "protocols to agree on (ALPN), by preference"],
} satisfies Flags;

const upstream = {
  upstream: [type.HOST_PORT, "forward connections to this service"],
  upstreamUnix: [PATH, "forward connections to this Unix socket"],
  upstreamTls: [SWITCH, "use TLS to the upstream, and verify its name"],
  upstreamTlsCa: [FILE, "trust the certificates in this file too (PEM)"],
  upstreamTlsName: [HOST, "verify this name instead of the upstream's host"],
  upstreamTimeout: [
    SPAN,
    "limit for connecting",
    `${DEFAULT_TIMEOUT_MS / 1e3}s`,
  ],
  upstreamWait: [DURATION, "retry connecting for this long", "0s"],
} satisfies Flags;

/** The limits of a server. */
export const limits = {
  backlog: [BACKLOG, "length of the queue of new connections", DEFAULT_BACKLOG],
  maxConnections: [COUNT, "serve this many; further ones wait", "no limit"],
  maxHeldBytes: [COUNT, "bytes that faults may hold back in all", "64 MiB"],
  idleTimeout: [SPAN, "close connections idle for this long", "never"],
  grace: [DURATION, "wait of a shutdown", `${DEFAULT_GRACE_MS / 1e3}s`],
} satisfies Flags;

/** How the value of a fault is written, by its range. */
const WRITTEN = new Map<Range, FlagType<number> | FlagType<boolean>>([
  [DELAY, DURATION],
  [POSITIVE_INTEGER, SIZE],
  [NON_NEGATIVE_INTEGER, OFFSET],
  [FRACTION, type.SHARE],
  [BOOLEAN, SWITCH],
]);

type FaultFlags = {
  readonly [Name in Exclude<keyof Faults, "toxicity" | "seed">]-?: Flag<
    NonNullable<Faults[Name]>
  >;
};

const faults = Object.fromEntries(
  Object.entries(FAULTS)
    .filter(([name]) => name !== "toxicity" && name !== "seed")
    .map(([name, { range, help }]) => [name, [WRITTEN.get(range), help]]),
) as unknown as FaultFlags;

/** What is said about all faults. */
const scope = {
  toxicity: [type.SHARE, FAULTS.toxicity.help, 1],
  seed: [type.integer("N", 0), FAULTS.seed.help],
  faultDirection: [DIRECTION, "of a proxy: to whom the bytes go", "downstream"],
} satisfies Flags;

const output = {
  verbose: [SWITCH, "log each connection and a summary", undefined, "v"],
  logFormat: [FORMAT, "text or json; implies --verbose", "text"],
} satisfies Flags;

const control = {
  toxiproxy: [
    type.listenOn(DEFAULT_TOXIPROXY_PORT),
    "be proxies that clients of toxiproxy control",
    "off; without a value, 127.0.0.1:8474",
  ],
  config: [FILE, "begin with the proxies of this toxiproxy.json"],
  metrics: [type.listenOn(), "serve /metrics (Prometheus) and /healthz"],
} satisfies Flags;

const once = {
  once: [SWITCH, "serve one connection, then exit"],
} satisfies Flags;

const flags = {
  ...{ ...address, ...tls, ...upstream, ...limits, ...once },
  ...{ ...faults, ...scope, ...control, ...output },
};

/** The proxies that clients of toxiproxy make have these from them. */
const notWithToxiproxy = Object.keys({
  ...{ ...address, ...tls, ...upstream, ...faults, ...scope, ...once },
  ...{ ...output, backlog: true, metrics: true },
});

/** The values of a command line. */
export type ServerValues = Values<typeof flags>;

const anyUpstream = ["upstream", "upstreamUnix"] as const;

/** The server program. */
export const program: Program<typeof flags> = {
  name: "echo-server",
  usage: "[FLAGS]",
  summary:
    "Sends back what each client sends (RFC 862). With --upstream, it is a proxy instead.",
  flags,
  groups: {
    Address: address,
    TLS: tls,
    Upstream: upstream,
    Limits: { ...limits, ...once },
    Faults: { ...faults, ...scope },
    Control: control,
    Log: output,
  },
  needs: [
    ["tlsCert", "tlsKey"],
    ["tlsKey", "tlsCert"],
    ["tlsClientCa", "tlsCert"],
    ["tlsAlpn", "tlsCert"],
    ["upstreamTls", "upstream"],
    ["upstreamTlsCa", "upstreamTls"],
    ["upstreamTlsName", "upstreamTls"],
    ["upstreamTimeout", ...anyUpstream],
    ["upstreamWait", ...anyUpstream],
    ["slicerVariation", "slicer"],
    ["slicerDelay", "slicer"],
    ["config", "toxiproxy"],
    ["faultDirection", ...anyUpstream],
  ],
  conflicts: [
    ["unix", "hostname"],
    ["unix", "port"],
    ["unix", "reusePort"],
    ["unix", "tlsCert"],
    ["upstream", "upstreamUnix"],
    ...notWithToxiproxy.map((key) => ["toxiproxy", key] as const),
  ],
  notes:
    `Ctrl-C shuts down gracefully; a second Ctrl-C aborts. SIGHUP shuts down if
stdin, stdout or stderr is a terminal, and is ignored otherwise (nohup).
Exit status: 0 after a shutdown, 1 after a failure, 2 for wrong usage.`,
};

/** The faults that flags ask for, if any. @throws {UsageError} */
function faultOptions(
  values: ServerValues,
): Faults | DirectedFaults | undefined {
  const chosen = given(values, faults);
  const { faultDirection: direction, ...rest } = given(values, scope);
  if (Object.keys(chosen).length > 0) {
    const all: Faults = { ...chosen, ...rest };
    if (direction === undefined) return all;
    return direction === "both"
      ? { downstream: all, upstream: all }
      : { [direction]: all };
  }
  if (direction === undefined && Object.keys(rest).length === 0) {
    return undefined;
  }
  throw new UsageError(
    "--toxicity, --seed and --fault-direction need a fault, such as --latency",
  );
}

/** The upstream that flags ask for, if any. */
function upstreamOptions(values: ServerValues): Upstream | undefined {
  const { upstream, upstreamUnix: path } = values;
  if (!upstream && path === undefined) return undefined;
  return {
    ...(path === undefined ? upstream : { path }),
    ...values.upstreamTls && { tls: true, serverName: values.upstreamTlsName },
    timeout: values.upstreamTimeout,
    wait: values.upstreamWait,
  };
}

/** What a command line asks for: an echo server, or a proxy if it has an upstream. */
export interface ServerOptions {
  /** The options of `serve()`, without its faults and what is in files. */
  listen: Omit<ServeOptions, "faults">;
  /** The faults of what the client receives, or by direction. */
  faults: Faults | DirectedFaults | undefined;
  /** The upstream of a proxy. */
  upstream: Upstream | undefined;
}

/** The library's options that flags ask for. @throws {UsageError} */
export function serverOptions(
  values: ServerValues,
  [surplus]: string[] = [],
): ServerOptions {
  if (surplus !== undefined) {
    throw new UsageError(`Cannot use "${surplus}": expected flags only`);
  }
  const { unix: path, ...where } = given(values, address);
  const { tlsAlpn: alpnProtocols, once } = values;
  const listening = { ...where, ...path && { path } };
  const upstream = upstreamOptions(values);
  if (upstream && isOwnEndpoint(listening, upstream)) {
    throw new UsageError(
      `Cannot forward to ${formatEndpoint(upstream)}: ${OWN_ADDRESS}`,
    );
  }
  return {
    listen: {
      ...listening,
      ...alpnProtocols && { alpnProtocols },
      ...given(values, limits),
      ...once && { maxConnections: 1 },
    },
    faults: faultOptions(values),
    upstream,
  };
}
