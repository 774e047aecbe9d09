/**
 * The oldest version of Deno that the project runs on. An older one is rejected
 * with one line, before anything is opened.
 *
 * @module
 */

/**
 * The oldest version that all tests pass on. Before it, closing a connection did
 * not end a pending write, so a client that never reads could not be closed
 * (https://github.com/denoland/deno/pull/36369).
 */
export const MIN_DENO_VERSION = "2.9.5";

/** Whether `version` comes before the release `minimum`. */
function isOlder(version: string, minimum: string): boolean {
  // A build number ("+1a2b3c4") does not count. A pre-release ("-rc.1") comes
  // before its release (https://semver.org, section 11).
  const [release = "", preRelease] = version.replace(/\+.*/, "").split(/-(.*)/);
  const wanted = minimum.split(".").map(Number);
  for (const [i, part] of release.split(".").map(Number).entries()) {
    if (part !== wanted[i]) return part < wanted[i]!;
  }
  return preRelease !== undefined;
}

/** @throws {Deno.errors.NotSupported} if this version of Deno is too old. */
export function requireDeno(
  action: string,
  version: string = Deno.version.deno,
): void {
  if (isOlder(version, MIN_DENO_VERSION)) {
    throw new Deno.errors.NotSupported(
      `${action}: it needs Deno ${MIN_DENO_VERSION} or newer, and this is ${version}; run deno upgrade`,
    );
  }
}
