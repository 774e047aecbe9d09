/**
 * Checks a server's certificate and private key before it listens. `node:tls`
 * accepts any text for them, and then fails at each handshake.
 *
 * @module
 */

const CERTIFICATE = /-----BEGIN CERTIFICATE-----/;

const DESCRIPTIONS: [message: RegExp, description: string][] = [
  [/No certificates found/, "cert holds no certificate (PEM)"],
  [/decode certificate/, "cert holds a certificate that cannot be decoded"],
  [
    /certificate store/,
    "clientCa holds a certificate that cannot be decoded",
  ],
  [/No keys found/, "key holds no private key (PEM)"],
  [/decode key/, "key cannot be decoded; it must not be encrypted"],
  [/KeyMismatch/, "key is not the private key of cert"],
  [
    /parse private key/,
    "key is not supported: expected RSA of 2048 bits or more, ECDSA or Ed25519",
  ],
];

/**
 * Checks a certificate chain and its private key (PEM), and the certificates of the
 * authorities of clients.
 *
 * @throws {Error} that says which of them cannot be used, and why.
 */
export function checkCredentials(
  { cert, key, clientCa }: {
    cert: string;
    key: string;
    clientCa?: string | undefined;
  },
): void {
  try {
    // The one API that makes Deno's TLS library check them without a connection.
    Deno.createHttpClient({
      cert,
      key,
      ...(clientCa === undefined ? {} : { caCerts: [clientCa] }),
    }).close();
  } catch (error) {
    const { message } = error as Error;
    const [, description = message] = DESCRIPTIONS.find(([pattern]) =>
      pattern.test(message)
    ) ?? [];
    throw new Error(description, { cause: error });
  }
  if (clientCa !== undefined && !CERTIFICATE.test(clientCa)) {
    throw new Error("clientCa holds no certificate (PEM)");
  }
}
