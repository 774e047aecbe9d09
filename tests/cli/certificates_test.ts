import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readCertificates } from "../../lib/cli/certificates.ts";
import { ca, key } from "../support/certificates.ts";

/** Reads certificates from a file that has this text. */
function read(text: string): string {
  const { readTextFileSync } = Deno;
  try {
    Deno.readTextFileSync = () => text;
    return readCertificates("ca.pem", "--upstream-tls-ca");
  } finally {
    Deno.readTextFileSync = readTextFileSync;
  }
}

describe("a file with certificates", () => {
  it("is read as it is, with what is around them", () => {
    for (const text of [ca, ca + ca, `# our authority\n${ca}${key}`]) {
      assertEquals(read(text), text);
    }
  });

  for (const [name, text] of Object.entries({ key, empty: "", text: "ca" })) {
    it(`is rejected with its flag and its path if it holds none: ${name}`, () => {
      const error = assertThrows(() => read(text), Error);
      assertEquals(
        error.message,
        "Cannot use --upstream-tls-ca ca.pem: it holds no certificate in PEM format",
      );
    });
  }

  it("is named if it cannot be read", () => {
    const { readTextFileSync } = Deno;
    try {
      Deno.readTextFileSync = () => {
        throw new Deno.errors.NotFound("No such file (os error 2)");
      };
      assertThrows(
        () => readCertificates("ca.pem", "--tls-ca"),
        Deno.errors.NotFound,
        "Cannot read ca.pem: no such file",
      );
    } finally {
      Deno.readTextFileSync = readTextFileSync;
    }
  });
});
