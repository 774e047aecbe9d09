import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatCount, formatDuration, plural } from "../../lib/net/format.ts";

describe("a duration as text", () => {
  it("is in whole milliseconds below a second", () => {
    assertEquals([0, 0.4, 12.3, 999.4].map(formatDuration), [
      "0 ms",
      "0 ms",
      "12 ms",
      "999 ms",
    ]);
  });

  it("is in seconds, with at most one decimal, from a second on", () => {
    assertEquals([999.5, 1_000, 1_234, 3_500, 60_000].map(formatDuration), [
      "1 s",
      "1 s",
      "1.2 s",
      "3.5 s",
      "60 s",
    ]);
  });
});

it("a count has commas, and a noun in the right number", () => {
  assertEquals(formatCount(1_234_567.8), "1,234,568");
  assertEquals(plural(1, "connection"), "1 connection");
  assertEquals(plural(0, "connection"), "0 connections");
  assertEquals(plural(1_000, "connection"), "1,000 connections");
});
