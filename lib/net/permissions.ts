/**
 * Permissions to use endpoints, which are requested before anything is opened.
 *
 * @module
 */

import {
  type Endpoint,
  type Permission,
  permissionsOf,
  requiredPermissions,
} from "./endpoint.ts";
import { systemError } from "./system_error.ts";

function isGranted({ kind, target }: Permission): boolean {
  const descriptor = kind === "net"
    ? { name: kind, host: target } as const
    : { name: kind, path: target } as const;
  return Deno.permissions.requestSync(descriptor).state === "granted";
}

/**
 * Requests the permissions to use all endpoints. On a terminal, Deno asks the user
 * for those that are missing, unless it runs with `--no-prompt`.
 *
 * @throws {Deno.errors.NotCapable} if one is missing; the message names them all.
 */
export function requestPermissions(
  endpoints: readonly Endpoint[],
  action: string,
): void {
  if (endpoints.flatMap(permissionsOf).every(isGranted)) return;
  throw systemError(new Deno.errors.NotCapable("permission not granted"), {
    action,
    permissions: requiredPermissions(...endpoints),
  });
}
