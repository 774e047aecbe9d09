/**
 * Which certificates a TLS client accepts: those that a trusted authority has
 * issued for the host that the client connects to.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import {
  checkServerIdentity,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
} from "node:tls";
import type { ConnectOptions } from "../net/options.ts";

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Characters of a certificate's names in a message; it may have thousands. */
const MAX_NAMES_LENGTH = 200;

/**
 * Trusts the authorities that Deno trusts, and those in `caCerts` (PEM). Presents
 * `cert` with its `key`, if a server asks for a certificate.
 *
 * @throws {Error} that names the element of `caCerts` without a certificate.
 */
export function trustedContext(
  { caCerts = [], cert, key }: Pick<ConnectOptions, "caCerts" | "cert" | "key">,
): SecureContext {
  const secureContext = createSecureContext({ cert, key });
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
      // As an option (`ca`) they would replace the authorities that Deno trusts,
      // including those of `--cert` and `DENO_TLS_CA_STORE`.
      secureContext.context.addCACert(certificate);
    }
  }
  return secureContext;
}

/**
 * Checks that a certificate is for a host. Only its alternative names count:
 * `node:tls` would accept its common name, too, which RFC 9525 forbids.
 */
export function checkServerName(
  hostname: string,
  certificate: PeerCertificate,
): Error | undefined {
  const names = certificate.subjectaltname;
  if (names && !checkServerIdentity(hostname, certificate)) return undefined;
  const shown = names && names.length > MAX_NAMES_LENGTH
    ? `${names.slice(0, MAX_NAMES_LENGTH)}...`
    : names;
  return new Error(
    `its certificate is for ${shown || "no name"}, and not for ${hostname}`,
  );
}
