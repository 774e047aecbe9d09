/**
 * Toxiproxy's HTTP interface, version 2: its paths, answers and errors.
 *
 * Every answer is ready once the body of the request is read: nothing waits for a
 * connection.
 *
 * @module
 */

import { CONTROL_CHARS, escapeControl } from "../net/control_chars.ts";
import {
  type Metric,
  metricsResponse,
  metricsText,
} from "../server/metrics.ts";
import { ApiError, badRequest, type Json, objectAt, read } from "./json.ts";
import { parsePlan, parseProxy, upstreamEndpoint } from "./plan.ts";
import type { Proxies } from "./proxies.ts";

/** The version of toxiproxy whose interface this is. */
const VERSION = "2.12.0+echo";

/** The largest body. A thousand proxies with toxics take a fifth of it. */
const MAX_BODY = 1024 * 1024;

/** Milliseconds for the body to arrive, as in toxiproxy. */
const BODY_TIMEOUT_MS = 15_000;

/** What is said to requests that come too late. */
export const SHUTTING_DOWN = "the server shuts down";

/** What a path names. */
interface Target {
  readonly proxies: Proxies;
  /** The name of a proxy, and of one of its toxics, if the path has them. */
  readonly proxy: string;
  readonly toxic: string;
  readonly body: Json;
}

type Handler = (target: Target) => Response;

const json = (value: Json, status = 200) => Response.json(value, { status });
const empty = () => new Response(null, { status: 204 });

const updateProxy: Handler = ({ proxies, proxy, body }) => {
  const one = proxies.get(proxy);
  const input = objectAt(body, "");
  const upstream = read(input, "upstream", one.upstream, "");
  upstreamEndpoint(upstream);
  one.update({
    listen: read(input, "listen", one.listen, ""),
    upstream,
    enabled: read(input, "enabled", one.enabled, ""),
  });
  return json(one);
};

const updateToxic: Handler = ({ proxies, proxy, toxic, body }) =>
  json(proxies.get(proxy).updateToxic(toxic, body));

/** Toxiproxy's own metrics, of one direction a sample. */
const METRICS: readonly Metric[] = [
  [
    "toxiproxy_proxy_received_bytes_total",
    "Bytes read from clients (upstream) and upstreams (downstream).",
    ({ bytesRead, upstream }) => [
      [{ direction: "upstream" }, bytesRead],
      [{ direction: "downstream" }, upstream?.bytesRead ?? 0],
    ],
  ],
  [
    "toxiproxy_proxy_sent_bytes_total",
    "Bytes written to upstreams (upstream) and clients (downstream).",
    ({ bytesWritten, upstream }) => [
      [{ direction: "upstream" }, upstream?.bytesWritten ?? 0],
      [{ direction: "downstream" }, bytesWritten],
    ],
  ],
];

const metrics: Handler = ({ proxies }) => {
  const sources = [...proxies].map(({ name, listen, upstream, stats }) => ({
    labels: { listener: listen, proxy: name, upstream },
    stats,
  }));
  return metricsResponse(metricsText(sources, METRICS));
};

/** The answers, by path and method. */
const ROUTES: Record<string, Record<string, Handler>> = {
  "/version": {
    GET: () =>
      new Response(`{"version": "${VERSION}"}\n`, {
        headers: { "content-type": "application/json;charset=utf-8" },
      }),
  },
  "/metrics": { GET: metrics },
  "/healthz": { GET: () => new Response("ok\n") },
  "/reset": {
    POST({ proxies }) {
      proxies.reset();
      return empty();
    },
  },
  "/populate": {
    POST: ({ proxies, body }) =>
      json({ proxies: proxies.populate(parsePlan(body)) }, 201),
  },
  "/proxies": {
    GET: ({ proxies }) =>
      json(Object.fromEntries([...proxies].map((one) => [one.name, one]))),
    POST: ({ proxies, body }) => json(proxies.create(parseProxy(body)), 201),
  },
  "/proxies/:": {
    GET: ({ proxies, proxy }) => json(proxies.get(proxy)),
    POST: updateProxy,
    PATCH: updateProxy,
    DELETE({ proxies, proxy }) {
      proxies.remove(proxy);
      return empty();
    },
  },
  "/proxies/:/toxics": {
    GET: ({ proxies, proxy }) => json(proxies.get(proxy).toxics),
    POST: ({ proxies, proxy, body }) => json(proxies.get(proxy).addToxic(body)),
  },
  "/proxies/:/toxics/:": {
    GET: ({ proxies, proxy, toxic }) => json(proxies.get(proxy).toxic(toxic)),
    POST: updateToxic,
    PATCH: updateToxic,
    DELETE({ proxies, proxy, toxic }) {
      proxies.get(proxy).removeToxic(toxic);
      return empty();
    },
  },
};

/** Answers a request, whose body is no longer waited for once `closing` is aborted. */
export async function respond(
  proxies: Proxies,
  request: Request,
  closing: AbortSignal,
): Promise<Response> {
  const response = await answer(proxies, request, closing).catch(errorResponse);
  response.headers.set("x-toxiproxy-request-id", crypto.randomUUID());
  return response;
}

async function answer(
  proxies: Proxies,
  request: Request,
  closing: AbortSignal,
): Promise<Response> {
  if (isBrowser(request.headers)) {
    return new Response("User agent not allowed\n", { status: 403 });
  }
  const [, first, proxy = "", third, toxic = "", ...rest] = segments(request);
  const shape = [first, proxy && ":", third, toxic && ":", ...rest]
    .filter((part) => part !== undefined && part !== "");
  const methods = ROUTES[`/${shape.join("/")}`];
  if (!methods) return new Response("404 page not found\n", { status: 404 });
  const handle = Object.hasOwn(methods, request.method)
    ? methods[request.method]
    : undefined;
  if (!handle) {
    const allow = Object.keys(methods).join(", ");
    return new Response(null, { status: 405, headers: { allow } });
  }
  const body = handle.length > 0 && /^(POST|PATCH)$/.test(request.method)
    ? await readBody(request, closing)
    : undefined;
  return handle({ proxies, proxy, toxic, body });
}

/** What pages of a browser may send: a page must not control a local network. */
function isBrowser(headers: Headers): boolean {
  return headers.has("origin") || headers.has("sec-fetch-site") ||
    headers.get("user-agent")?.startsWith("Mozilla/") === true;
}

/** The parts of a path, as they are named. */
function segments({ url }: Request): string[] {
  const { pathname } = new URL(url);
  try {
    return pathname.split("/").map(decodeURIComponent);
  } catch {
    throw badRequest("", "the path is no text");
  }
}

/** Reads a body of JSON. @throws {ApiError} if it is too long, too slow, or no JSON. */
async function readBody(
  { body }: Request,
  closing: AbortSignal,
): Promise<Json> {
  const late = AbortSignal.timeout(BODY_TIMEOUT_MS);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const collect = new WritableStream<Uint8Array<ArrayBuffer>>({
    write(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= MAX_BODY) return;
      throw new ApiError(413, `request body is over ${MAX_BODY} bytes`);
    },
  });
  try {
    await body?.pipeTo(collect, { signal: AbortSignal.any([late, closing]) });
  } catch (error) {
    if (closing.aborted) throw new ApiError(503, SHUTTING_DOWN);
    if (!late.aborted) throw error;
    throw new ApiError(408, `no request body within ${BODY_TIMEOUT_MS} ms`);
  }
  const text = await new Blob(chunks).text();
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest("", (error as Error).message);
  }
}

function errorResponse(error: unknown): Response {
  const { status, message, details } = error instanceof ApiError
    ? error
    : new ApiError(500, (error as Error).message);
  const text = message.replace(CONTROL_CHARS, escapeControl);
  return json({ error: text, status, ...details }, status);
}
