/**
 * The proxies of toxiproxy's interface, by name. Everything here happens at once,
 * whatever connections do: what it changes is in force when the call returns.
 *
 * @module
 */

import { formatAddress, formatEndpoint } from "../net/endpoint.ts";
import type { FaultEntry } from "../net/fault_options.ts";
import type { ConnectOptions, ListenOptions } from "../net/options.ts";
import type { EchoServer, ServerStats } from "../net/server.ts";
import { describeError } from "../net/system_error.ts";
import { addCounts, addTraffic } from "../server/traffic.ts";
import { ApiError, badRequest, type Json } from "./json.ts";
import { listenEndpoint, type ProxyPlan, upstreamEndpoint } from "./plan.ts";
import { changed, faultsOf, parseToxic, type Toxic } from "./toxics.ts";

/** Starts the proxy of a name, which runs until `signal` is aborted. */
export type StartProxy = (name: string, options: ProxyStart) => EchoServer;

/** What a proxy is started with. */
export interface ProxyStart extends ListenOptions {
  /** The service to connect to. */
  readonly upstream: Omit<ConnectOptions, "signal">;
  /** Its faults from the first connection on. */
  readonly faults: readonly FaultEntry[];
  /** Aborted to close it with all connections. */
  readonly signal: AbortSignal;
}

/** What a proxy has carried since it was added, and what is open. */
export type Totals = Omit<ServerStats, "peak" | "duration">;

/** Words of Go for why a port cannot be taken. */
const BIND_ERRORS = [
  Deno.errors.AddrInUse,
  Deno.errors.AddrNotAvailable,
  Deno.errors.PermissionDenied,
];

/** A proxy with a name. As JSON, it is what toxiproxy answers. */
export class ToxicProxy {
  /** Its name. */
  readonly name: string;
  readonly #start: StartProxy;
  #plan: ProxyPlan;
  #toxics: readonly Toxic[];
  readonly #seed: number;
  #running: { server: EchoServer; abort: AbortController } | undefined;
  /** The statistics of its earlier runs. */
  #past: Totals = {
    ...{ open: 0, accepted: 0, ended: {}, heldBytes: 0 },
    ...{ bytesRead: 0, bytesWritten: 0, faults: {} },
  };

  /** Does not listen before `start()`. */
  constructor(plan: ProxyPlan, start: StartProxy) {
    this.name = plan.name;
    this.#plan = plan;
    this.#start = start;
    this.#toxics = plan.toxics ?? [];
    // A connection keeps its draws when other toxics change.
    this.#seed = plan.seed ?? Math.floor(Math.random() * 2 ** 53);
  }

  /** `HOST:PORT` where it listens. */
  get listen(): string {
    return this.#plan.listen;
  }

  /** `HOST:PORT` of the service behind it. */
  get upstream(): string {
    return this.#plan.upstream;
  }

  /** Whether it listens. */
  get enabled(): boolean {
    return this.#running !== undefined;
  }

  /** Its toxics: those of the upstream direction first, each in their order. */
  get toxics(): Toxic[] {
    return ["upstream", "downstream"].flatMap((direction) =>
      this.#toxics.filter(({ stream }) => stream === direction)
    );
  }

  /** What it has carried. */
  get stats(): Totals {
    const past = this.#past;
    if (!this.#running) return past;
    const now = this.#running.server.stats();
    return {
      ...addTraffic(past, now),
      ended: addCounts(past.ended, now.ended) ?? {},
      accepted: past.accepted + now.accepted,
      open: now.open,
      heldBytes: now.heldBytes,
    };
  }

  /** Whether a plan has another address, upstream, or TLS. */
  differs(plan: Partial<ProxyPlan>): boolean {
    const of = (one: Partial<ProxyPlan>) =>
      JSON.stringify([one.upstream, one.tls, one.upstreamTls]);
    const { listen } = this;
    return of({ ...this.#plan, ...plan }) !== of(this.#plan) ||
      formatEndpoint(listenEndpoint(plan.listen ?? listen)) !==
        formatEndpoint(listenEndpoint(listen));
  }

  /** Listens, unless it does. @throws {ApiError} if it cannot. */
  start(): void {
    if (this.#running) return;
    const { listen, upstream, tls, upstreamTls } = this.#plan;
    const endpoint = listenEndpoint(listen);
    const abort = new AbortController();
    try {
      const server = this.#start(this.name, {
        ...endpoint,
        ...tls,
        upstream: {
          ...upstreamEndpoint(upstream),
          ...upstreamTls && { tls: true, ...upstreamTls },
        },
        faults: this.#faults,
        signal: abort.signal,
      });
      this.#running = { server, abort };
      this.#plan = { ...this.#plan, listen: formatAddress(server.addr) };
    } catch (error) {
      throw startError(error as Error, formatEndpoint(endpoint));
    }
  }

  /** Closes the port and all connections. */
  stop(): void {
    this.#running?.abort.abort();
    this.#past = { ...this.stats, open: 0, heldBytes: 0 };
    this.#running = undefined;
  }

  /** Drains the connections. */
  async shutdown(): Promise<void> {
    await this.#running?.server.shutdown();
    this.stop();
  }

  /** Changes the proxy. One that listens is restarted if it differs. */
  update({ enabled, ...plan }: Partial<ProxyPlan>): void {
    const differs = this.differs(plan);
    if (differs || !enabled) this.stop();
    if (differs) this.#plan = { ...this.#plan, ...plan };
    if (enabled) this.start();
  }

  /** Replaces all toxics. */
  setToxics(toxics: readonly Toxic[]): void {
    this.#toxics = toxics;
    this.#running?.server.setFaults(this.#faults);
  }

  /** The toxic of a name. @throws {ApiError} if there is none. */
  toxic(name: string): Toxic {
    const toxic = this.#toxics.find((one) => one.name === name);
    if (!toxic) throw new ApiError(404, "toxic not found");
    return toxic;
  }

  /** Adds a toxic behind the others. @throws {ApiError} if it is not valid. */
  addToxic(json: Json): Toxic {
    const toxic = parseToxic(json);
    if (this.#toxics.some(({ name }) => name === toxic.name)) {
      throw new ApiError(409, "toxic already exists");
    }
    this.setToxics([...this.#toxics, toxic]);
    return toxic;
  }

  /** Changes attributes and toxicity. @throws {ApiError} if they are not valid. */
  updateToxic(name: string, json: Json): Toxic {
    const before = this.toxic(name);
    const after = changed(before, json);
    this.setToxics(this.#toxics.map((one) => one === before ? after : one));
    return after;
  }

  /** Removes a toxic. @throws {ApiError} if there is none of that name. */
  removeToxic(name: string): void {
    const toxic = this.toxic(name);
    this.setToxics(this.#toxics.filter((one) => one !== toxic));
  }

  /** For `JSON.stringify`. */
  toJSON(): ProxyPlan {
    const { name, listen, upstream, enabled, toxics } = this;
    return { name, listen, upstream, enabled, toxics };
  }

  get #faults(): FaultEntry[] {
    return this.#toxics.map((toxic) => ({
      ...faultsOf(toxic),
      direction: toxic.stream,
      toxicity: toxic.toxicity,
      seed: this.#seed,
    }));
  }
}

/** Why a proxy does not start, in Go's words and in ours. */
function startError(error: Error, listen: string): ApiError {
  const { message } = error;
  if (error instanceof ApiError) return error;
  if (BIND_ERRORS.some((Class) => error instanceof Class)) {
    const why = describeError(error);
    return new ApiError(500, `listen tcp ${listen}: bind: ${why}`, { message });
  }
  return error instanceof TypeError || error instanceof RangeError
    ? badRequest("", message)
    : new ApiError(500, message);
}

/** All proxies. */
export class Proxies {
  readonly #start: StartProxy;
  #byName = new Map<string, ToxicProxy>();

  /** There are none yet. */
  constructor(start: StartProxy) {
    this.#start = start;
  }

  /** The proxies, in the order in which they were added. */
  [Symbol.iterator](): IterableIterator<ToxicProxy> {
    return this.#byName.values();
  }

  /** The proxy of a name. @throws {ApiError} if there is none. */
  get(name: string): ToxicProxy {
    const proxy = this.#byName.get(name);
    if (!proxy) throw new ApiError(404, "proxy not found");
    return proxy;
  }

  /** Adds a proxy. @throws {ApiError} if the name or the port is taken. */
  create(plan: ProxyPlan): ToxicProxy {
    if (this.#byName.has(plan.name)) {
      throw new ApiError(409, "proxy already exists");
    }
    return this.populate([plan])[0]!;
  }

  /** Closes a proxy and forgets it. @throws {ApiError} if there is none. */
  remove(name: string): void {
    this.get(name).stop();
    this.#byName.delete(name);
  }

  /**
   * Adds proxies, and replaces those that differ from their plan; all of them, or
   * none. Those that do not differ are left as they are, but for their toxics.
   *
   * @throws {ApiError} if one cannot start.
   */
  populate(plans: readonly ProxyPlan[]): ToxicProxy[] {
    const before = this.#byName;
    const proxies = plans.map((plan) => {
      const existing = before.get(plan.name);
      return existing && !existing.differs(plan)
        ? existing
        : new ToxicProxy(plan, this.#start);
    });
    const added = proxies.filter((one) => before.get(one.name) !== one);
    const replaced = added.flatMap(({ name }) => before.get(name) ?? [])
      .filter(({ enabled }) => enabled);
    try {
      for (const one of replaced) one.stop();
      for (const [at, one] of proxies.entries()) {
        if (added.includes(one) && plans[at]!.enabled) one.start();
      }
    } catch (error) {
      for (const one of added) one.stop();
      for (const one of replaced) one.start();
      throw error;
    }
    for (const [at, one] of proxies.entries()) {
      const { toxics } = plans[at]!;
      if (toxics && !added.includes(one)) one.setToxics(toxics);
    }
    this.#byName = new Map([...before].concat(proxies.map((p) => [p.name, p])));
    return proxies;
  }

  /** Starts all proxies, and removes all toxics. @throws {ApiError} */
  reset(): void {
    for (const proxy of this) {
      proxy.start();
      proxy.setToxics([]);
    }
  }
}
