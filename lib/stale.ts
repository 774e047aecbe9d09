/**
 * Makes way for a server on a Unix socket: the file that a killed server has
 * left behind keeps the next one from listening. A file that somebody answers
 * on, or that is no socket, stays.
 *
 * ```sh
 * deno run -A server.ts --unix /tmp/echo.sock & sleep 1; kill -KILL $!
 * deno run -A server.ts --unix /tmp/echo.sock # listens all the same
 * ```
 *
 * @module
 */

import { connect, RefusedError } from "./echo.ts";
import { restate } from "./errors.ts";
import { permission } from "./place.ts";

/**
 * Removes the socket at `path` if nobody listens on it. Resolves with whether
 * it did; what else is there, listening will tell. A server that does listen
 * sees a connection that ends without a byte.
 *
 * @throws {Error} if the socket cannot be removed.
 */
export async function clearStaleSocket(path: string): Promise<boolean> {
  try {
    if (!(await Deno.lstat(path)).isSocket) return false;
    (await connect({ path, timeout: 1_000 })).close();
    return false;
  } catch (error) {
    if (!(error instanceof RefusedError)) return false;
  }
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    const attempt = `Cannot remove ${path}, which nobody listens on`;
    throw restate(error, attempt, permission("write", path));
  }
}
