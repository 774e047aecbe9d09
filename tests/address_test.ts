import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connectOptions, program as client } from "../client.ts";
import { splitHostPort } from "../lib/address.ts";
import { connect, serve } from "../lib/echo.ts";
import { type Flags, UsageError } from "../lib/flags.ts";
import { ping } from "../lib/ping.ts";
import { type Program, read } from "../lib/program.ts";
import { program as server, serveOptions } from "../server.ts";

/** The options that a program makes of its arguments. */
function options<F extends Flags>(
  program: Program<F>,
  args: string[],
): { hostname?: string | undefined } {
  const request = read(program, args);
  // deno-lint-ignore no-explicit-any
  const values = ("values" in request ? request.values : {}) as any;
  return program.name === server.name
    ? serveOptions(values)
    : connectOptions(values);
}

describe("a host and a port in one text are told apart", () => {
  for (
    const [text, hostname, port] of [
      ["localhost:8080", "localhost", 8080],
      ["127.0.0.1:35000", "127.0.0.1", 35_000],
      ["[::1]:7", "::1", 7],
      [":80", "", 80],
    ] as const
  ) it(text, () => assertEquals(splitHostPort(text), { hostname, port }));

  for (
    const text of [
      "",
      "localhost",
      "127.0.0.1",
      "::",
      "::1",
      "fe80::1:80",
      "[::1]",
      "localhost:",
      "localhost:http",
      "localhost:65536",
      "two words:80",
      "http://localhost:80",
    ]
  ) {
    it(`${JSON.stringify(text)} is no such text`, () => {
      assertEquals(splitHostPort(text), undefined);
    });
  }
});

describe("a host name that contains a port is refused before anything is opened", () => {
  it("by serve, connect and ping", async () => {
    const wrong = { hostname: "127.0.0.1:35000", port: 0 };
    const why =
      'with hostname "127.0.0.1:35000": it contains a port; use hostname "127.0.0.1" and port 35000';
    assertThrows(() => serve(wrong), TypeError, `Cannot listen ${why}`);
    for (const call of [connect, ping]) {
      await assertRejects(
        () => call({ ...wrong, wait: 60_000 }),
        TypeError,
        `Cannot connect ${why}`,
      );
    }
  });

  for (const program of [server, client] as Program<Flags>[]) {
    it(`by ${program.name}`, () => {
      const error = assertThrows(
        () => options(program, ["--hostname", "[::1]:35000"]),
        UsageError,
      );
      assertEquals(
        error.message,
        'Cannot use --hostname "[::1]:35000": it contains a port; use --hostname ::1 --port 35000',
      );
    });

    it(`and not by ${program.name} if it is an IPv6 address`, () => {
      for (const hostname of ["::1", "::", "fe80::1:80"]) {
        const { hostname: taken } = options(program, ["--hostname", hostname]);
        assertEquals(taken, hostname);
      }
    });
  }
});
