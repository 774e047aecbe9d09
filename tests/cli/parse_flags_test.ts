import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type Flags,
  type Program,
  UsageError,
} from "../../lib/cli/flag_table.ts";
import * as type from "../../lib/cli/flag_types.ts";
import { parseFlags } from "../../lib/cli/parse_flags.ts";
import { MAX_DELAY_MS } from "../../lib/net/timeout.ts";

const flags = {
  hostname: [type.HOST, "where", "here"],
  port: [type.integer("PORT", 0, 9), "which", undefined, "p"],
  onlyOnce: [type.SWITCH, "only once", undefined, "o"],
  expect: [{ ...type.text("X", "an x"), isList: true }, "what"],
  interval: [type.SPAN, "how often", undefined, "i"],
} satisfies Flags;

const program: Program<typeof flags> = {
  ...{ name: "test", usage: "", summary: "", notes: "", flags, groups: {} },
  needs: [["interval", "port", "hostname"]],
  conflicts: [["onlyOnce", "expect"]],
};

/** The values that are not those of an empty command line, and the positionals. */
async function parsed(args: string[]) {
  const { values, positionals } = await parseFlags(program, args);
  const given = Object.entries(values).filter(([, value]) =>
    value !== undefined && value !== false &&
    !(Array.isArray(value) && value.length === 0)
  );
  return [Object.fromEntries(given), positionals];
}

/** Asserts that a command line is refused with this message. */
async function refused(args: string[], message: string): Promise<void> {
  const error = await assertRejects(() => parsed(args), UsageError);
  assertEquals(error.message, message);
}

describe("a command line", () => {
  it("without flags has no values", async () => {
    assertEquals(await parseFlags(program, []), {
      values: {
        ...{ hostname: undefined, port: undefined, onlyOnce: false },
        ...{ expect: [], interval: undefined, help: false, version: false },
      },
      positionals: [],
    });
  });

  const rows: [args: string[], values: object, positionals?: string[]][] = [
    [["--port", "1", "--port=2", "--only-once", "--hostname=a=b"], {
      ...{ hostname: "a=b", port: 2, onlyOnce: true },
    }],
    [["-p", "1"], { port: 1 }],
    [["-p1"], { port: 1 }],
    [["-p=1"], { port: 1 }],
    [["-op", "3"], { onlyOnce: true, port: 3 }],
    [["-h"], { help: true }],
    [["-i", "1s", "--help"], { help: true, interval: 1_000 }],
    [["-V", "x"], { version: true }, ["x"]],
    [["--expect", "b", "--expect=a", "--expect", "b"], {
      expect: ["b", "a", "b"],
    }],
    [["007", "-", "--", "--port", "-x"], {}, ["007", "-", "--port", "-x"]],
    [["--", "--only-once"], {}, ["--only-once"]],
    [[""], {}, [""]],
    ...["true", "false", "1", ""].flatMap((
      word,
    ): [string[], object, string[]][] => [
      [["--only-once", word], { onlyOnce: true }, [word]],
      [["-o", word], { onlyOnce: true }, [word]],
      [["-o", "--", word], { onlyOnce: true }, [word]],
    ]),
    [["-o", "-"], { onlyOnce: true }, ["-"]],
  ];
  for (const [args, values, positionals = []] of rows) {
    it(`is read: ${JSON.stringify(args)}`, async () => {
      assertEquals(await parsed(args), [values, positionals]);
    });
  }
});

describe("an error in a command line", () => {
  const expected = "expected a whole number from 0 to 9";
  const deno =
    "it is a flag of Deno and goes before the script, as in deno run";
  const unknown = (name: string, meant?: string) =>
    `Cannot use unknown flag "${name}"${
      meant ? `: did you mean ${meant}?` : ""
    }`;
  const rows: [args: string, message: string][] = [
    ["--prot 1", unknown("--prot", "--port")],
    ["--prot=1", unknown("--prot", "--port")],
    ["--host x", unknown("--host", "--hostname")],
    ["--only", unknown("--only", "--only-once")],
    ["--unrelated", unknown("--unrelated")],
    ["-port 1", unknown("-port", "--port")],
    ["-d", unknown("-d")],
    ["-i200ms", unknown("-i200ms", "-i 200ms")],
    ["-ox", unknown("-ox")],
    ["-7", unknown("-7")],
    ["--port.x=1", unknown("--port.x", "--port")],
    ["--no-only-once", unknown("--no-only-once")],
    ["--constructor 1", unknown("--constructor")],
    ["--__proto__=1", unknown("--__proto__")],
    ["--=1", unknown("--")],
    ["--quiet", `Cannot use --quiet here: ${deno} --quiet server.ts`],
    [
      "--no-prompt",
      `Cannot use --no-prompt here: ${deno} --no-prompt server.ts`,
    ],
    ["-A", `Cannot use -A here: ${deno} -A server.ts`],
    [
      "--allow-net=[::1]:7",
      `Cannot use --allow-net here: ${deno} --allow-net=[::1]:7 server.ts`,
    ],
    ["--port", `Cannot use --port without a value: ${expected}`],
    ["--port=", `Cannot use --port without a value: ${expected}`],
    ["--port --only-once", `Cannot use --port without a value: ${expected}`],
    ["--port -1", `Cannot use --port without a value: ${expected}`],
    ["--port=-1", `Cannot use --port "-1": ${expected}`],
    ["-p x", `Cannot use --port "x": ${expected}`],
    ["--port 1 --port x", `Cannot use --port "x": ${expected}`],
    ["--expect", "Cannot use --expect without a value: expected an x"],
    ["--only-once=true", "--only-once takes no value"],
    ["-o=false", "-o takes no value"],
    ["--interval 1s", "--interval needs --port or --hostname"],
    ["--expect x -o", "--only-once cannot be combined with --expect"],
  ];
  for (const [args, message] of rows) {
    it(`is refused by name: ${args}`, () => refused(args.split(" "), message));
  }

  it("is no error where what it needs is given", async () => {
    assertEquals(await parsed(["-i", "1s", "-p", "0"]), [
      { interval: 1_000, port: 0 },
      [],
    ]);
  });
});

/** A type, texts with the values that they have, and texts that it refuses. */
const TYPES: Record<
  string,
  [type.FlagType<unknown>, Record<string, unknown>, string[]]
> = {
  "a duration": [
    type.DURATION,
    {
      ...{ "500ms": 500, "10s": 10_000, "2m": 120_000, "1h": 3_600_000 },
      ...{ "1.5s": 1_500, "0s": 0, [`${MAX_DELAY_MS}ms`]: MAX_DELAY_MS },
    },
    [
      ...["", "10", "s", "-1s", "+1s", "1 s", "1s ", "1e3s", ".5s", "NaNs"],
      ...["Infinitys", "1d", "1S", `${MAX_DELAY_MS + 1}ms`, "1s2m"],
    ],
  ],
  "a duration above zero": [type.SPAN, { "1ms": 1 }, ["0ms", "0s", "5"]],
  "a whole number": [
    type.integer("PORT", 0, 65_535),
    { "0": 0, "65535": 65_535, "007": 7 },
    ["", "-1", "65536", "1.5", "abc", "0x10", "1e3", " 1"],
  ],
  "a share": [
    type.SHARE,
    { "0": 0, "1": 1, ".5": 0.5, "1e-3": 0.001 },
    ["", "1.1", "-0.1", "NaN", "50%"],
  ],
  "a host": [
    type.HOST,
    { x: "x", "::1": "::1", "127.0.0.1": "127.0.0.1" },
    ["localhost:80", "[::1]:80"],
  ],
  "a host and a port": [
    type.HOST_PORT,
    {
      "localhost:6379": { hostname: "localhost", port: 6379 },
      "[::1]:65535": { hostname: "::1", port: 65_535 },
      "db.example:05432": { hostname: "db.example", port: 5432 },
    },
    [
      ...["", "localhost", "6379", ":6379", "localhost:", "localhost:0"],
      ...["localhost:65536", "localhost:redis", "localhost:-1", "::1:6379"],
      ...["[::1]", "[]:80", "http://localhost:80", "localhost:80/", "a b:80"],
    ],
  ],
  "protocols": [
    type.PROTOCOLS,
    { h2: ["h2"], "h2,http/1.1": ["h2", "http/1.1"] },
    ["", "h2,", ",h2", "h 2", "x".repeat(256)],
  ],
  "a word": [
    type.oneOf("DIR", ["down", "up", "both"]),
    { up: "up" },
    ["UP", ""],
  ],
  "a value or a word": [
    type.orWord(type.COUNT, "max"),
    { "7": 7, max: "max" },
    ["0", "most"],
  ],
};

for (const [name, [{ parse }, accepted, rejected]] of Object.entries(TYPES)) {
  describe(name, () => {
    for (const [text, value] of Object.entries(accepted)) {
      it(`may be ${text}`, () => assertEquals(parse(text), value));
    }
    for (const text of rejected) {
      it(`may not be ${JSON.stringify(text)}`, () =>
        assertEquals(parse(text), undefined));
    }
  });
}

it("what is expected is in words", () => {
  assertEquals(
    type.oneOf("D", ["down", "up", "both"]).expected,
    "down, up or both",
  );
  assertEquals(type.orWord(type.COUNT, "max").placeholder, "N|max");
  assert(type.SPAN.expected.startsWith("a number above 0 with its unit"));
});
