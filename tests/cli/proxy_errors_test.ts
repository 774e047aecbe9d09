import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { closedPort } from "../support/peers.ts";
import { deno, mayRun, output, Running } from "../support/processes.ts";

describe("wrong usage of the server program as a proxy", {
  ignore: !mayRun,
}, () => {
  for (
    const [args, message] of [
      [
        "--upstream localhost",
        'Cannot use --upstream "localhost": expected a host and a port, such as localhost:6379',
      ],
      [
        "--upstream localhost:0",
        'Cannot use --upstream "localhost:0": expected a host and a port, such as localhost:6379',
      ],
      [
        "--upstream",
        "Cannot use --upstream without a value: expected a host and a port, such as localhost:6379",
      ],
      [
        "--upstream localhost:1 --upstream-unix /run/db",
        "--upstream cannot be combined with --upstream-unix",
      ],
      ["--upstream-tls", "--upstream-tls needs --upstream"],
      [
        "--upstream localhost:1 --upstream-tls-ca ca.pem",
        "--upstream-tls-ca needs --upstream-tls",
      ],
      [
        "--latency 1s --fault-direction both",
        "--fault-direction needs --upstream or --upstream-unix",
      ],
      [
        "--upstream localhost:1 --fault-direction both",
        "--fault-direction needs a fault",
      ],
      [
        "--upstream localhost:1 --latency 1s --fault-direction up",
        'Cannot use --fault-direction "up": expected downstream, upstream or both',
      ],
      [
        "--port 8080 --upstream 127.0.0.1:8080",
        "Cannot forward to 127.0.0.1:8080: it is where this server listens",
      ],
      [
        "--port 8080 --upstream localhost:8080",
        "Cannot forward to localhost:8080: it is where this server listens",
      ],
      [
        "--unix /run/echo --upstream-unix /run/echo",
        "Cannot forward to /run/echo: it is where this server listens",
      ],
    ] as const
  ) {
    // It has no permissions: it is rejected before anything is opened.
    it(`is one line and status 2: ${args}`, async () => {
      assertEquals(await output(deno("server.ts", args.split(" "), [])), {
        status: 2,
        stdout: "",
        stderr: `echo-server: ${message}; see --help\n`,
      });
    });
  }
});

describe("a proxy without its permissions", { ignore: !mayRun }, () => {
  const own = "127.0.0.1:12345";
  for (
    const [args, granted, action, advice] of [
      [
        "--upstream 127.0.0.1:6379",
        [],
        `listen on ${own}, forwarding to 127.0.0.1:6379`,
        `--allow-net=${own},127.0.0.1:6379`,
      ],
      [
        // What `deno task server` grants.
        "--upstream 127.0.0.1:6379",
        [`--allow-net=${own}`],
        `listen on ${own}, forwarding to 127.0.0.1:6379`,
        `--allow-net=${own},127.0.0.1:6379`,
      ],
      [
        "--upstream localhost:6379",
        ["--allow-net=localhost:6379"],
        `listen on ${own}, forwarding to localhost:6379`,
        `--allow-net=${own},localhost:6379`,
      ],
      [
        "--port 8080 --upstream [::1]:6379",
        ["--allow-net=127.0.0.1:8080"],
        "listen on 127.0.0.1:8080, forwarding to [::1]:6379",
        "'--allow-net=127.0.0.1:8080,[::1]:6379'",
      ],
      [
        "--upstream-unix /run/db",
        [`--allow-net=${own}`],
        `listen on ${own}, forwarding to /run/db`,
        `--allow-net=${own},unix:/run/db --allow-read=/run/db --allow-write=/run/db`,
      ],
      [
        "--unix /run/echo --upstream-unix /run/db",
        ["--allow-net", "--allow-read"],
        "listen on /run/echo, forwarding to /run/db",
        "--allow-net=unix:/run/echo,unix:/run/db --allow-read=/run/echo,/run/db --allow-write=/run/echo,/run/db",
      ],
    ] as const
  ) {
    it(`is told all of them: ${args} with ${granted}`, async () => {
      const command = deno("server.ts", args.split(" "), [...granted]);
      assertEquals(await output(command), {
        status: 1,
        stdout: "",
        stderr:
          `echo-server: Cannot ${action}: permission not granted: run again with ${advice}\n`,
      });
    });
  }

  it("listens with exactly the flags that it is told", async () => {
    const port = String(closedPort());
    const args = ["--port", port, "--upstream", `127.0.0.1:${closedPort()}`];
    const { stderr } = await output(deno("server.ts", args, []));
    const [, flag] = /run again with (\S+)\n$/.exec(stderr) ?? [];
    await using server = new Running(deno("server.ts", args, [flag!]));
    await server.shows(/Server listening/);
  });
});
