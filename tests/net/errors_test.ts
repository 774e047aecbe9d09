import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  addContext,
  ConnectionResetError,
  EchoError,
  errorKind,
  HandshakeError,
  MismatchError,
  TimedOutError,
  UnexpectedEofError,
  withContext,
} from "../../lib/net/errors.ts";

describe("addContext", () => {
  it("puts the action in front and keeps class, name, fields and cause", () => {
    const cause = new Error("cause");
    const fact = new MismatchError("byte 2 differs", {
      offset: 2,
      sent: undefined,
      received: 7,
      cause,
    });
    const error = addContext("Cannot finish", fact) as MismatchError;
    assertStrictEquals(error.constructor, MismatchError);
    assertEquals(error.message, "Cannot finish: byte 2 differs");
    assertEquals(error.name, "MismatchError");
    assertEquals([error.offset, error.sent, error.received], [2, undefined, 7]);
    assertStrictEquals(error.cause, cause);
  });

  it("keeps a subclass and its counts, and makes the error its cause", () => {
    const fact = new ConnectionResetError("reset", {
      received: 3,
      expected: 5,
    });
    const error = addContext("Cannot finish", fact) as ConnectionResetError;
    assertStrictEquals(error.constructor, ConnectionResetError);
    assert(error instanceof UnexpectedEofError);
    assertEquals([error.received, error.expected], [3, 5]);
    assertStrictEquals(error.cause, fact);
  });

  it("returns other errors unchanged", () => {
    const error = new RangeError("x");
    assertStrictEquals(addContext("Cannot finish", error), error);
    assertEquals(addContext("Cannot finish", "text"), "text");
  });
});

describe("withContext", () => {
  it("returns what the work returns", async () => {
    assertEquals(await withContext("Cannot", () => Promise.resolve(1)), 1);
  });

  it("adds the action to what the work throws, once", async () => {
    const error = await assertRejects(
      () =>
        withContext(
          "Cannot speak TLS",
          () => Promise.reject(new HandshakeError("not trusted")),
        ),
      HandshakeError,
    );
    assertEquals(error.message, "Cannot speak TLS: not trusted");
  });
});

it("errorKind makes keys of the names of errors", () => {
  const counts = { received: 0, expected: 1 };
  assertEquals(
    [
      new TimedOutError("x"),
      new UnexpectedEofError("x", counts),
      new ConnectionResetError("x", counts),
      new EchoError("x"),
      new Deno.errors.BrokenPipe("x"),
      new Error("x"),
      "text",
    ].map(errorKind),
    [
      "timeout",
      "unexpectedEof",
      "connectionReset",
      "echo",
      "brokenPipe",
      "error",
      "error",
    ],
  );
});
