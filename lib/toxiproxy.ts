/**
 * Proxies that are told their faults over toxiproxy's HTTP interface, which client
 * libraries of many languages speak (https://github.com/Shopify/toxiproxy).
 *
 * ```ts
 * import { toxiproxy } from "./toxiproxy.ts";
 *
 * await using control = toxiproxy({ port: 0 });
 * const [redis] = control.populate([
 *   { name: "redis", listen: "127.0.0.1:0", upstream: "127.0.0.1:6379" },
 * ]);
 * redis!.addToxic({ type: "latency", attributes: { latency: 1000 } });
 * console.log(control.addr.port, redis!.listen);
 * ```
 *
 * The types of toxics are toxiproxy's, and each fault of this library in snake case,
 * with `delay` (milliseconds), `bytes` or `probability` as its attribute: `corrupt`,
 * `stall`, `close_after`, `connect_delay`. `refuse`, `down` and `close_on_accept`
 * have none. What `timeout` holds back is sent when it is removed, as toxiproxy's
 * README says. A change of toxics sets all toxics of the proxy anew on its open
 * connections, as `setFaults()` does.
 *
 * @module
 */

import { DEFAULT_GRACE_MS, DEFAULT_TOXIPROXY_PORT } from "./net/defaults.ts";
import { formatEndpoint, requiredPermissions } from "./net/endpoint.ts";
import type { ServeOptions } from "./net/options.ts";
import { requestPermissions } from "./net/endpoint.ts";
import { systemError } from "./net/system_error.ts";
import { checkRange, PORT } from "./net/validate.ts";
import { proxy } from "./proxy.ts";
import { respond, SHUTTING_DOWN } from "./toxiproxy/api.ts";
import { ApiError, type Json } from "./toxiproxy/json.ts";
import { parsePlan } from "./toxiproxy/plan.ts";
import { Proxies, type ToxicProxy } from "./toxiproxy/proxies.ts";

export type { Direction } from "./net/fault_options.ts";
export type { ApiError, Json, Proxies, ToxicProxy };
export type { JsonObject } from "./toxiproxy/json.ts";
export type { ListenTls, ProxyPlan, UpstreamTls } from "./toxiproxy/plan.ts";

export type { ProxyStart, StartProxy, Totals } from "./toxiproxy/proxies.ts";
export type { Attributes, Toxic } from "./toxiproxy/toxics.ts";

/** What all proxies have in common: limits, and callbacks. */
export type ProxyCommon = Pick<
  ServeOptions,
  | ("maxConnections" | "idleTimeout" | "grace" | "maxHeldBytes")
  | ("onOpen" | "onClose" | "onAcceptError")
>;

/** The options of `toxiproxy()`. */
export interface ToxiproxyOptions {
  /**
   * Address to listen on. Whoever reaches it can make the proxies connect anywhere.
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * Port to listen on. With 0 the system chooses a free one; see `addr`.
   * @default {8474}
   */
  port?: number | undefined;
  /** The proxies to begin with; see `populate`. */
  proxies?: Json;
  /** Returns limits and callbacks for the proxy of a name. */
  common?: ((name: string) => ProxyCommon) | undefined;
  /** Aborting the signal closes everything at once. */
  signal?: AbortSignal | undefined;
}

/** A running server of toxiproxy's interface, with its proxies. */
export interface Toxiproxy extends AsyncDisposable {
  /** The address of the interface. */
  readonly addr: Deno.NetAddr;
  /** The proxies. */
  readonly proxies: Proxies;
  /** Resolves once everything is closed. */
  readonly finished: Promise<void>;
  /**
   * Adds proxies from the JSON of a `toxiproxy.json`, all or none. A proxy may also
   * have `toxics`, a `seed` for them, `tls` (`cert`, `key`, `clientCa`,
   * `alpnProtocols`) and `upstreamTls` (`caCerts`, `serverName`, `cert`, `key`,
   * `alpnProtocols`), with texts in PEM format.
   *
   * @throws {ApiError} that names the path of what is wrong, or why one cannot start.
   */
  populate(config: Json): ToxicProxy[];
  /** Ends the interface, drains the proxies, and resolves like `finished`. */
  shutdown(): Promise<void>;
}

/**
 * Starts a server of toxiproxy's interface.
 *
 * @throws {RangeError} if the port is out of range.
 * @throws {ApiError} see `populate`.
 * @throws {Deno.errors.AddrInUse} if another program has the address.
 * @throws {Deno.errors.NotCapable} if a permission is missing; the message names it.
 */
export function toxiproxy(options: ToxiproxyOptions = {}): Toxiproxy {
  const { hostname = "127.0.0.1", port = DEFAULT_TOXIPROXY_PORT } = options;
  const { common, signal } = options;
  const action = `Cannot listen on ${formatEndpoint({ hostname, port })}`;
  checkRange(PORT, { action, options: { port } });
  requestPermissions([{ hostname, port }], action);
  const closing = new AbortController();
  const proxies = new Proxies((name, start) => {
    if (closing.signal.aborted) throw new ApiError(503, SHUTTING_DOWN);
    // A question on the terminal would hold up all requests.
    requestPermissions([start, start.upstream], `Cannot start ${name}`, {
      ask: false,
    });
    return proxy({ ...common?.(name), ...start });
  });
  const populate = (config: Json) => proxies.populate(parsePlan(config));
  const stopProxies = () => {
    for (const one of proxies) one.stop();
  };
  let http: Deno.HttpServer<Deno.NetAddr>;
  try {
    if (options.proxies !== undefined) populate(options.proxies);
    http = Deno.serve({
      ...{ hostname, port },
      onListen: () => {},
      handler: (request) => respond(proxies, request, closing.signal),
    });
  } catch (error) {
    stopProxies();
    if (error instanceof ApiError) throw error;
    const permissions = requiredPermissions({ hostname, port });
    throw systemError(error, { action, permissions });
  }
  const { addr } = http;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const stop = async () => {
    closing.abort();
    // Whoever does not read its answer must not hold this up.
    const timer = setTimeout(finish, DEFAULT_GRACE_MS);
    const drained = [...proxies].map((one) => one.shutdown());
    await Promise.race([Promise.all([http.shutdown(), ...drained]), finished]);
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    finish();
  };
  let stopped: Promise<void> | undefined;
  const shutdown = () => stopped ??= stop();
  const abort = () => {
    stopProxies();
    void shutdown();
  };
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  return {
    ...{ addr, proxies, finished, populate, shutdown },
    [Symbol.asyncDispose]: shutdown,
  };
}
