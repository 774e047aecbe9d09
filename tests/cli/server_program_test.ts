import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../lib/cli/flags.ts";
import { parseCommand } from "../../lib/cli/program.ts";
import {
  program,
  serveOptions,
  upstreamOptions,
} from "../../lib/cli/server_program.ts";

/** The upstream that a command line asks for, after all its checks. */
function upstreamOf(args: string[]) {
  const command = parseCommand(program, args);
  if (!("values" in command)) throw new Error("it only shows a text");
  serveOptions(command.values);
  return upstreamOptions(command.values);
}

describe("the flags of an upstream", () => {
  it("ask for an echo server if there are none", () => {
    assertEquals(upstreamOf([]), undefined);
    assertEquals(upstreamOf(["--latency", "1s"]), undefined);
  });

  it("ask for a proxy", () => {
    assertEquals(upstreamOf(["--upstream", "localhost:6379"]), {
      hostname: "localhost",
      port: 6379,
      tls: false,
    });
    assertEquals(upstreamOf(["--upstream=[::1]:443", "--upstream-tls"]), {
      hostname: "::1",
      port: 443,
      tls: true,
    });
    assertEquals(upstreamOf(["--upstream-unix", "/run/db"]), {
      path: "/run/db",
    });
  });

  for (
    const [args, message] of [
      [
        "--upstream h:1 --upstream-unix /a",
        "--upstream cannot be combined with --upstream-unix",
      ],
      ["--upstream-tls", "--upstream-tls needs --upstream"],
      [
        "--upstream-unix /a --upstream-tls",
        "--upstream-tls needs --upstream",
      ],
      [
        "--upstream h:1 --upstream-tls-ca ca.pem",
        "--upstream-tls-ca needs --upstream-tls",
      ],
      ["--upstream-tls-ca ca.pem", "--upstream-tls-ca needs --upstream-tls"],
      [
        "--latency 1s --fault-direction both",
        "--fault-direction needs --upstream or --upstream-unix",
      ],
      [
        "--upstream h:1 --fault-direction both",
        "--fault-direction needs a fault",
      ],
      [
        "--upstream localhost",
        'Cannot use --upstream "localhost": expected a host and a port, such as localhost:6379',
      ],
    ] as const
  ) {
    it(`${args} is rejected: ${message}`, () => {
      const error = assertThrows(() => upstreamOf(args.split(" ")), UsageError);
      assertEquals(error.message, message);
    });
  }
});

describe("the upstream must not be the server itself", () => {
  for (
    const [args, own] of [
      ["--upstream 127.0.0.1:12345", "127.0.0.1:12345"],
      ["--port 80 --upstream 127.0.0.1:80", "127.0.0.1:80"],
      ["--port 80 --upstream localhost:80", "localhost:80"],
      ["--hostname 0.0.0.0 --port 80 --upstream 127.0.0.1:80", "127.0.0.1:80"],
      ["--hostname :: --port 80 --upstream localhost:80", "localhost:80"],
      ["--hostname ::1 --port 80 --upstream [::1]:80", "[::1]:80"],
      ["--hostname db --port 80 --upstream db:80", "db:80"],
      ["--unix /a --upstream-unix /a", "/a"],
    ] as const
  ) {
    it(`as with ${args}`, () => {
      const error = assertThrows(() => upstreamOf(args.split(" ")), UsageError);
      assertEquals(
        error.message,
        `Cannot forward to ${own}: it is where this server listens`,
      );
    });
  }

  for (
    const args of [
      "--port 80 --upstream 127.0.0.1:81",
      "--port 80 --upstream 127.0.0.2:80",
      "--port 80 --upstream [::1]:80",
      "--port 80 --upstream db:80",
      "--port 0 --upstream 127.0.0.1:12345",
      "--unix /a --upstream-unix /b",
      "--unix /a --upstream 127.0.0.1:12345",
      "--upstream-unix 127.0.0.1",
    ]
  ) it(`but may be another: ${args}`, () => void upstreamOf(args.split(" ")));
});
