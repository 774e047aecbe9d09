/**
 * The echo client: sends a message, and prints what comes back once every byte
 * of it has been verified. It also pipes, pings and loads.
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

import { hostPort, splitHostPort } from "./lib/address.ts";
import {
  type Request,
  runLoad,
  runMessage,
  runPing,
  runPipe,
} from "./lib/client_modes.ts";
import {
  ConnectError,
  type ConnectOptions,
  CutShortError,
  DiffersError,
  HandshakeError,
  RefusedError,
  TimedOutError,
} from "./lib/echo.ts";
import { flag, toggle, UsageError, type Values } from "./lib/flags.ts";
import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./lib/defaults.ts";
import {
  type Program,
  readText,
  refusePortInHostnameFlag,
  refuseTwoPlaces,
  run,
} from "./lib/program.ts";
import { duration, integer, positiveDuration, text } from "./lib/values.ts";

const DEFAULT_MESSAGE = "Hello, server!";

/** Each connection of a load run keeps two messages in memory. */
const MAX_SIZE = 64 * 1024 * 1024;

const flags = {
  hostname: flag(
    text("HOST", "an address or a host name"),
    `address or name of the server (default ${DEFAULT_HOSTNAME})`,
  ),
  port: flag(
    integer("PORT", 1, 65_535),
    `port of the server (default ${DEFAULT_PORT})`,
  ),
  unix: flag(
    text("PATH", "the path of a Unix socket"),
    "Unix socket of the server instead",
  ),
  tls: toggle("speak TLS, and check the server's name"),
  "tls-ca": flag(
    text("FILE", "the path of a file"),
    "certificates to trust beside the usual ones (PEM)",
  ),
  timeout: flag(
    positiveDuration,
    "how long connecting, and then an echo, may take (default 10s, a probe 2s)",
  ),
  wait: flag(
    duration,
    "keep trying to connect for so long (default 0s)",
  ),
  ping: toggle("send probes at an interval, and time them"),
  load: toggle("send messages on many connections, and time them"),
  interval: flag(positiveDuration, "--ping: from probe to probe (default 1s)"),
  count: flag(
    integer("N", 1),
    "--ping, --load: probes or messages to send (default: no limit)",
  ),
  size: flag(
    integer("BYTES", 1, MAX_SIZE),
    "--ping, --load: bytes of each (default 56, 512)",
  ),
  connections: flag(
    integer("N", 1, 60_000),
    "--load: connections (default 50)",
  ),
  duration: flag(positiveDuration, "--load: for how long (default 10s)"),
  rate: flag(
    integer("N", 1, 10_000_000),
    "--load: messages a second, on schedule (default: as fast as echoes come)",
  ),
  json: toggle("results as JSON, a line each"),
};

/** What the client program is, for its parser, its usage and its tests. */
export const program: Program<typeof flags> = {
  name: "echo-client",
  words: {
    usage: "[MESSAGE | -]",
    most: 1,
    surplusHint: ([host = "", port]) => elsewhere(hostPort(host, Number(port))),
  },
  summary:
    `Sends MESSAGE (default "${DEFAULT_MESSAGE}"), or all of stdin (-), and prints its echo once every byte of it has been verified.`,
  flags,
  notes:
    `With --rate, a message that has to wait for the echo before it counts from
when it was due, so that a server that stalls cannot hide it ("coordinated
omission": Gil Tene, "How NOT to Measure Latency").

Examples:
  echo-client "Hello again" --wait 10s
  seq 1 1000000 | echo-client - | md5sum
  echo-client --ping --count 3 --interval 200ms
  echo-client --load --connections 100 --duration 5s
  echo-client --load --rate 1000 --json

Ctrl-C ends --ping and --load with their figures; a second one ends them at
once. SIGHUP does the same where stdin, stdout or stderr is a terminal, and is
ignored elsewhere (nohup).
Exit status: 0 every byte came back (--ping: any probe did), 1 it failed,
2 wrong usage.`,
};

/**
 * What to say to those who give the address as words, as to nc. Numbers with a
 * colon between them are rather a time of day.
 */
function elsewhere(text: string): string | undefined {
  const { hostname, port } = splitHostPort(text) ?? {};
  if (!hostname || !/[a-z.:]/i.test(hostname)) return undefined;
  return `to connect elsewhere use --hostname ${hostname} --port ${port}`;
}

/** Which mode a command line asks for. @throws {UsageError} */
export function modeOf(
  values: Values<typeof flags>,
  [word]: string[],
): "message" | "pipe" | "ping" | "load" {
  if (values.ping && values.load) {
    throw new UsageError("Cannot use --ping with --load: choose one");
  }
  const mode = values.ping ? "ping" : values.load ? "load" : undefined;
  if (mode && word !== undefined) {
    throw new UsageError(
      `Cannot use "${word}" with --${mode}: it makes its own messages`,
    );
  }
  const needs: [keyof typeof flags, ("ping" | "load")[]][] = [
    ["interval", ["ping"]],
    ["count", ["ping", "load"]],
    ["size", ["ping", "load"]],
    ["connections", ["load"]],
    ["duration", ["load"]],
    ["rate", ["load"]],
  ];
  for (const [name, modes] of needs) {
    if (values[name] !== undefined && !modes.includes(mode as "ping")) {
      throw new UsageError(
        `Cannot use --${name} without ${
          modes.map((mode) => `--${mode}`).join(" or ")
        }`,
      );
    }
  }
  return mode ?? (word === "-" ? "pipe" : "message");
}

/** What the library takes, as far as flags say it. @throws {UsageError} */
export function connectOptions(values: Values<typeof flags>): ConnectOptions {
  const { hostname, port, unix: path, tls, timeout, wait } = values;
  refuseTwoPlaces(values);
  refusePortInHostnameFlag(hostname);
  if (path && tls) {
    throw new UsageError("Cannot use --unix with --tls: TLS is for TCP");
  }
  if (values["tls-ca"] && !tls) {
    throw new UsageError("Cannot use --tls-ca without --tls");
  }
  return { hostname, port, path, tls, timeout, wait };
}

/** @throws {Error} that names the file if it holds no certificate. */
function readCertificates(path: string): string {
  const pem = readText(path);
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new Error(
    `Cannot use --tls-ca ${path}: it holds no certificate in PEM format`,
  );
}

async function main(
  values: Values<typeof flags>,
  words: string[],
): Promise<number> {
  const mode = modeOf(values, words);
  const { json, interval, count, size, connections, rate } = values;
  const request: Request = {
    ...connectOptions(values),
    json,
    interval,
    count,
    size,
    connections,
    duration: values.duration,
    rate,
  };
  const ca = values["tls-ca"];
  if (ca) request.caCerts = [readCertificates(ca)];
  switch (mode) {
    case "pipe":
      return await runPipe(request);
    case "ping":
      return await runPing(request);
    case "load":
      return await runLoad(request);
    case "message":
      return await runMessage(words[0] ?? DEFAULT_MESSAGE, request);
  }
}

/** What the user can do about an error. */
export function advice(
  error: unknown,
  values?: Values<typeof flags>,
  [word = ""]: string[] = [],
): string | undefined {
  const hint = elsewhere(word);
  const asked = values?.hostname ?? values?.port ?? values?.unix;
  if (hint && asked === undefined && error instanceof ConnectError) return hint;
  if (error instanceof RefusedError) {
    return "start the server first, or wait for it with --wait 10s";
  }
  if (error instanceof HandshakeError) {
    return "does it speak TLS, with a certificate for this name? trust its issuer with --tls-ca";
  }
  if (error instanceof TimedOutError) {
    return "is it an echo server? allow more time with --timeout";
  }
  // A server that ends while nothing is under way may well be one.
  const cut = error instanceof CutShortError && error.received < error.expected;
  if (cut || error instanceof DiffersError) return "is it an echo server?";
  return undefined;
}

if (import.meta.main) await run(program, main, advice);
