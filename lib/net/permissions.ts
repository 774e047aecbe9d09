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

function isGranted({ kind, target }: Permission, ask: boolean): boolean {
  const descriptor = kind === "net"
    ? { name: kind, host: target } as const
    : { name: kind, path: target } as const;
  const { permissions } = Deno;
  const { state } = ask
    ? permissions.requestSync(descriptor)
    : permissions.querySync(descriptor);
  return state === "granted";
}

/**
 * Requests the permissions to use all endpoints. On a terminal, Deno asks the user
 * for those that are missing, unless it runs with `--no-prompt`, or `ask` is false.
 * Everything waits until the user has answered.
 *
 * @throws {Deno.errors.NotCapable} if one is missing; the message names them all.
 */
export function requestPermissions(
  endpoints: readonly Endpoint[],
  action: string,
  ask = true,
): void {
  const permissions = endpoints.flatMap(permissionsOf);
  if (permissions.every((one) => isGranted(one, ask))) return;
  throw systemError(new Deno.errors.NotCapable("permission not granted"), {
    action,
    permissions: requiredPermissions(...endpoints),
  });
}
