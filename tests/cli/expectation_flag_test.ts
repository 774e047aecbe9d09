import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  expectation,
  requireMeasured,
} from "../../lib/cli/expectation_flag.ts";
import { parseExpectation } from "../../lib/stats/expectation.ts";
import { flag, parseFlags, UsageError } from "../../lib/cli/flags.ts";

describe("--expect", () => {
  const flags = { expect: flag(expectation, "a condition") };

  it("takes a condition", () => {
    const { values } = parseFlags(flags, ["--expect", "p99 < 5ms"]);
    assertEquals(values.expect?.text, "p99<5ms");
  });

  it("is refused with what is wrong with the condition", () => {
    const error = assertThrows(
      () => parseFlags(flags, ["--expect", "p99<5"]),
      UsageError,
    );
    assertEquals(
      error.message,
      'Cannot use --expect "p99<5": expected a number with the unit us, ms or s, such as 5ms, as the value of p99',
    );
  });

  it("is refused without a condition", () => {
    assertThrows(
      () => parseFlags(flags, ["--expect"]),
      UsageError,
      "a condition such as p99<5ms, loss<1%, rate>9000 or errors=0",
    );
  });

  it("is refused in a mode that does not measure its metric", () => {
    const conditions = ["p99<5ms", "rate>9"].map((text) =>
      parseExpectation(text)
    );
    requireMeasured(conditions, "load");
    assertThrows(
      () => requireMeasured(conditions, "ping"),
      UsageError,
      'Cannot use --expect "rate>9" with --ping: expected a metric that ping measures',
    );
  });
});
