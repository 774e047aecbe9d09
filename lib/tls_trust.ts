/**
 * Whom a TLS client trusts.
 *
 * ```ts
 * import { clientContext } from "./tls_trust.ts";
 * const secureContext = clientContext([await Deno.readTextFile("ca.pem")]);
 * ```
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * What a client trusts: the usual authorities, and those in `caCerts`.
 *
 * @throws {Error} that names the one of `caCerts` that holds no certificate.
 */
export function clientContext(caCerts: readonly string[] = []): SecureContext {
  const secureContext = createSecureContext();
  for (const [index, pem] of caCerts.entries()) {
    const certificates = pem.match(CERTIFICATE) ?? [];
    if (certificates.length === 0) {
      throw new Error(`caCerts[${index}] holds no certificate (PEM)`);
    }
    for (const certificate of certificates) {
      try {
        new X509Certificate(certificate);
      } catch (error) {
        throw new Error(
          `caCerts[${index}] holds a certificate that cannot be decoded`,
          { cause: error },
        );
      }
      // As an option (`ca`) they would replace the usual ones, among which are
      // those of `--cert` and `DENO_TLS_CA_STORE`.
      secureContext.context.addCACert(certificate);
    }
  }
  return secureContext;
}
