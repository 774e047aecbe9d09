/**
 * Why a TLS handshake failed, in words for the middle of a sentence: what
 * `node:tls` says is for programs (`UNABLE_TO_VERIFY_LEAF_SIGNATURE`).
 *
 * ```ts
 * import { handshakeReason } from "./tls_reason.ts";
 * handshakeReason(error); // its certificate is not trusted
 * ```
 *
 * @module
 */

import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** Characters of a certificate's names in a message; it may have thousands. */
const MOST_NAMES = 200;

const REASONS: [code: RegExp, reason: string][] = [
  [
    /^(UNABLE_TO_(VERIFY|GET)|SELF_SIGNED|DEPTH_ZERO)/,
    "its certificate is not trusted",
  ],
  [/^CERT_HAS_EXPIRED$/, "its certificate has expired"],
  [/^CERT_NOT_YET_VALID$/, "its certificate is not valid yet"],
  [/^ERR_SSL_WRONG_VERSION_NUMBER$/, "the peer does not speak TLS"],
];

/** What `node:tls` said when a handshake failed. */
export function handshakeReason(error: Error & { code?: string }): string {
  const { code = "", message } = error;
  for (const [pattern, reason] of REASONS) {
    if (pattern.test(code)) return reason;
  }
  // The first message of the handshake came back: an echo server does that.
  if (/got ClientHello when expecting/.test(message)) {
    return "the peer does not speak TLS";
  }
  return message;
}

/**
 * Checks that a certificate is for a host, by its alternative names alone: the
 * common name, which `node:tls` would take as well, says nothing (RFC 9525).
 */
export function checkName(
  hostname: string,
  cert: PeerCertificate,
): Error | undefined {
  const names = cert.subjectaltname;
  if (names && !checkServerIdentity(hostname, cert)) return undefined;
  const shown = names && names.length > MOST_NAMES
    ? `${names.slice(0, MOST_NAMES)}...`
    : names;
  return new Error(
    `its certificate is for ${shown || "no name"}, and not for ${hostname}`,
  );
}
