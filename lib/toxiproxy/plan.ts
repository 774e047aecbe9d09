/**
 * What proxies there should be: `toxiproxy.json` and the body of `POST /populate`,
 * checked as a whole before anything is opened. Beside toxiproxy's own keys, a proxy
 * may have `toxics`, a `seed` for them, and TLS on either side.
 *
 * ```ts
 * import { parsePlan } from "./plan.ts";
 *
 * parsePlan([{ name: "redis", listen: "127.0.0.1:0", upstream: "db:6379" }]);
 * ```
 *
 * @module
 */

import { type Endpoint, splitHostPort } from "../net/endpoint.ts";
import type { ConnectOptions, ListenOptions } from "../net/options.ts";
import { NON_NEGATIVE_INTEGER } from "../net/validate.ts";
import {
  ApiError,
  badRequest,
  type Json,
  objectAt,
  read,
  rejectUnknown,
} from "./json.ts";
import { parseToxic, type Toxic } from "./toxics.ts";

/** TLS between the clients and a proxy. Texts are in PEM format. */
export type ListenTls = Pick<
  ListenOptions,
  "cert" | "key" | "clientCa" | "alpnProtocols"
>;

/** TLS between a proxy and its upstream. Texts are in PEM format. */
export type UpstreamTls = Pick<
  ConnectOptions,
  "caCerts" | "serverName" | "cert" | "key" | "alpnProtocols"
>;

/** What a proxy should be. */
export interface ProxyPlan {
  /** Its name, which is part of paths. */
  readonly name: string;
  /**
   * `HOST:PORT` to listen on. Port 0 is a free one, and no host is all addresses.
   * @default {"127.0.0.1:0"}
   */
  readonly listen: string;
  /** `HOST:PORT` of the service to connect to. */
  readonly upstream: string;
  /**
   * Whether it listens.
   * @default {true}
   */
  readonly enabled: boolean;
  /** Its toxics. If there are none here, it keeps those that it has. */
  readonly toxics?: readonly Toxic[] | undefined;
  /** Makes the random choices of its toxics repeat. */
  readonly seed?: number | undefined;
  /** TLS with its clients. */
  readonly tls?: ListenTls | undefined;
  /** TLS with its upstream. */
  readonly upstreamTls?: UpstreamTls | undefined;
}

const KEYS = ["name", "listen", "upstream", "enabled"];
const MORE_KEYS = ["toxics", "seed", "tls", "upstreamTls"];
const TOXIC_KEYS = ["name", "type", "stream", "toxicity", "attributes"];

/** The keys of TLS, and whether each has a list of texts. */
const TLS = { cert: false, key: false, clientCa: false, alpnProtocols: true };
const UPSTREAM_TLS = {
  ...{ caCerts: true, serverName: false },
  ...{ cert: false, key: false, alpnProtocols: true },
};

/** Hosts to listen on by other names: all addresses, and the one that Go takes. */
const HOSTS: Record<string, string> = { "": "0.0.0.0", localhost: "127.0.0.1" };

/** The endpoint that a proxy listens on. @throws {ApiError} in Go's words. */
export function listenEndpoint(listen: string): Endpoint {
  const parts = splitHostPort(listen);
  if (parts) {
    return { ...parts, hostname: HOSTS[parts.hostname] ?? parts.hostname };
  }
  const why = listen.includes(":") ? "invalid port" : "missing port in address";
  throw new ApiError(500, `listen tcp: address ${listen}: ${why}`);
}

/** The endpoint of an upstream. @throws {ApiError} if it is none. */
export function upstreamEndpoint(upstream: string, path = ""): Endpoint {
  const parts = splitHostPort(upstream);
  if (parts?.hostname) return parts;
  throw badRequest(`${path}.upstream`, "expected HOST:PORT");
}

/**
 * Reads a proxy from JSON. Keys that toxiproxy does not know are not looked at.
 *
 * @throws {ApiError} that names what is wrong, with its path behind `path`.
 */
export function parseProxy(json: Json, path = "", place = ""): ProxyPlan {
  const input = objectAt(json, path);
  const required = (key: string) => {
    const value = read(input, key, "", path);
    if (value !== "") return value;
    throw new ApiError(400, `missing required field: ${key}${place}`);
  };
  const name = required("name");
  const upstream = required("upstream");
  upstreamEndpoint(upstream, path);
  const listen = read(input, "listen", "", path) || "127.0.0.1:0";
  return {
    name,
    listen,
    upstream,
    enabled: read(input, "enabled", true, path),
  };
}

/**
 * Reads a whole plan from JSON, in which every key must be known.
 *
 * @throws {ApiError} that names the first thing that is wrong, with its path.
 */
export function parsePlan(json: Json): ProxyPlan[] {
  if (!Array.isArray(json)) throw badRequest("", "expected a list of proxies");
  const plans = json.map((one, at): ProxyPlan => {
    const path = `[${at}]`;
    const input = objectAt(one, path);
    rejectUnknown(input, [...KEYS, ...MORE_KEYS], path);
    const seed = read(input, "seed", 0, path);
    if (!NON_NEGATIVE_INTEGER.includes(seed)) {
      throw badRequest(
        `${path}.seed`,
        `expected ${NON_NEGATIVE_INTEGER.expected}`,
      );
    }
    return {
      ...parseProxy(input, path, ` at proxy ${at + 1}`),
      toxics: toxicsOf(input.toxics, `${path}.toxics`),
      seed: input.seed === undefined ? undefined : seed,
      tls: tlsOf(input.tls, TLS, `${path}.tls`),
      upstreamTls: tlsOf(
        input.upstreamTls,
        UPSTREAM_TLS,
        `${path}.upstreamTls`,
      ),
    };
  });
  rejectRepeated(plans, "");
  return plans;
}

function toxicsOf(json: Json, path: string): Toxic[] | undefined {
  if (json === undefined || json === null) return undefined;
  if (!Array.isArray(json)) throw badRequest(path, "expected a list of toxics");
  const toxics = json.map((one, at) => {
    rejectUnknown(
      objectAt(one, `${path}[${at}]`),
      TOXIC_KEYS,
      `${path}[${at}]`,
    );
    return parseToxic(one, `${path}[${at}]`);
  });
  rejectRepeated(toxics, path);
  return toxics;
}

function rejectRepeated(list: readonly { name: string }[], path: string): void {
  const names = new Set<string>();
  for (const [at, { name }] of list.entries()) {
    if (names.has(name)) {
      throw badRequest(`${path}[${at}].name`, `there is a ${name} before`);
    }
    names.add(name);
  }
}

/** Texts and lists of texts, as `keys` says. */
function tlsOf(
  json: Json,
  keys: Readonly<Record<string, boolean>>,
  path: string,
): Record<string, never> | undefined {
  if (json === undefined || json === null) return undefined;
  const input = objectAt(json, path);
  rejectUnknown(input, Object.keys(keys), path);
  for (const [key, value] of Object.entries(input)) {
    const texts = keys[key] && Array.isArray(value) ? value : [value];
    if (keys[key] === Array.isArray(value) && texts.every(isText)) continue;
    const expected = keys[key] ? "a list of texts" : "a text";
    throw badRequest(`${path}.${key}`, `expected ${expected}`);
  }
  return input as Record<string, never>;
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
