import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  connectOptions,
  program,
  runOptions,
} from "../../lib/cli/client_flags.ts";
import { advise, modeOf } from "../../lib/cli/client_program.ts";
import { UsageError } from "../../lib/cli/flag_table.ts";
import { parseFlags } from "../../lib/cli/parse_flags.ts";
import {
  ConnectionRefusedError,
  HandshakeError,
  MismatchError,
  TimedOutError,
  UnexpectedEofError,
} from "../../lib/echo.ts";

/** A mode and its options, without what is undefined. */
async function read(args: readonly string[]) {
  const { values, positionals } = await parseFlags(program, args);
  const mode = modeOf(values, positionals);
  const options = connectOptions(values);
  const run = runOptions({ mode, values, options, expectations: [] });
  return [mode, JSON.parse(JSON.stringify(run))];
}

const split = (args: string) => args.split(" ").filter((arg) => arg !== "");

describe("the flags of the client ask for", () => {
  const rows: [args: string, mode: string, options: object][] = [
    ["", "message", {}],
    ["hello", "message", {}],
    ["-- -", "pipe", {}],
    ["- --json", "pipe", {}],
    ["--hostname ::1 -p 7 -W 1s --wait 2s", "message", {
      ...{ hostname: "::1", port: 7, timeout: 1_000, wait: 2_000 },
    }],
    ["--unix /run/e", "message", { path: "/run/e" }],
    ["--tls --tls-name db --tls-alpn h2", "message", {
      ...{ tls: true, serverName: "db", alpnProtocols: ["h2"] },
    }],
    ["--ping -c 3 -i 200ms -s 9", "ping", { count: 3, interval: 200, size: 9 }],
    ["--ping --connect", "ping", { connect: true }],
    ["--load -d 5s -r 1000 --warmup 0s --reconnect 5", "load", {
      ...{ duration: 5_000, rate: 1_000, warmup: 0, reconnect: 5 },
    }],
    ["--load --connections 9 -j", "load", { connections: 9 }],
    ["--load -r max --expect p99<5ms", "rate search", { rate: "max" }],
  ];
  for (const [args, mode, options] of rows) {
    it(args || "the default message", async () => {
      assertEquals(await read(split(args)), [mode, options]);
    });
  }

  it("a message that may look like a number or, after --, like a flag", async () => {
    for (const args of [["42"], ["--", "--port"], [""], ["-j", "true"]]) {
      const { positionals } = await parseFlags(program, args);
      assertEquals(positionals, args.slice(-1));
    }
  });
});

describe("the client refuses", () => {
  const words = "expected at most 1 argument; quote a message of several words";
  const elsewhere = (host: string) =>
    `Cannot use "8080": ${words}; to connect elsewhere use --hostname ${host} --port 8080`;
  const rows: [args: string, message: string | RegExp][] = [
    ["localhost 8080", elsewhere("localhost")],
    ["::1 8080", elsewhere("::1")],
    ["one two", `Cannot use "two": ${words}`],
    ["--ping --load", "--ping cannot be combined with --load"],
    [
      "--ping hello",
      'Cannot use "hello" with --ping: it makes its own messages',
    ],
    ["--load -", 'Cannot use "-" with --load: it makes its own messages'],
    ["--unix /x --tls", "--unix cannot be combined with --tls"],
    ["--tls-ca ca.pem", "--tls-ca needs --tls"],
    ["--tls --tls-cert c", "--tls-cert needs --tls-key"],
    ["--tls-cert c --tls-key k", "--tls-cert needs --tls"],
    ["--count 1", "--count needs --ping or --load"],
    ["--size 1", "--size needs --ping or --load"],
    ["--expect p99<5ms", "--expect needs --ping or --load"],
    ["--html x", "--html needs --ping or --load"],
    ["--load --interval 1s", "--interval needs --ping"],
    ["--load --connect", "--connect needs --ping"],
    ["--ping --rate 1", "--rate needs --load"],
    ["--ping --connections 1", "--connections needs --load"],
    ["--ping --duration 1s", "--duration needs --load"],
    ["--ping --warmup 1s", "--warmup needs --load"],
    ["--ping --reconnect 1", "--reconnect needs --load"],
    ["--ping --connect --size 1", "--connect cannot be combined with --size"],
    [
      "--load --rate max",
      "--rate max needs at least one --expect, such as --expect 'p99<5ms'",
    ],
    [
      "--load --rate max --expect p99<5ms --count 5",
      "--rate max cannot be combined with --count: each step takes --duration",
    ],
    ...[
      ...["--port 0", "--timeout 10", "--timeout 0s", "--wait soon"],
      ...["--ping --interval 0s", "--ping --count 0", "--ping --size 0"],
      ...["--load --rate 0", "--load --rate NaN", "--load --rate most"],
      ...["--load --connections 60001", "--load --duration 10"],
    ].map((args): [string, RegExp] => [args, /^Cannot use --\S+ "/]),
  ];
  for (const [args, message] of rows) {
    it(args, async () => {
      const error = await assertRejects(() => read(split(args)), UsageError);
      if (typeof message === "string") assertEquals(error.message, message);
      else assertEquals(message.test(error.message), true, error.message);
    });
  }
});

describe("the advice of the client", () => {
  const refused = new ConnectionRefusedError("Cannot connect");
  const start = "start the server first, or wait for it with --wait 10s";
  const elsewhere = "to connect elsewhere use --hostname";
  const handshake = (end: string) => new HandshakeError(`Cannot speak: ${end}`);
  const mismatch = (received: number, offset = 0) =>
    new MismatchError("differs", { offset, sent: 1, received });
  const eof = (received: number) =>
    new UnexpectedEofError("closed", { received, expected: 9 });
  const isEcho = "is it an echo server?";
  const rows: [args: string, error: Error, advice: string | undefined][] = [
    ["localhost:8080", refused, `${elsewhere} localhost --port 8080`],
    ["[::1]:80", refused, `${elsewhere} ::1 --port 80`],
    ["Hello", refused, start],
    ["12:30", refused, start],
    ["localhost:8080 -p 7", refused, start],
    [
      "--tls",
      handshake("its certificate is not trusted, or has expired"),
      "trust its issuer with --tls-ca",
    ],
    [
      "--tls",
      handshake("the peer does not speak TLS"),
      "connect without --tls",
    ],
    [
      "--tls",
      handshake("its certificate is for a, and not for b"),
      "connect by one of its names, or verify one with --tls-name",
    ],
    [
      "--tls",
      handshake("its certificate has expired"),
      "renew it, or set the clock of this machine",
    ],
    [
      "--tls",
      handshake("bad record"),
      "does it speak TLS, with a valid certificate?",
    ],
    ["", mismatch(0x15), "it speaks TLS: connect with --tls"],
    ["--tls", mismatch(0x15), isEcho],
    ["", mismatch(0x15, 3), isEcho],
    ["", eof(3), isEcho],
    ["", eof(9), undefined],
    [
      "",
      new TimedOutError("late"),
      "is it an echo server? allow more time with --timeout",
    ],
    ["", new Error("other"), undefined],
  ];
  for (const [args, error, advice] of rows) {
    it(`${args || "no flags"}: ${error.message}`, async () => {
      const { values, positionals } = await parseFlags(program, split(args));
      assertEquals(advise(error, values, positionals), advice);
    });
  }
});
