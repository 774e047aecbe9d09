import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EchoError } from "../../lib/net/errors.ts";
import { describeError, systemError } from "../../lib/net/system_error.ts";

describe("describeError", () => {
  const cases: [unknown, string][] = [
    [
      new Deno.errors.ConnectionRefused("Connection refused (os error 111)"),
      "connection refused",
    ],
    [
      new Deno.errors.NotCapable("Requires net access to ..., run again with"),
      "permission not granted",
    ],
    [new Deno.errors.AddrInUse("Address in use"), "address already in use"],
    [
      new Error("failed to lookup address information: Name or service"),
      "the host name does not resolve",
    ],
    [
      new Error("No such host is known. (os error 11001)"),
      "the host name does not resolve",
    ],
    [
      new Error("No route to host (os error 113)"),
      "no route to host",
    ],
    [
      new Error("No such file (os error 2), open 'a\nb'"),
      "no such file",
    ],
    ["Some text", "some text"],
    [undefined, "undefined"],
  ];
  for (const [error, description] of cases) {
    it(`says "${description}"`, () => {
      assertEquals(describeError(error), description);
    });
  }
});

describe("systemError", () => {
  const context = {
    action: "Cannot listen on /a",
    permissions: "--allow-net=unix:/a --allow-read=/a",
  };

  it("keeps the classes that callers may look for, with the cause", () => {
    for (
      const Class of [
        Deno.errors.AddrInUse,
        Deno.errors.AddrNotAvailable,
        Deno.errors.PermissionDenied,
        Deno.errors.NotFound,
        RangeError,
        TypeError,
      ]
    ) {
      const cause = new Class("some reason");
      const error = systemError(cause, context);
      assertInstanceOf(error, Class);
      assertStrictEquals(error.cause, cause);
      assertEquals(
        error.message,
        `Cannot listen on /a: ${describeError(cause)}`,
      );
    }
  });

  it("makes an EchoError of others", () => {
    const error = systemError(new Error("Odd (os error 9)"), context);
    assertInstanceOf(error, EchoError);
    assertEquals(error.message, "Cannot listen on /a: odd");
  });

  it("names the permission flags that are missing", () => {
    const error = systemError(new Deno.errors.NotCapable("x"), context);
    assertInstanceOf(error, Deno.errors.NotCapable);
    assertEquals(
      error.message,
      "Cannot listen on /a: permission not granted: run again with --allow-net=unix:/a --allow-read=/a",
    );
  });
});
