/**
 * The Deno that this needs: an older one is refused in one line, rather than
 * half of what is promised kept.
 *
 * ```sh
 * npx --yes deno@2.9.0 task demo
 * ```
 *
 * @module
 */

import { lessThan } from "@std/semver/less-than";
import { parse } from "@std/semver/parse";

/**
 * The oldest that all tests pass on. Before it, closing a connection did not end
 * a write that waited on it, so that a client that never reads could not be got
 * rid of (https://github.com/denoland/deno/pull/36369).
 */
export const OLDEST_DENO = "2.9.5";

/** @throws {Deno.errors.NotSupported} if this Deno will not do. */
export function refuseOldDeno(
  attempt: string,
  version: string = Deno.version.deno,
): void {
  if (lessThan(parse(version), parse(OLDEST_DENO))) {
    throw new Deno.errors.NotSupported(
      `${attempt}: it needs Deno ${OLDEST_DENO} or newer, and this is ${version}; run deno upgrade`,
    );
  }
}
