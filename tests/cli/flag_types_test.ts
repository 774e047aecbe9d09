import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  duration,
  hostPort,
  integer,
  oneOf,
  positiveDuration,
  text,
} from "../../lib/cli/flag_types.ts";
import { MAX_DELAY_MS } from "../../lib/net/timeout.ts";

describe("a duration", () => {
  for (
    const [given, ms] of [
      ["500ms", 500],
      ["10s", 10_000],
      ["2m", 120_000],
      ["1h", 3_600_000],
      ["1.5s", 1_500],
      ["0s", 0],
      [`${MAX_DELAY_MS}ms`, MAX_DELAY_MS],
    ] as const
  ) it(`${given} is ${ms} ms`, () => assertEquals(duration.parse(given), ms));

  for (
    const given of [
      "",
      "10",
      "s",
      "-1s",
      "+1s",
      "1 s",
      "1s ",
      "1e3s",
      ".5s",
      "NaNs",
      "Infinitys",
      "1d",
      "1S",
      `${MAX_DELAY_MS + 1}ms`,
      "1s2m",
    ]
  ) {
    it(`${JSON.stringify(given)} is rejected`, () => {
      assertEquals(duration.parse(given), undefined);
    });
  }

  it("may be limited to values above zero", () => {
    assertEquals(positiveDuration.parse("0ms"), undefined);
    assertEquals(positiveDuration.parse("1ms"), 1);
  });
});

describe("a whole number", () => {
  const port = integer("PORT", 0, 65_535);
  it("is accepted up to its bounds", () => {
    assertEquals(["0", "65535", "007"].map(port.parse), [0, 65_535, 7]);
  });
  for (const given of ["", "-1", "65536", "1.5", "abc", "0x10", "1e3", " 1"]) {
    it(`${JSON.stringify(given)} is rejected`, () => {
      assertEquals(port.parse(given), undefined);
    });
  }
  it("has the range in words", () => {
    assertEquals(port.expected, "a whole number from 0 to 65535");
    assertEquals(integer("N", 1).expected, "a whole number, 1 or more");
  });
});

it("a text is any text except the empty one", () => {
  assertEquals(text("HOST", "a host").parse("x"), "x");
  assertEquals(text("HOST", "a host").parse(""), undefined);
});

describe("a host and a port", () => {
  for (
    const [text, hostname, port] of [
      ["localhost:6379", "localhost", 6379],
      ["127.0.0.1:1", "127.0.0.1", 1],
      ["[::1]:65535", "::1", 65_535],
      ["db.example:05432", "db.example", 5432],
    ] as const
  ) {
    it(`${text} is accepted`, () => {
      assertEquals(hostPort.parse(text), { hostname, port });
    });
  }

  for (
    const text of [
      "",
      "localhost",
      "6379",
      ":6379",
      "localhost:",
      "localhost:0",
      "localhost:65536",
      "localhost:redis",
      "localhost:-1",
      "::1:6379",
      "[::1]",
      "[]:80",
      "http://localhost:80",
      "localhost:80/",
      " localhost:80",
      "a b:80",
    ]
  ) {
    it(`${JSON.stringify(text)} is rejected`, () => {
      assertEquals(hostPort.parse(text), undefined);
    });
  }
});

it("a word of several is named in a list", () => {
  const direction = oneOf("DIR", ["down", "up", "both"]);
  assertEquals(direction.expected, "down, up or both");
  assertEquals(oneOf("FORMAT", ["text", "json"]).expected, "text or json");
  assertEquals(["up", "UP", ""].map(direction.parse), [
    "up",
    undefined,
    undefined,
  ]);
});
