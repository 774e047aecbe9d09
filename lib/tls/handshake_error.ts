/**
 * The reason of a failed TLS handshake in plain words. The codes of `node:tls`
 * are for programs (`UNABLE_TO_VERIFY_LEAF_SIGNATURE`).
 *
 * @module
 */

const NOT_TLS = "the peer does not speak TLS";

const DESCRIPTIONS: [code: RegExp, description: string][] = [
  [
    // The runtime has the same code for a certificate that is out of its time.
    /^(UNABLE_TO_(VERIFY|GET)|SELF_SIGNED|DEPTH_ZERO)/,
    "its certificate is not trusted, or has expired",
  ],
  [/^CERT_HAS_EXPIRED$/, "its certificate has expired"],
  [/^CERT_NOT_YET_VALID$/, "its certificate is not valid yet"],
  [/^ERR_SSL_WRONG_VERSION_NUMBER$/, NOT_TLS],
];

/** Describes an error that `node:tls` reported during a handshake. */
export function describeHandshakeError(
  { code = "", message }: Error & { code?: string },
): string {
  for (const [pattern, description] of DESCRIPTIONS) {
    if (pattern.test(code)) return description;
  }
  // An echo server without TLS returns the client's own first message.
  if (/got ClientHello when expecting/.test(message)) return NOT_TLS;
  return message;
}
