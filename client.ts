/**
 * The echo client program: sends a message, and prints its echo once every byte is
 * verified. It also has modes to pipe stdin, to ping, and to load a server.
 *
 * ```sh
 * deno task client
 * deno task client "Hello again"
 * seq 1 1000000 | deno task --quiet client - | md5sum
 * deno task client --ping --count 3
 * deno task client --load --connections 100 --duration 5s
 * deno run --allow-net=example.org:7 client.ts --hostname example.org --port 7
 * ```
 *
 * @module
 */

import {
  duration,
  file,
  integer,
  orWord,
  positiveDuration,
  text,
} from "./lib/cli/flag_types.ts";
import { expectation } from "./lib/cli/expectation_flag.ts";
import {
  booleanFlag,
  flag,
  repeatableFlag,
  UsageError,
  type Values,
} from "./lib/cli/flags.ts";
import { environmentRows, HtmlFile, optionRows } from "./lib/cli/html_file.ts";
import { runLoad } from "./lib/cli/load_mode.ts";
import { runMaxRate } from "./lib/cli/max_rate_mode.ts";
import { runMessage, runPipe } from "./lib/cli/modes.ts";
import { runPing } from "./lib/cli/ping_mode.ts";
import {
  checkEndpointFlags,
  type Program,
  readText,
  run,
  version,
} from "./lib/cli/program.ts";
import { checkRunOptions, type ModeOptions } from "./lib/cli/run_options.ts";
import {
  ConnectError,
  ConnectionRefusedError,
  type ConnectOptions,
  HandshakeError,
  MismatchError,
  TimedOutError,
  UnexpectedEofError,
} from "./lib/echo.ts";
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
} from "./lib/net/defaults.ts";
import { joinHostPort, splitHostPort } from "./lib/net/endpoint.ts";

const DEFAULT_MESSAGE = "Hello, server!";

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

const flags = {
  ...address,
  ...tls,
  ...limits,
  ...modes,
  ...pingAndLoad,
  ...ping,
  ...load,
  ...output,
};

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
function hostPortHint(text: string): string | undefined {
  const { hostname, port } = splitHostPort(text) ?? {};
  if (!hostname || !/[a-z.:]/i.test(hostname)) return undefined;
  return `to connect elsewhere use --hostname ${hostname} --port ${port}`;
}

/** The modes that each flag needs, for the flags that not all modes have. */
const NEEDED_MODES: readonly [keyof typeof flags, readonly string[]][] = [
  ["interval", ["ping"]],
  ["connect", ["ping"]],
  ["expect", ["ping", "load"]],
  ["html", ["ping", "load"]],
  ["count", ["ping", "load"]],
  ["size", ["ping", "load"]],
  ["connections", ["load"]],
  ["duration", ["load"]],
  ["rate", ["load"]],
  ["reconnect", ["load"]],
  ["warmup", ["load"]],
];

/** Whether the value of a flag says that it was given. */
function isGiven(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length > 0
    : value !== undefined && value !== false;
}

/** The mode that a command line asks for. @throws {UsageError} */
export function modeOf(
  values: Values<typeof flags>,
  [message]: string[],
): "message" | "pipe" | "ping" | "load" {
  if (values.ping && values.load) {
    throw new UsageError("--ping and --load cannot be combined");
  }
  const mode = values.ping ? "ping" : values.load ? "load" : undefined;
  if (mode && message !== undefined) {
    throw new UsageError(
      `Cannot use "${message}" with --${mode}: it makes its own messages`,
    );
  }
  for (const [name, needed] of NEEDED_MODES) {
    if (isGiven(values[name]) && !needed.includes(mode ?? "")) {
      throw new UsageError(
        `--${name} needs ${needed.map((mode) => `--${mode}`).join(" or ")}`,
      );
    }
  }
  if (mode) checkRunOptions(mode, values);
  return mode ?? (message === "-" ? "pipe" : "message");
}

/** The library's options that flags ask for. @throws {UsageError} */
export function connectOptions(values: Values<typeof flags>): ConnectOptions {
  const { hostname, port, unix: path, tls, timeout, wait } = values;
  checkEndpointFlags(values);
  if (path && tls) {
    throw new UsageError("--unix cannot be combined with --tls");
  }
  if (values["tls-ca"] && !tls) throw new UsageError("--tls-ca needs --tls");
  return { hostname, port, path, tls, timeout, wait };
}

/** Reads certificates. @throws {Error} if the file contains none. */
function readCertificates(path: string): string {
  const pem = readText(path);
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new Error(
    `Cannot use --tls-ca ${path}: it holds no certificate in PEM format`,
  );
}

async function main(
  values: Values<typeof flags>,
  positionals: string[],
): Promise<number> {
  const mode = modeOf(values, positionals);
  const { rate } = values;
  const { html: path, ...given } = values;
  const options: ModeOptions = { ...given, ...connectOptions(values) };
  const ca = values["tls-ca"];
  if (ca) options.caCerts = [readCertificates(ca)];
  using html = path === undefined ? undefined : new HtmlFile(path, {
    options: optionRows(flags, values),
    environment: environmentRows(version(program), new Date()),
  });
  options.html = html;
  switch (mode) {
    case "pipe":
      return await runPipe(options);
    case "ping":
      return await runPing(options);
    case "load":
      return rate === "max"
        ? await runMaxRate(options)
        : await runLoad({ ...options, rate });
    case "message":
      return await runMessage(positionals[0] ?? DEFAULT_MESSAGE, options);
  }
}

/** What the user can do about an error. */
export function advice(
  error: unknown,
  values?: Values<typeof flags>,
  [message = ""]: string[] = [],
): string | undefined {
  const hint = hostPortHint(message);
  const endpoint = values?.hostname ?? values?.port ?? values?.unix;
  if (hint && endpoint === undefined && error instanceof ConnectError) {
    return hint;
  }
  if (error instanceof ConnectionRefusedError) {
    return "start the server first, or wait for it with --wait 10s";
  }
  if (error instanceof HandshakeError) {
    return "does it speak TLS, with a certificate for this name? trust its issuer with --tls-ca";
  }
  if (error instanceof TimedOutError) {
    return "is it an echo server? allow more time with --timeout";
  }
  // An echo server, too, may end while no message is in flight.
  const incomplete = error instanceof UnexpectedEofError &&
    error.received < error.expected;
  if (incomplete || error instanceof MismatchError) {
    return "is it an echo server?";
  }
  return undefined;
}

if (import.meta.main) await run(program, main, advice);
