import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../lib/cli/flags.ts";
import { parseFlags } from "../../lib/cli/parse_flags.ts";
import { program, serverOptions } from "../../lib/cli/server_flags.ts";

/** What a command line asks for, without what is undefined. */
async function options(args: string) {
  const { values, positionals } = await parseFlags(
    program,
    args.split(" ").filter((arg) => arg !== ""),
  );
  return JSON.parse(JSON.stringify(serverOptions(values, positionals)));
}

const hostname = "localhost";
const PROXY = "--upstream localhost:6379";

describe("the flags of the server ask for", () => {
  const upstream = { hostname, port: 6379 };
  const rows: [args: string, options: object][] = [
    ["", { listen: {} }],
    ["-p 0", { listen: { port: 0 } }],
    ["--hostname ::1 --reuse-port", {
      listen: { hostname: "::1", reusePort: true },
    }],
    ["--unix /tmp/x", { listen: { path: "/tmp/x" } }],
    ["--backlog 7 --max-connections 8 --idle-timeout 9s --grace 0s", {
      listen: { backlog: 7, maxConnections: 8, idleTimeout: 9_000, grace: 0 },
    }],
    ["--max-held-bytes 1000", { listen: { maxHeldBytes: 1_000 } }],
    ["--max-connections 8 --once", { listen: { maxConnections: 1 } }],
    ["--tls-cert c --tls-key k --tls-alpn h2,http/1.1 --tls-client-ca a", {
      listen: { alpnProtocols: ["h2", "http/1.1"] },
    }],
    [PROXY, { listen: {}, upstream }],
    ["--upstream-unix /run/db", { listen: {}, upstream: { path: "/run/db" } }],
    ["--upstream [::1]:443 --upstream-tls --upstream-tls-name db", {
      listen: {},
      upstream: { hostname: "::1", port: 443, tls: true, serverName: "db" },
    }],
    [`${PROXY} --upstream-timeout 1s --upstream-wait 2s`, {
      listen: {},
      upstream: { ...upstream, timeout: 1_000, wait: 2_000 },
    }],
  ];
  for (const [args, expected] of rows) {
    it(args || "an echo server", async () => {
      assertEquals(await options(args), expected);
    });
  }
});

/** Each flag of a fault with a value, and the option that it sets. */
const FAULTS: [args: string, faults: object][] = [
  ["--latency 100ms", { latency: 100 }],
  ["--jitter 1.5s", { jitter: 1_500 }],
  ["--bandwidth 1000", { bandwidth: 1_000 }],
  ["--slicer 10", { slicer: 10 }],
  ["--slicer 10 --slicer-delay 5ms", { slicer: 10, slicerDelay: 5 }],
  ["--slicer 10 --slicer-variation 4", { slicer: 10, slicerVariation: 4 }],
  ["--limit-data 0", { limitData: 0 }],
  ["--stall 0", { stall: 0 }],
  ["--reset 7", { reset: 7 }],
  ["--corrupt 1e-3", { corrupt: 0.001 }],
  ["--close-after 2m", { closeAfter: 120_000 }],
  ["--stall-after 0ms", { stallAfter: 0 }],
  ["--reset-after 1s", { resetAfter: 1_000 }],
  ["--slow-close 1s", { slowClose: 1_000 }],
  ["--connect-delay 1s", { connectDelay: 1_000 }],
  ["--close-on-accept", { closeOnAccept: true }],
  ["--down", { down: true }],
  ["--refuse", { refuse: true }],
  ["--latency 1s --corrupt 1 --toxicity 0.5 --seed 9", {
    ...{ latency: 1_000, corrupt: 1, toxicity: 0.5, seed: 9 },
  }],
];

describe("the flags of a fault", () => {
  for (const [args, faults] of FAULTS) {
    it(`set only its own option: ${args}`, async () => {
      assertEquals(await options(args), { listen: {}, faults });
    });
  }

  it("are all in this test, but for the direction", () => {
    const tested = FAULTS.flatMap(([, faults]) => Object.keys(faults));
    assertEquals(
      new Set([...tested, "faultDirection"]),
      new Set(
        Object.keys(program.groups["Faults"]!),
      ),
    );
  });

  const faults = { latency: 1 };
  for (
    const [direction, expected] of Object.entries({
      "": faults,
      downstream: { downstream: faults },
      upstream: { upstream: faults },
      both: { downstream: faults, upstream: faults },
    })
  ) {
    it(`are in a direction of a proxy: ${direction || "the default"}`, async () => {
      const flag = direction && `--fault-direction ${direction}`;
      const found = await options(`${PROXY} --latency 1ms ${flag}`);
      assertEquals(found.faults, expected);
    });
  }
});

describe("the server refuses", () => {
  const fault =
    "--toxicity, --seed and --fault-direction need a fault, such as --latency";
  const rows: [args: string, message: string | RegExp][] = [
    ["8080", 'Cannot use "8080": expected flags only'],
    ["--unix /tmp/x --port 1", "--unix cannot be combined with --port"],
    ["--unix /x --hostname h", "--unix cannot be combined with --hostname"],
    [
      "--unix /x --tls-cert c --tls-key k",
      "--unix cannot be combined with --tls-cert",
    ],
    ["--unix /x --reuse-port", "--unix cannot be combined with --reuse-port"],
    ["--tls-cert c", "--tls-cert needs --tls-key"],
    ["--tls-key k", "--tls-key needs --tls-cert"],
    ["--tls-client-ca a", "--tls-client-ca needs --tls-cert"],
    ["--tls-alpn h2", "--tls-alpn needs --tls-cert"],
    ["--slicer-delay 5ms", "--slicer-delay needs --slicer"],
    ["--slicer-variation 5", "--slicer-variation needs --slicer"],
    ["--config f", "--config needs --toxiproxy"],
    ["--toxiproxy --port 1", "--toxiproxy cannot be combined with --port"],
    ["--toxiproxy 1 --down", "--toxiproxy cannot be combined with --down"],
    [
      "--toxiproxy host",
      'Cannot use --toxiproxy "host": expected a port, or a host and a port, such as 0.0.0.0:8474',
    ],
    [
      "--metrics",
      "Cannot use --metrics without a value: expected a port, or a host and a port, such as 0.0.0.0:8474",
    ],
    ["--toxicity 0.5", fault],
    ["--seed 1", fault],
    [`${PROXY} --fault-direction both`, fault],
    [
      "--latency 1s --fault-direction both",
      "--fault-direction needs --upstream or --upstream-unix",
    ],
    [
      "--upstream h:1 --upstream-unix /a",
      "--upstream cannot be combined with --upstream-unix",
    ],
    ["--upstream-tls", "--upstream-tls needs --upstream"],
    ["--upstream-unix /a --upstream-tls", "--upstream-tls needs --upstream"],
    [
      "--upstream h:1 --upstream-tls-ca ca.pem",
      "--upstream-tls-ca needs --upstream-tls",
    ],
    ["--upstream-tls-name x", "--upstream-tls-name needs --upstream-tls"],
    [
      "--upstream-wait 1s",
      "--upstream-wait needs --upstream or --upstream-unix",
    ],
    ...[
      ...["--max-connections 0", "--backlog 0", "--idle-timeout 0s"],
      ...[
        "--idle-timeout 5",
        "--grace=-1s",
        "--log-format xml",
        "--port 65536",
      ],
      ...["--latency 100", "--jitter x", "--bandwidth 0", "--slicer 0"],
      ...["--limit-data=-1", "--stall 1.5", "--reset NaN", "--corrupt 1.1"],
      ...["--max-held-bytes 0", "--upstream localhost:0", "--toxicity 2"],
    ].map((args): [string, RegExp] => [args, /^Cannot use --\S+ "/]),
  ];
  for (const [args, message] of rows) {
    it(args, async () => {
      const error = await assertRejects(() => options(args), UsageError);
      if (typeof message === "string") assertEquals(error.message, message);
      else assertEquals(message.test(error.message), true, error.message);
    });
  }
});
