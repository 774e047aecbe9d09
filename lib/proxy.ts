/**
 * A proxy with faults in front of any TCP service, for tests of that service's
 * clients. It has the interface of `serve()`. Each accepted connection gets one to
 * the upstream, and bytes flow both ways.
 *
 * ```ts
 * import { proxy } from "./proxy.ts";
 *
 * await using redis = proxy({ port: 0, upstream: { port: 6379 } });
 * console.log(redis.addr.port); // for the client under test
 * {
 *   using _ = redis.injectFaults({ latency: 1000 });
 *   // Here, replies take a second longer.
 * }
 * redis.setFaults({ upstream: { bandwidth: 10_000 } });
 * ```
 *
 * A side that half-closes the connection half-closes it for the other side, and a side
 * that resets it ends the other side, behind the bytes that came before: with a reset
 * if the proxy was started with `faults`, even with none (`{}`). If the
 * upstream cannot be reached, the client's connection is closed, and `onClose`
 * gets the reason `unreachable` with the error.
 *
 * @module
 */

import { connect, listen } from "./echo.ts";
import {
  formatEndpoint,
  rejectPortInHostname,
  requestPermissions,
} from "./net/endpoint.ts";
import type {
  DirectedFaults,
  FaultEntry,
  Faults,
  FaultSetting,
} from "./net/fault_options.ts";
import type { ConnectOptions, ServeOptions } from "./net/options.ts";
import { isOwnEndpoint, OWN_ADDRESS } from "./net/own_address.ts";
import type { EchoServer } from "./net/server.ts";
import { checkConnectLimits, checkRange, PORT } from "./net/validate.ts";
import { upstreamDial } from "./server/dial.ts";
import { checkLimits, Server } from "./server/server.ts";
import { checkClientTls } from "./tls/start_tls.ts";

export type { DirectedFaults, FaultEntry, Faults, FaultSetting };

/** The service that a proxy connects to, and how. */
export type Upstream = Omit<ConnectOptions, "signal">;

/** The options of a proxy: those of a server, and its upstream. */
export interface ProxyOptions<Addr extends Deno.Addr = Deno.NetAddr>
  extends Omit<ServeOptions<Addr>, "faults"> {
  /**
   * The service to connect to: `hostname` and `port`, or `path`, with `tls` if it
   * needs it. `timeout` limits each attempt to connect, and with `wait` a failed one
   * is repeated.
   */
  upstream: Upstream;
  /**
   * Faults to inject into connections. Plain faults are those of what the client
   * receives.
   */
  faults?: FaultSetting | undefined;
}

/** A running proxy. Its counters are those of the clients' connections. */
export interface ProxyServer<Addr extends Deno.Addr = Deno.NetAddr>
  extends EchoServer<Addr> {
  /** The same as with `serve()`, for both directions. */
  setFaults(faults: FaultSetting | undefined): void;
  /** The same as with `serve()`, for both directions. */
  injectFaults(faults: FaultSetting): Disposable;
}

/**
 * Starts a proxy that runs until it is shut down. `shutdown()` ends each connection
 * once it is unused: when the upstream has sent the last bytes, and both sides pause.
 * The upstream then gets the end of input, at the latest after half of `grace`, and
 * what it still sends is passed on until the end of `grace`.
 *
 * @throws {RangeError} if an option is out of range.
 * @throws {TypeError} if a host name contains a port, or if TLS needs other options.
 * @throws {Deno.errors.AddrInUse} if another server has that address.
 * @throws {Deno.errors.NotCapable} if a permission is missing; the message names both
 * addresses.
 * @throws {Deno.errors.NotSupported} if this version of Deno is too old.
 * @throws {EchoError} if it cannot listen for another reason.
 */
export function proxy(
  options: ProxyOptions<Deno.UnixAddr> & { path: string },
): ProxyServer<Deno.UnixAddr>;
/** Listens on a TCP port. See the other overload for the errors. */
export function proxy(options: ProxyOptions): ProxyServer;
export function proxy<Addr extends Deno.Addr>(
  options: ProxyOptions<Addr>,
): ProxyServer<Addr> {
  const { upstream } = options;
  checkUpstream(upstream);
  const action = `Cannot listen on ${formatEndpoint(options)}, forwarding to ${
    formatEndpoint(upstream)
  }`;
  checkLimits(options, action);
  rejectPortInHostname("Cannot forward", upstream);
  checkRange(PORT, {
    action,
    options: { port: options.port, upstreamPort: upstream.port },
  });
  checkClientTls(upstream, action);
  checkConnectLimits(upstream, action);
  if (upstream.port === undefined && upstream.path === undefined) {
    throw new TypeError(`${action}: upstream needs port, or path`);
  }
  if (isOwnEndpoint(options, upstream)) {
    throw new TypeError(
      `Cannot forward to ${formatEndpoint(upstream)}: ${OWN_ADDRESS}`,
    );
  }
  requestPermissions([options, upstream], action);
  // A proxy that can reset has 0.6 of the messages a second at 50 connections, and
  // half of the bytes a second (measured). So only one for tests can.
  const resettable = options.faults !== undefined;
  return new Server<Addr>({
    ...options,
    open: (addr) => listen<Addr>(options, { resettable, addr }),
    dial: upstreamDial((signal) =>
      connect({ ...upstream, signal }, { resettable })
    ),
  });
}

/** @throws {TypeError} if the upstream is not an object of options. */
function checkUpstream(upstream: unknown): void {
  const action = "Cannot forward with upstream";
  if (typeof upstream !== "object" || upstream === null) {
    throw new TypeError(
      `${action} ${Deno.inspect(upstream)}: expected { hostname, port }`,
    );
  }
}
