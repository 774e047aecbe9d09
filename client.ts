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

import { readCertificates } from "./lib/cli/certificates.ts";
import {
  type ClientValues,
  DEFAULT_MESSAGE,
  flags,
  hostPortHint,
  program,
} from "./lib/cli/client_program.ts";
import { environmentRows, HtmlFile, optionRows } from "./lib/cli/html_file.ts";
import { runLoad } from "./lib/cli/load_mode.ts";
import { runMaxRate } from "./lib/cli/max_rate_mode.ts";
import { runMessage, runPipe } from "./lib/cli/modes.ts";
import { runPing } from "./lib/cli/ping_mode.ts";
import { run, version } from "./lib/cli/program.ts";
import {
  connectOptions,
  modeOf,
  type ModeOptions,
} from "./lib/cli/run_options.ts";
import {
  ConnectError,
  ConnectionRefusedError,
  HandshakeError,
  MismatchError,
  TimedOutError,
  UnexpectedEofError,
} from "./lib/echo.ts";

async function main(
  values: ClientValues,
  positionals: string[],
): Promise<number> {
  const mode = modeOf(values, positionals);
  const { rate } = values;
  const { html: path, ...given } = values;
  const options: ModeOptions = { ...given, ...connectOptions(values) };
  const ca = values["tls-ca"];
  if (ca) options.caCerts = [readCertificates(ca, "--tls-ca")];
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
  values?: ClientValues,
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
