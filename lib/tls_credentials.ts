/**
 * Checks a certificate and its key before a server listens: `node:tls` takes any
 * text, and would fail at each handshake.
 *
 * ```ts
 * import { checkCredentials } from "./tls_credentials.ts";
 * checkCredentials({ cert: "none", key: "none" }); // throws
 * ```
 *
 * @module
 */

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
 * Looks at a server's certificate chain and its private key.
 *
 * @throws {Error} that says which of them is of no use, and why.
 */
export function checkCredentials(
  { cert, key }: { cert: string; key: string },
): void {
  try {
    // Has the TLS library itself look at them, as it would for a client.
    Deno.createHttpClient({ cert, key }).close();
  } catch (error) {
    const said = (error as Error).message;
    const [, reason = said] = REASONS.find(([words]) => words.test(said)) ?? [];
    throw new Error(reason, { cause: error });
  }
}
