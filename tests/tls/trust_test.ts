import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { PeerCertificate } from "node:tls";
import { checkServerName } from "../../lib/tls/session.ts";

/** What is wrong with a certificate for `localhost`, if something is. */
function check(certificate: Partial<PeerCertificate>): string | undefined {
  return checkServerName("localhost", certificate as PeerCertificate)?.message;
}

describe("a server's certificate", () => {
  const subject = { CN: "localhost" } as PeerCertificate["subject"];

  it("is accepted for its alternative names", () => {
    assertEquals(check({ subjectaltname: "DNS:localhost" }), undefined);
  });

  it("is not accepted for its common name", () => {
    assertEquals(
      check({ subject }),
      "its certificate is for no name, and not for localhost",
    );
  });

  it("with thousands of names makes a short message", () => {
    const subjectaltname = Array(5_000).fill("DNS:example.org").join(", ");
    const message = check({ subjectaltname })!;
    assertLess(message.length, 300);
    assertMatch(message, /\.\.\., and not for localhost$/);
  });
});
