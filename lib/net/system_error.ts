/**
 * Errors of Deno and of the operating system in plain words. Each system has its
 * own text for the same error, and Deno adds its own guess at the missing flag.
 *
 * @module
 */

import { EchoError } from "./errors.ts";

const DESCRIPTIONS = [
  [Deno.errors.NotCapable, "permission not granted"],
  [Deno.errors.ConnectionRefused, "connection refused"],
  [Deno.errors.AddrInUse, "address already in use"],
  [Deno.errors.AddrNotAvailable, "cannot assign requested address"],
  [Deno.errors.PermissionDenied, "permission denied"],
] as const;

/** The message of a failed name lookup on Unix, and its numbers on Windows. */
const LOOKUP_FAILED = /^failed to lookup address|\(os error 1100[1-4]\)/;

/** The error as the end of a sentence: no number, no capital, no full stop. */
export function describeError(error: unknown): string {
  for (const [Class, description] of DESCRIPTIONS) {
    if (error instanceof Class) return description;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (LOOKUP_FAILED.test(message)) return "the host name does not resolve";
  // Deno's file functions append their arguments after the number.
  const plain = message.replace(/ \(os error \d+\).*$/s, "");
  return plain.charAt(0).toLowerCase() + plain.slice(1);
}

/**
 * Says that the ephemeral ports are used up, if `error` or one of its causes is
 * EADDRNOTAVAIL, which is what `connect` fails with then. The caller must know that
 * connecting to the same address was possible before.
 */
export function portsUsedUp(error: unknown): string | undefined {
  while (error instanceof Error) {
    if (error instanceof Deno.errors.AddrNotAvailable) {
      return "the ephemeral ports of this host are used up; a closed connection " +
        "keeps its port for about a minute: connect less often, or to more " +
        "addresses";
    }
    error = error.cause;
  }
  return undefined;
}

/** What a system is short of: files (also those of all processes), or memory. */
const SHORTAGES = /^(EMFILE|ENFILE|ENOBUFS|ENOMEM)$/;

/** Whether `error` or one of its causes is a shortage of files or memory. */
export function isShortage(error: unknown): boolean {
  while (error instanceof Error) {
    if (SHORTAGES.test((error as Error & { code?: string }).code ?? "")) {
      return true;
    }
    error = error.cause;
  }
  return false;
}

/** The classes that callers may look for. */
const KEPT = [
  Deno.errors.AddrInUse,
  Deno.errors.AddrNotAvailable,
  Deno.errors.PermissionDenied,
  Deno.errors.NotFound,
  RangeError,
  TypeError,
];

/**
 * An error of the same class that says what was attempted. If a permission is
 * missing, the message names the flags in `permissions`.
 */
export function systemError(
  error: unknown,
  { action, permissions }: { action: string; permissions: string },
): Error {
  const message = `${action}: ${describeError(error)}`;
  const options = { cause: error };
  if (error instanceof Deno.errors.NotCapable) {
    // A compiled program has the permissions it was compiled with, which cover
    // the network at any address.
    const missing = permissions.match(/--allow-(read|write)/g) ?? [permissions];
    const fix = Deno.build.standalone
      ? `compile it with ${[...new Set(missing)].join(" ")}`
      : `run again with ${permissions}`;
    return new Deno.errors.NotCapable(`${message}: ${fix}`, options);
  }
  for (const Class of KEPT) {
    if (error instanceof Class) return new Class(message, options);
  }
  return new EchoError(message, options);
}
