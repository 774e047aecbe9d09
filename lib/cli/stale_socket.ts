/**
 * Removes the file of a Unix socket that a killed server has left behind: the
 * next server could not listen on it. The file stays if a server listens on it,
 * or if it is not a socket.
 *
 * @module
 */

import { connect, ConnectionRefusedError } from "../echo.ts";
import { permissionFlag } from "../net/endpoint.ts";
import { systemError } from "../net/system_error.ts";

/** Milliseconds to wait for a server that may listen on the socket. */
const PROBE_TIMEOUT_MS = 1_000;

/** Milliseconds in which a server that has just made its socket listens on it. */
const START_MS = 20;

/**
 * Removes the socket at `path` if no server listens on it. Resolves with whether
 * it was removed. A server that does listen sees a connection that ends without a
 * byte. Other problems are left to the call that listens.
 *
 * @throws {Error} if the socket cannot be removed.
 */
export async function clearStaleSocket(path: string): Promise<boolean> {
  let stale: Deno.FileInfo | undefined;
  try {
    stale = await Deno.lstat(path);
    if (!stale.isSocket) return false;
    (await connect({ path, timeout: PROBE_TIMEOUT_MS, wait: START_MS }))
      .close();
    return false;
  } catch (error) {
    if (!(error instanceof ConnectionRefusedError)) return false;
  }
  try {
    // Another server that starts may have replaced it since. Nothing comes between
    // the look and the removal, so that its new socket is not removed.
    if (!isSame(Deno.lstatSync(path), stale!)) return false;
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw systemError(error, {
      action: `Cannot remove the unused socket ${path}`,
      permissions: permissionFlag("write", path),
    });
  }
}

/** Whether two looks at a path saw one file. Numbers of files are used again. */
function isSame(one: Deno.FileInfo, other: Deno.FileInfo): boolean {
  return one.ino === other.ino &&
    one.birthtime?.getTime() === other.birthtime?.getTime() &&
    one.mtime?.getTime() === other.mtime?.getTime();
}
