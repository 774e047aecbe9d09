/**
 * Certificates and keys, checked before anything is opened: `node:tls` takes any
 * text, and fails at each handshake.
 *
 * ```ts
 * import { clientContext, serverContext } from "./tls_credentials.ts";
 * const ours = serverContext({ cert, key });
 * const theirs = clientContext([ca]);
 * ```
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

const REASONS: [said: RegExp, reason: string][] = [
  [/No certificates found/, "cert holds no certificate (PEM)"],
  [/decode certificate/, "cert holds a certificate that cannot be decoded"],
  [/No keys found/, "key holds no private key (PEM)"],
  [/decode key/, "key cannot be decoded; it must not be encrypted"],
  [/KeyMismatch/, "key is not the private key of cert"],
  [
    /parse private key/,
    "key is none that TLS takes: RSA of 2048 bits or more, ECDSA or Ed25519",
  ],
];

/**
 * A server's certificate chain and its private key.
 *
 * @throws {Error} that says which of them is of no use, and why.
 */
export function serverContext(
  { cert, key }: { cert: string; key: string },
): SecureContext {
  try {
    // Has the TLS library itself look at them, as it would for a client.
    Deno.createHttpClient({ cert, key }).close();
  } catch (error) {
    const said = (error as Error).message;
    const [, reason = said] = REASONS.find(([words]) => words.test(said)) ?? [];
    throw new Error(reason, { cause: error });
  }
  return createSecureContext({ cert, key });
}

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
