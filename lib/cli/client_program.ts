/**
 * The command line of the client program: its flags and its help text.
 *
 * ```ts
 * import { program } from "./client_program.ts";
 * import { parseCommand } from "./program.ts";
 *
 * parseCommand(program, ["--ping", "--count", "3"]);
 * ```
 *
 * @module
 */

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
} from "../net/defaults.ts";
import { joinHostPort, splitHostPort } from "../net/endpoint.ts";
import { expectation } from "./expectation_flag.ts";
import {
  duration,
  file,
  integer,
  orWord,
  positiveDuration,
  text,
} from "./flag_types.ts";
import { booleanFlag, flag, repeatableFlag, type Values } from "./flags.ts";
import type { Program } from "./program.ts";

/** What is sent if there is no MESSAGE. */
export const DEFAULT_MESSAGE = "Hello, server!";

/** Each connection of a load run keeps two messages in memory. */
const MAX_SIZE = 64 * 1024 * 1024;

const seconds = (ms: number) => `${ms / 1_000}s`;

const address = {
  hostname: flag(
    text("HOST", "an address or a host name"),
    "connect to this host",
    DEFAULT_HOSTNAME,
  ),
  port: flag(integer("PORT", 1, 65_535), "connect to this port", DEFAULT_PORT),
  unix: flag(
    text("PATH", "the path of a Unix socket"),
    "connect to a Unix socket instead",
  ),
};

const tls = {
  tls: booleanFlag("use TLS, and verify the server's name"),
  "tls-ca": flag(file, "trust the certificates in this file too (PEM)"),
};

const limits = {
  timeout: flag(
    positiveDuration,
    "limit for connecting and for an echo",
    `${seconds(DEFAULT_TIMEOUT_MS)}, ping ${seconds(DEFAULT_PING_TIMEOUT_MS)}`,
  ),
  wait: flag(duration, "retry connecting for this long", "0s"),
};

const modes = {
  ping: booleanFlag("send probes at an interval, and time them"),
  load: booleanFlag("send messages on many connections, and time them"),
};

const pingAndLoad = {
  count: flag(integer("N", 1), "number of probes or messages", "no limit"),
  size: flag(
    integer("BYTES", 1, MAX_SIZE),
    "bytes of a message",
    `${DEFAULT_PING_SIZE}, ${DEFAULT_MESSAGE_SIZE}`,
  ),
  expect: repeatableFlag(
    expectation,
    "exit with status 1 unless it is met, such as 'p99<5ms'",
  ),
  html: flag(file, "write the report to this file too, as a page"),
};

const ping = {
  interval: flag(
    positiveDuration,
    "time between probes",
    seconds(DEFAULT_PING_INTERVAL_MS),
  ),
  connect: booleanFlag("time only connecting, to a server of any protocol"),
};

const load = {
  connections: flag(
    integer("N", 1, 60_000),
    "number of connections",
    DEFAULT_CONNECTIONS,
  ),
  duration: flag(
    positiveDuration,
    "how long to send",
    `${seconds(DEFAULT_DURATION_MS)}, a step of --rate max ${
      seconds(DEFAULT_STEP_DURATION_MS)
    }`,
  ),
  warmup: flag(
    duration,
    "how long to send before, without figures",
    "1s, with --count 0s",
  ),
  rate: flag(
    orWord(integer("N", 1, 10_000_000), "max"),
    "messages per second, on a schedule; max finds the highest rate at which all --expect are met",
    "no schedule",
  ),
  reconnect: flag(
    integer("N", 1),
    "replace each connection after this many messages",
    "never",
  ),
};

const output = {
  json: booleanFlag("print results as JSON, one object per line"),
};

/** All flags of the client. */
export const flags = {
  ...address,
  ...tls,
  ...limits,
  ...modes,
  ...pingAndLoad,
  ...ping,
  ...load,
  ...output,
};

/** The values of a command line. */
export type ClientValues = Values<typeof flags>;

/** The client program, for its parser, its help text and its tests. */
export const program: Program<typeof flags> = {
  name: "echo-client",
  positionals: {
    syntax: "[MESSAGE | -]",
    max: 1,
    surplusHint: ([host = "", port]) =>
      hostPortHint(joinHostPort(host, Number(port))),
  },
  summary:
    `Sends MESSAGE (default "${DEFAULT_MESSAGE}") and prints its echo once every byte is verified. With "-", sends stdin and writes its echo to stdout. A message that begins with a dash goes after "--".`,
  flags,
  groups: {
    Address: address,
    TLS: tls,
    Limits: limits,
    Modes: modes,
    "Ping and load": pingAndLoad,
    Ping: ping,
    Load: load,
    Output: output,
  },
  notes:
    `With --rate, a message that waits for the echo before it is timed from when it
was due, so that a server that stalls cannot hide it ("coordinated omission":
Gil Tene, "How NOT to Measure Latency").

Examples:
  echo-client "Hello again" --wait 10s
  seq 1 1000000 | echo-client - | md5sum
  echo-client --ping --count 3 --interval 200ms
  echo-client --load --connections 100 --duration 5s
  echo-client --load --rate 1000 --json
  echo-client --load --rate max --expect 'p99<5ms' --html report.html

A CONDITION is a metric (min, mean, p50, p90, p99, p99.9, max, stddev, jitter,
loss, rate, errors, dropped, fairness), one of < <= > >= =, and a value with its
unit: 'p99<5ms', 'loss<1%', 'rate>9000', 'errors=0'.

Ctrl-C ends --ping and --load with a summary; a second Ctrl-C aborts. SIGHUP
does the same if stdin, stdout or stderr is a terminal, and is ignored otherwise
(nohup). Ctrl-\\ prints the statistics of --ping so far, and goes on.
Exit status: 0 if every byte came back (--ping: at least one probe) and every
--expect is met, 1 after a failure, 2 for wrong usage. With a condition on loss
or errors, the conditions judge the errors of --load.`,
};

/**
 * The flags for an address that was given as arguments, as with nc. Only digits
 * around a colon are more likely a time of day.
 */
export function hostPortHint(text: string): string | undefined {
  const { hostname, port } = splitHostPort(text) ?? {};
  if (!hostname || !/[a-z.:]/i.test(hostname)) return undefined;
  return `to connect elsewhere use --hostname ${hostname} --port ${port}`;
}
