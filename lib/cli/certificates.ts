/**
 * Files with certificates that a flag names.
 *
 * @module
 */

import { readText } from "./program.ts";

/** Reads certificates. @throws {Error} if the file contains none. */
export function readCertificates(path: string, flag: string): string {
  const pem = readText(path);
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new Error(
    `Cannot use ${flag} ${path}: it holds no certificate in PEM format`,
  );
}
