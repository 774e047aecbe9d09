/**
 * The flags of the client program, and the options of the library that they ask
 * for. A key is the name of the option, where there is one.
 *
 * @module
 */

import type { ConnectOptions } from "../echo.ts";
import {
  DEFAULT_CONNECTIONS,
  DEFAULT_DURATION_MS,
  DEFAULT_HOSTNAME,
  DEFAULT_MESSAGE_SIZE,
  DEFAULT_PING_INTERVAL_MS,
  DEFAULT_PING_SIZE,
  DEFAULT_PING_TIMEOUT_MS,
  DEFAULT_PORT,
  DEFAULT_STEP_DURATION_MS,
  DEFAULT_TIMEOUT_MS,
  DEFAULT_WARMUP_MS,
} from "../net/defaults.ts";
import type { Expectation } from "../stats/expectation.ts";
import { type Flags, given, type Program, type Values } from "./flag_table.ts";
import * as type from "./flag_types.ts";

/** What is sent if there is no MESSAGE. */
export const DEFAULT_MESSAGE = "Hello, server!";

/** Each connection of a load run keeps two messages in memory. */
const MAX_SIZE = 64 * 1024 * 1024;

const { COUNT, DURATION, FILE, HOST, PATH, PROTOCOLS, SPAN, SWITCH } = type;
const PORT = type.integer("PORT", 1, 65_535);
const SIZE = type.integer("BYTES", 1, MAX_SIZE);
const CONNECTIONS = type.integer("N", 1, 60_000);
const RATE = type.orWord(type.integer("N", 1, 10_000_000), "max");
const CONDITION: type.ListType<string> = {
  ...type.text("CONDITION", "a condition such as p99<5ms or errors=0"),
  isList: true,
};

const seconds = (ms: number) => `${ms / 1e3}s`;
const TIMEOUT = `${seconds(DEFAULT_TIMEOUT_MS)}; ping ${
  seconds(DEFAULT_PING_TIMEOUT_MS)
}`;
const DURATIONS = `${seconds(DEFAULT_DURATION_MS)}; --rate max ${
  seconds(DEFAULT_STEP_DURATION_MS)
}`;
const SIZES = `ping ${DEFAULT_PING_SIZE}, load ${DEFAULT_MESSAGE_SIZE}`;
const WARMUP = `${seconds(DEFAULT_WARMUP_MS)}; --count 0s`;
const INTERVAL = seconds(DEFAULT_PING_INTERVAL_MS);

const address = {
  hostname: [HOST, "connect to this host", DEFAULT_HOSTNAME],
  port: [PORT, "connect to this port", DEFAULT_PORT, "p"],
  unix: [PATH, "connect to a Unix socket instead"],
} satisfies Flags;

const tls = {
  tls: [SWITCH, "use TLS, and verify the server's name"],
  tlsCa: [FILE, "trust the certificates in this file too (PEM)"],
  tlsCert: [FILE, "certificate chain of this client (PEM)"],
  tlsKey: [FILE, "the private key of the certificate (PEM)"],
  tlsName: [HOST, "verify this name instead of the host"],
  tlsAlpn: [PROTOCOLS, "protocols to offer (ALPN), by preference"],
} satisfies Flags;

const limits = {
  timeout: [SPAN, "limit for connecting and for an echo", TIMEOUT, "W"],
  wait: [DURATION, "retry connecting for this long", "0s"],
} satisfies Flags;

const modes = {
  ping: [SWITCH, "send probes at an interval, and time them"],
  load: [SWITCH, "send messages on many connections, and time them"],
} satisfies Flags;

const runs = {
  count: [COUNT, "number of probes or messages", "no limit", "c"],
  size: [SIZE, "bytes of a message", SIZES, "s"],
} satisfies Flags;

const ping = {
  interval: [SPAN, "time between probes", INTERVAL, "i"],
  connect: [SWITCH, "time only connecting, to a server of any protocol"],
} satisfies Flags;

const load = {
  connections: [CONNECTIONS, "number of connections", DEFAULT_CONNECTIONS],
  duration: [SPAN, "how long to measure", DURATIONS, "d"],
  warmup: [DURATION, "how long to send before measuring", WARMUP],
  rate: [RATE, "messages per second; max finds the most", "no schedule", "r"],
  reconnect: [COUNT, "replace each connection after this many", "never"],
} satisfies Flags;

const results = {
  expect: [CONDITION, "exit with status 1 unless it is met"],
  html: [FILE, "write a report with charts to this file too"],
} satisfies Flags;

const output = {
  json: [SWITCH, "print results as JSON, an object a line", undefined, "j"],
} satisfies Flags;

const flags = {
  ...{ ...address, ...tls, ...limits, ...modes },
  ...{ ...runs, ...ping, ...load, ...results, ...output },
};

/** The values of a command line. */
export type ClientValues = Values<typeof flags>;

const anyRun = ["ping", "load"] as const;

/** The client program. */
export const program: Program<typeof flags> = {
  name: "echo-client",
  usage: "[FLAGS] [MESSAGE | -]",
  summary:
    `Sends MESSAGE (default "${DEFAULT_MESSAGE}") and prints its echo once every byte is verified. With "-", sends stdin and writes its echo to stdout. A message that begins with a dash goes after "--".`,
  flags,
  groups: {
    Address: address,
    TLS: tls,
    Limits: limits,
    Modes: modes,
    "Ping and load": { ...runs, ...results },
    Ping: ping,
    Load: load,
    Output: output,
  },
  needs: [
    ["tlsCa", "tls"],
    ["tlsCert", "tlsKey"],
    ["tlsCert", "tls"],
    ["tlsKey", "tlsCert"],
    ["tlsName", "tls"],
    ["tlsAlpn", "tls"],
    ["count", ...anyRun],
    ["size", ...anyRun],
    ["expect", ...anyRun],
    ["html", ...anyRun],
    ["interval", "ping"],
    ["connect", "ping"],
    ["connections", "load"],
    ["duration", "load"],
    ["warmup", "load"],
    ["rate", "load"],
    ["reconnect", "load"],
  ],
  conflicts: [
    ["unix", "hostname"],
    ["unix", "port"],
    ["unix", "tls"],
    ["ping", "load"],
    ["connect", "size"],
  ],
  notes:
    `With --rate, messages follow a schedule. One that waits for the echo before it
is timed from when it was due, so that a server that stalls cannot hide it
("coordinated omission": Gil Tene, "How NOT to Measure Latency"). --rate max
finds the highest rate at which all --expect are met.

Examples:
  echo-client "Hello again" --wait 10s
  seq 1 1000000 | echo-client - | md5sum
  echo-client --ping -c 3 -i 200ms
  echo-client --load --connections 100 -d 5s
  echo-client --load -r 1000 --json
  echo-client --load -r max --expect 'p99<5ms' --html report.html

A CONDITION is a metric (min, mean, p50, p99.9 or any other percentile, max,
stddev, jitter, loss, rate, errors, dropped, fairness), one of < <= > >= =, and
a value with its unit: 'p99<5ms', 'loss<1%', 'rate>9000', 'errors=0'.

Ctrl-C ends --ping and --load with a summary; a second Ctrl-C aborts. SIGHUP
does the same if stdin, stdout or stderr is a terminal, and is ignored otherwise
(nohup). Ctrl-\\ prints the figures of --ping and --load so far, and goes on.
Exit status: 0 if every byte came back (--ping: at least one probe) and every
--expect is met, 1 after a failure, 2 for wrong usage, 130 if it was interrupted
without a result. Conditions on loss, errors or dropped judge what --load lost.`,
};

/** What the client does. */
export type ClientMode = "message" | "pipe" | "ping" | "load" | "rate search";

/** What every mode is run with. */
export interface ModeInput {
  /** The mode itself. */
  mode: ClientMode;
  /** The flags. */
  values: ClientValues;
  /** The options of `connect()` that they ask for. */
  options: ConnectOptions;
  /** The conditions of `--expect`. */
  expectations: readonly Expectation[];
}

/** The options of every mode, without what is in files. */
export function connectOptions(values: ClientValues): ConnectOptions {
  const { unix: path, ...where } = given(values, address);
  const { tls, tlsName: serverName, tlsAlpn: alpnProtocols } = values;
  return {
    ...where,
    ...path && { path },
    ...tls && { tls, serverName, alpnProtocols },
    ...given(values, limits),
  };
}

/** The options of a run: those of its flags, and of the connection. */
export function runOptions({ values, options }: ModeInput) {
  return { ...options, ...given(values, { ...runs, ...ping, ...load }) };
}
