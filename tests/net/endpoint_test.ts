import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  formatAddress,
  joinHostPort,
  permissionFlag,
  requiredPermissions,
  splitHostPort,
} from "../../lib/net/endpoint.ts";
import { connect, serve } from "../../lib/echo.ts";
import { ping } from "../../lib/ping.ts";

describe("HOST:PORT is split into its parts", () => {
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
    it(`${JSON.stringify(text)} is not HOST:PORT`, () => {
      assertEquals(splitHostPort(text), undefined);
    });
  }
});

describe("a host name that contains a port is rejected before anything is opened", () => {
  it("by serve, connect and ping", async () => {
    const wrong = { hostname: "127.0.0.1:35000", port: 0 };
    const reason =
      'with hostname "127.0.0.1:35000": it contains a port; use hostname "127.0.0.1" and port 35000';
    assertThrows(() => serve(wrong), TypeError, `Cannot listen ${reason}`);
    for (const call of [connect, ping]) {
      await assertRejects(
        () => call({ ...wrong, wait: 60_000 }),
        TypeError,
        `Cannot connect ${reason}`,
      );
    }
  });
});

describe("an address as text", () => {
  it("has brackets around an IPv6 address, once", () => {
    assertEquals(joinHostPort("127.0.0.1", 7), "127.0.0.1:7");
    assertEquals(joinHostPort("::1", 7), "[::1]:7");
    assertEquals(joinHostPort("[::1]", 7), "[::1]:7");
  });

  it("is the path of a Unix socket, if it has one", () => {
    assertEquals(formatAddress({ transport: "unix", path: "/a/b" }), "/a/b");
    assertEquals(formatAddress({ transport: "unix", path: "" }), "unix socket");
  });
});

describe("the permission flags of an endpoint", () => {
  it("are those that Deno needs, quoted for a shell", () => {
    assertEquals(requiredPermissions({ port: 7 }), "--allow-net=127.0.0.1:7");
    assertEquals(
      requiredPermissions({ hostname: "::1" }),
      "'--allow-net=[::1]:12345'",
    );
    assertEquals(
      requiredPermissions({ path: "/run/e.sock" }),
      "--allow-net=unix:/run/e.sock --allow-read=/run/e.sock --allow-write=/run/e.sock",
    );
    assertEquals(permissionFlag("read", "/my ca"), "'--allow-read=/my ca'");
  });

  it("of several endpoints are one flag of each kind", () => {
    const db = { hostname: "::1", port: 9 };
    assertEquals(
      requiredPermissions({ port: 7 }, { hostname: "db", port: 8 }),
      "--allow-net=127.0.0.1:7,db:8",
    );
    assertEquals(
      requiredPermissions({ path: "/a" }, db),
      "'--allow-net=unix:/a,[::1]:9' --allow-read=/a --allow-write=/a",
    );
    assertEquals(
      requiredPermissions({ path: "/a" }, { path: "/b" }),
      "--allow-net=unix:/a,unix:/b --allow-read=/a,/b --allow-write=/a,/b",
    );
  });
});
