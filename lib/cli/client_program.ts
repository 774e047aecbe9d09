/**
 * The client program: picks the mode, and sends a message. The other modes are
 * loaded when they are used, because loading takes longer than an echo.
 *
 * @module
 */

import {
  ConnectError,
  ConnectionRefusedError,
  type ConnectOptions,
  exchange,
  HandshakeError,
  MismatchError,
  TimedOutError,
  UnexpectedEofError,
} from "../echo.ts";
import {
  formatEndpoint,
  joinHostPort,
  splitHostPort,
} from "../net/endpoint.ts";
import type { Expectation } from "../stats/expectation.ts";
import {
  type ClientMode,
  type ClientValues,
  connectOptions,
  DEFAULT_MESSAGE,
  type ModeInput,
} from "./client_flags.ts";
import { isGiven, UsageError } from "./flag_table.ts";
import { eventLine, print, printableLines, writeStderr } from "./output.ts";
import { readCertificates, readText } from "./program.ts";
import { EXIT } from "./signals.ts";

/**
 * The flags for an address that was given as arguments, as with nc. Only digits
 * around a colon are more likely a time of day.
 */
function hostPortHint(text: string): string | undefined {
  const { hostname, port } = splitHostPort(text) ?? {};
  if (!hostname || !/[a-z.:]/i.test(hostname)) return undefined;
  return `to connect elsewhere use --hostname ${hostname} --port ${port}`;
}

/** The mode that a command line asks for. @throws {UsageError} */
export function modeOf(
  { ping, load, rate, count, expect }: ClientValues,
  [message, surplus]: string[],
): ClientMode {
  if (surplus !== undefined) {
    const hint = hostPortHint(joinHostPort(message ?? "", Number(surplus)));
    throw new UsageError(
      `Cannot use "${surplus}": expected at most 1 argument; quote a message of several words${
        hint ? `; ${hint}` : ""
      }`,
    );
  }
  const mode = ping ? "ping" : load ? "load" : undefined;
  if (mode && message !== undefined) {
    throw new UsageError(
      `Cannot use "${message}" with --${mode}: it makes its own messages`,
    );
  }
  if (rate !== "max") return mode ?? (message === "-" ? "pipe" : "message");
  if (expect.length === 0) {
    throw new UsageError(
      "--rate max needs at least one --expect, such as --expect 'p99<5ms'",
    );
  }
  if (count === undefined) return "rate search";
  throw new UsageError(
    "--rate max cannot be combined with --count: each step takes --duration",
  );
}

/** Sends a message and prints its echo. */
async function runMessage(
  message: string,
  { values, options }: ModeInput,
): Promise<number> {
  const start = performance.now();
  const bytes = await exchange(message, options);
  const duration = performance.now() - start;
  // Decoded as a whole, so that no character is split between two reads.
  const echo = new TextDecoder().decode(bytes);
  if (values.json) {
    print(eventLine("echo", { size: bytes.length, duration, echo }));
  } else {
    const text = Deno.stdout.isTerminal() ? printableLines(echo) : echo;
    print(`Received from server: ${text}`);
  }
  return EXIT.ok;
}

/** @throws {UsageError} if a condition is wrong, or the mode cannot measure it. */
async function readExpectations(
  texts: readonly string[],
  mode: ClientMode,
): Promise<Expectation[]> {
  if (texts.length === 0) return [];
  const { parseExpectation } = await import("../stats/expectation.ts");
  return texts.map((text) => {
    try {
      return parseExpectation(text, mode === "ping" ? "ping" : "load");
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UsageError(`Cannot use --expect "${text}": ${error.message}`);
    }
  });
}

/** Adds what is in the files that flags name. @throws {Error} that names the file. */
function readFiles(
  options: ConnectOptions,
  { tlsCa, tlsCert, tlsKey }: ClientValues,
): void {
  if (tlsCa !== undefined) {
    options.caCerts = [readCertificates(tlsCa, "--tls-ca")];
  }
  if (tlsCert !== undefined && tlsKey !== undefined) {
    options.cert = readText(tlsCert);
    options.key = readText(tlsKey);
  }
}

async function runMode(
  input: ModeInput,
  [message = DEFAULT_MESSAGE]: string[],
): Promise<number> {
  switch (input.mode) {
    case "message":
      return await runMessage(message, input);
    case "pipe":
      return await (await import("./pipe_mode.ts")).runPipe(input);
    case "ping":
      return await (await import("./ping_mode.ts")).runPing(input);
    case "load":
      return await (await import("./load_mode.ts")).runLoad(input);
    case "rate search":
      return await (await import("./search_mode.ts")).runSearch(input);
  }
}

/** The first event of `--json`: what runs where, with what. */
async function startEvent({ mode, values, options }: ModeInput) {
  const { default: config } = await import("../../deno.json", {
    with: { type: "json" },
  });
  const given = Object.entries(values).filter(([, value]) => isGiven(value));
  return {
    mode,
    target: formatEndpoint(options),
    version: config.version,
    deno: Deno.version.deno,
    options: Object.fromEntries(given),
  };
}

/** Runs the mode that the command line asks for. */
export async function main(
  values: ClientValues,
  positionals: string[],
): Promise<number> {
  const mode = modeOf(values, positionals);
  const options = connectOptions(values);
  const expectations = await readExpectations(values.expect, mode);
  readFiles(options, values);
  const input = { mode, values, options, expectations };
  if (!values.json) return await runMode(input, positionals);
  // The output of a pipe is the echo.
  const write = mode === "pipe" ? writeStderr : print;
  write(eventLine("start", await startEvent(input)));
  try {
    return await runMode(input, positionals);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    write(eventLine("error", { error: message || "interrupted" }));
    throw error;
  }
}

/** What the user can do about a failed TLS handshake. */
function handshakeAdvice({ message }: HandshakeError): string {
  if (/not trusted, or has expired$/.test(message)) {
    return "trust its issuer with --tls-ca";
  }
  if (/does not speak TLS$/.test(message)) return "connect without --tls";
  if (/certificate is for /.test(message)) {
    return "connect by one of its names, or verify one with --tls-name";
  }
  if (/(has expired|not valid yet)$/.test(message)) {
    return "renew it, or set the clock of this machine";
  }
  return "does it speak TLS, with a valid certificate?";
}

/** The first byte of a TLS alert (RFC 8446, section 5.1). */
const TLS_ALERT = 0x15;

/** What the user can do about an error. */
export function advise(
  error: unknown,
  { hostname, port, unix, tls }: ClientValues,
  [message = ""]: string[],
): string | undefined {
  const hint = hostPortHint(message);
  const isElsewhere = hostname ?? port ?? unix;
  if (hint && isElsewhere === undefined && error instanceof ConnectError) {
    return hint;
  }
  if (error instanceof ConnectionRefusedError) {
    return "start the server first, or wait for it with --wait 10s";
  }
  if (error instanceof HandshakeError) return handshakeAdvice(error);
  if (error instanceof TimedOutError) {
    return "is it an echo server? allow more time with --timeout";
  }
  if (error instanceof MismatchError) {
    return !tls && error.offset === 0 && error.received === TLS_ALERT
      ? "it speaks TLS: connect with --tls"
      : "is it an echo server?";
  }
  // An echo server, too, may end while no message is in flight.
  return error instanceof UnexpectedEofError && error.received < error.expected
    ? "is it an echo server?"
    : undefined;
}
