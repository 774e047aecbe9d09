/**
 * The reason of a failed TLS handshake in plain words. The codes of `node:tls`
 * are for programs (`UNABLE_TO_VERIFY_LEAF_SIGNATURE`).
 *
 * ```ts
 * import { describeHandshakeError } from "./handshake_error.ts";
 *
 * const error = Object.assign(new Error(), { code: "CERT_HAS_EXPIRED" });
 * describeHandshakeError(error); // "its certificate has expired"
 * ```
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";

const NOT_TLS = "the peer does not speak TLS";

const EXPIRED = "its certificate has expired";
const NOT_YET = "its certificate is not valid yet";
const UNTRUSTED = /^(UNABLE_TO_(VERIFY|GET)|SELF_SIGNED|DEPTH_ZERO)/;

const DESCRIPTIONS: [code: RegExp, description: string][] = [
  [UNTRUSTED, "its certificate is not trusted"],
  [/^CERT_HAS_EXPIRED$/, EXPIRED],
  [/^CERT_NOT_YET_VALID$/, NOT_YET],
  [/^ERR_SSL_WRONG_VERSION_NUMBER$/, NOT_TLS],
];

/**
 * Describes an error that `node:tls` reported during a handshake. The runtime calls a
 * certificate untrusted that is out of its time, so `certificate`, the peer's, says
 * more.
 */
export function describeHandshakeError(
  { code = "", message }: Error & { code?: string },
  certificate?: Pick<X509Certificate, "validFrom" | "validTo">,
): string {
  if (certificate && UNTRUSTED.test(code)) {
    if (Date.parse(certificate.validTo) < Date.now()) return EXPIRED;
    if (Date.parse(certificate.validFrom) > Date.now()) return NOT_YET;
  }
  for (const [pattern, description] of DESCRIPTIONS) {
    if (pattern.test(code)) return description;
  }
  // An echo server without TLS returns the client's own first message.
  if (/got ClientHello when expecting/.test(message)) return NOT_TLS;
  return message;
}
