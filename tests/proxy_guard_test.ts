import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ClosedConnection } from "../lib/echo.ts";
import { proxy } from "../lib/proxy.ts";
import { closedPort } from "./support/peers.ts";
import { deno, mayRun, output } from "./support/processes.ts";
import { eventually, within } from "./support/sessions.ts";

/** A server's address, and names of it that say so by themselves. */
const OWN: [listening: string, names: string[]][] = [
  ["127.0.0.1", ["127.0.0.1", "localhost", "0.0.0.0", "::ffff:127.0.0.1"]],
  ["0.0.0.0", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "localhost"]],
  ["::", ["::1", "::", "127.0.0.1", "127.0.0.2", "localhost"]],
  ["::1", ["::1", "0:0:0:0:0:0:0:1", "::"]],
];

/** Names of this machine that only the system's look-up knows. */
const HIDDEN: [listening: string, name: string][] = [
  ["127.0.0.1", "127.1"],
  ["127.0.0.1", "2130706433"],
  ["127.0.0.1", "LOCALHOST"],
  ["0.0.0.0", "127.0.2"],
  ...(mayRun
    ? [[
      "0.0.0.0",
      new TextDecoder().decode(
        (await new Deno.Command("hostname").output()).stdout,
      ).trim(),
    ] as [string, string]]
    : []),
];

/** What a proxy says that would forward to itself. */
const SAID = /where this server listens/;

describe("a proxy that would forward to itself", () => {
  for (const [hostname, names] of OWN) {
    for (const name of names) {
      it(`is refused at the start: ${hostname} to ${name}`, async () => {
        const port = closedPort();
        const opened: AsyncDisposable[] = [];
        const upstream = { hostname: name, port };
        try {
          const error = assertThrows(
            () => opened.push(proxy({ hostname, port, upstream, grace: 0 })),
            Error,
            "Cannot forward to ",
          );
          assert(SAID.test(error.message), error.message);
        } finally {
          for (const server of opened) await server[Symbol.asyncDispose]();
        }
      });
    }
  }

  for (const [hostname, name] of HIDDEN) {
    it(`is noticed by its first connection: ${hostname} to ${name}`, () =>
      within(30_000, async () => {
        const port = closedPort();
        const closed: ClosedConnection[] = [];
        let server: ReturnType<typeof proxy>;
        try {
          server = proxy({
            hostname,
            port,
            upstream: { hostname: name, port },
            // So that a loop ends before the files do.
            maxConnections: 40,
            grace: 0,
            onClose: (one) => closed.push(one),
          });
        } catch (error) {
          assert(SAID.test((error as Error).message), `${error}`);
          return;
        }
        await using _server = server;
        using _conn = await Deno.connect({ port });
        await eventually("an end, or a loop", () => {
          const { accepted } = server.stats();
          return accepted === 40 || closed.length > 0;
        });
        // The client's, and the one that came from the proxy.
        assert(server.stats().accepted <= 3, "it has accepted itself");
        const said = closed.map(({ error }) => (error as Error)?.message ?? "");
        assert(said.some((message) => SAID.test(message)), said.join());
      }));
  }

  for (
    const args of [
      "--hostname :: --port 8080 --upstream [::1]:8080",
      "--hostname :: --port 8080 --upstream 127.0.0.1:8080",
      "--hostname 0.0.0.0 --port 8080 --upstream 127.0.0.2:8080",
      "--hostname 0.0.0.0 --port 8080 --upstream localhost:8080",
      "--port 8080 --upstream [::ffff:127.0.0.1]:8080",
    ]
  ) {
    it(
      `is wrong usage of the program: ${args}`,
      { ignore: !mayRun },
      async () => {
        // Without permissions: it is refused before anything is opened.
        const { status, stdout, stderr } = await output(
          deno("server.ts", args.split(" "), []),
        );
        assertEquals([status, stdout], [2, ""]);
        assert(
          /^echo-server: Cannot forward to \S+: it is where this server listens; see --help\n$/
            .test(stderr),
          stderr,
        );
      },
    );
  }

  it("is not one that forwards to another port or address", async () => {
    const port = closedPort();
    for (
      const [hostname, to] of [
        ["127.0.0.1", { hostname: "127.0.0.2", port }],
        ["127.0.0.1", { hostname: "192.0.2.1", port }],
        ["0.0.0.0", { hostname: "127.0.0.1", port: closedPort() }],
      ] as const
    ) {
      await using _server = proxy({ hostname, port, upstream: to, grace: 0 });
    }
  });
});
