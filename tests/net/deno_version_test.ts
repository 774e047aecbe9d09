import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MIN_DENO_VERSION, requireDeno } from "../../lib/net/deno_version.ts";

describe("a version of Deno", () => {
  for (
    const version of ["1.46.3", "2.0.0", "2.9.4", `${MIN_DENO_VERSION}-rc.1`]
  ) {
    it(`is rejected if it is too old: ${version}`, () => {
      const error = assertThrows(
        () => requireDeno("Cannot go", version),
        Deno.errors.NotSupported,
      );
      assertEquals(
        error.message,
        `Cannot go: it needs Deno ${MIN_DENO_VERSION} or newer, and this is ${version}; run deno upgrade`,
      );
    });
  }

  it("is accepted if it is new enough", () => {
    for (
      const version of [MIN_DENO_VERSION, "2.10.0", "2.9.6+1a2b3c4", "3.0.0"]
    ) {
      requireDeno("Cannot go", version);
    }
  });
});
