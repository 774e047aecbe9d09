import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { closedPort } from "../support/peers.ts";
import { control } from "./control.ts";

const upstream = "127.0.0.1:9";
const listen = "127.0.0.1:0";
const one = { name: "one", listen, upstream };
const bad = (why: string) => ({
  error: `bad request body: ${why}`,
  status: 400,
});
const missing = (what: string) => ({
  error: `missing required field: ${what}`,
  status: 400,
});
const noProxy = { error: "proxy not found", status: 404 };
const noToxic = { error: "toxic not found", status: 404 };
const latency = {
  attributes: { latency: 5, jitter: 0 },
  name: "slow",
  type: "latency",
  stream: "downstream",
  toxicity: 1,
};

/** What a value has of the keys that another one has. */
function part(value: unknown, like: unknown): unknown {
  if (typeof value !== "object" || typeof like !== "object") return value;
  if (value === null || like === null) return value;
  if (Array.isArray(value)) {
    return value.map((one, at) => part(one, (like as unknown[])[at]));
  }
  const entries = Object.entries(value).filter(([key]) => key in like);
  return Object.fromEntries(
    entries.map((
      [key, one],
    ) => [key, part(one, like[key as keyof typeof like])]),
  );
}

/**
 * Requests to an interface that has the proxy `one` with the toxic `slow`: path,
 * body, status and what the answer has, as in toxiproxy's source (api.go,
 * proxy_collection.go, toxic_collection.go at 2.12).
 */
const ROWS: [
  request: string,
  body: unknown,
  status: number,
  answer: unknown,
][] = [
  ["GET /version", undefined, 200, { version: "2.12.0+echo" }],
  ["GET /proxies", undefined, 200, { one: { name: "one", upstream } }],
  ["POST /proxies", { ...one, name: "two" }, 201, {
    ...{ name: "two", upstream, enabled: true, toxics: [] },
  }],
  ["POST /proxies", { ...one, name: "two", enabled: false }, 201, {
    ...{ name: "two", listen, enabled: false },
  }],
  ["POST /proxies", { ...one, name: "two", toxics: null, any: 1 }, 201, {}],
  ["POST /proxies", one, 409, { error: "proxy already exists", status: 409 }],
  ["POST /proxies", { name: "", upstream }, 400, missing("name")],
  ["POST /proxies", { name: "two" }, 400, missing("upstream")],
  ["POST /proxies", "", 400, bad("EOF")],
  ["POST /proxies", "[]", 400, bad("expected an object")],
  ["POST /proxies", { ...one, name: 2 }, 400, bad("name: expected a string")],
  [
    "POST /proxies",
    { ...one, name: "two", upstream: "db" },
    400,
    bad("upstream: expected HOST:PORT"),
  ],
  ["POST /proxies", { ...one, name: "two", listen: "local373" }, 500, {
    error: "listen tcp: address local373: missing port in address",
    status: 500,
  }],
  ["GET /proxies/one", undefined, 200, { name: "one", toxics: [latency] }],
  ["GET /proxies/two", undefined, 404, noProxy],
  ["POST /proxies/one", { enabled: false }, 200, { enabled: false }],
  ["PATCH /proxies/one", { upstream: "127.0.0.1:7" }, 200, {
    ...{ upstream: "127.0.0.1:7", enabled: true, toxics: [latency] },
  }],
  [
    "PATCH /proxies/one",
    { enabled: 1 },
    400,
    bad("enabled: expected a boolean"),
  ],
  ["PATCH /proxies/two", {}, 404, noProxy],
  ["DELETE /proxies/one", undefined, 204, ""],
  ["DELETE /proxies/two", undefined, 404, noProxy],
  ["GET /proxies/one/toxics", undefined, 200, [latency]],
  ["GET /proxies/two/toxics", undefined, 404, noProxy],
  ["POST /proxies/two/toxics", { type: "latency" }, 404, noProxy],
  ["POST /proxies/one/toxics", { type: "timeout", stream: "UPSTREAM" }, 200, {
    ...{ attributes: { timeout: 0 }, name: "timeout_upstream" },
    ...{ type: "timeout", stream: "upstream", toxicity: 1 },
  }],
  ["POST /proxies/one/toxics", { type: "noop", name: "n" }, 200, {
    ...{ name: "n", attributes: {} },
  }],
  ["POST /proxies/one/toxics", { name: "slow", type: "noop" }, 409, {
    ...{ error: "toxic already exists", status: 409 },
  }],
  ["POST /proxies/one/toxics", { type: "wet" }, 400, {
    ...{ error: "invalid toxic type", status: 400 },
  }],
  ["POST /proxies/one/toxics", { type: "latency", stream: "side" }, 400, {
    error: "stream was invalid, can be either upstream or downstream",
  }],
  [
    "POST /proxies/one/toxics",
    { type: "latency", attributes: { lag: 1 } },
    400,
    bad("attributes.lag: expected latency, jitter"),
  ],
  [
    "POST /proxies/one/toxics",
    { type: "latency", attributes: { latency: -1 } },
    400,
    bad("attributes.latency: expected 0 or more"),
  ],
  ["POST /proxies/one/toxics", { type: "latency", toxicity: 2 }, 400, {}],
  ["POST /proxies/one/toxics", "{", 400, { status: 400 }],
  ["GET /proxies/one/toxics/slow", undefined, 200, latency],
  ["GET /proxies/one/toxics/fast", undefined, 404, noToxic],
  ["GET /proxies/two/toxics/slow", undefined, 404, noProxy],
  [
    "POST /proxies/one/toxics/slow",
    { attributes: { jitter: 2 }, toxicity: 0.5 },
    200,
    { ...latency, attributes: { latency: 5, jitter: 2 }, toxicity: 0.5 },
  ],
  ["PATCH /proxies/one/toxics/slow", {}, 200, latency],
  ["PATCH /proxies/one/toxics/fast", {}, 404, noToxic],
  ["DELETE /proxies/one/toxics/slow", undefined, 204, ""],
  ["DELETE /proxies/one/toxics/fast", undefined, 404, noToxic],
  ["POST /populate", [], 201, { proxies: [] }],
  ["POST /populate", [{ ...one, name: "two" }], 201, {
    proxies: [{ name: "two", upstream, enabled: true, toxics: [] }],
  }],
  ["POST /populate", [one, { upstream }], 400, missing("name at proxy 2")],
  ["POST /populate", [{ name: "x" }], 400, missing("upstream at proxy 1")],
  ["POST /populate", {}, 400, bad("expected a list of proxies")],
  ["POST /reset", undefined, 204, ""],
  ["GET /healthz", undefined, 200, "ok\n"],
  ["PUT /proxies", undefined, 405, ""],
  ["GET /reset", undefined, 405, ""],
  ["GET /else", undefined, 404, "404 page not found\n"],
  ["GET /proxies/%E0%A4%A", undefined, 400, { status: 400 }],
  ["GET /constructor", undefined, 404, "404 page not found\n"],
];

describe("toxiproxy's interface", () => {
  for (const [request, body, status, expected] of ROWS) {
    const shown = body === undefined ? "" : ` ${JSON.stringify(body)}`;
    it(`${request}${shown} is answered with ${status}`, async () => {
      await using api = control({
        proxies: [{ ...one, toxics: [latency] }],
      });
      const [method, path] = request.split(" ") as [string, string];
      const answer = await api.send(method, path, body);
      assertEquals(answer.status, status);
      assertEquals(part(answer.body, expected), expected);
    });
  }

  it("a port that is taken is said in toxiproxy's words and in ours", async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const address = `127.0.0.1:${taken.addr.port}`;
    await using api = control();
    const wanted = {
      ...one,
      listen: address.replace("127.0.0.1", "localhost"),
    };
    assertEquals(await api.send("POST", "/proxies", wanted), {
      status: 500,
      body: {
        error: `listen tcp ${address}: bind: address already in use`,
        status: 500,
        message: `Cannot listen on ${address}: address already in use`,
      },
    });
    assertEquals((await api.send("GET", "/proxies")).body, {});
  });

  it("an address that is changed is listened on, and the old one is not", async () => {
    await using api = control({ proxies: [one] });
    const before = [...api.server.proxies][0]!.listen;
    const there = `localhost:${closedPort()}`;
    const { body } = await api.send("POST", "/proxies/one", { listen: there });
    assertEquals(body.listen, there.replace("localhost", "127.0.0.1"));
    // Whoever takes the old port shows that it is free.
    const port = Number(before.split(":")[1]);
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  });

  it("an address by another name changes nothing", async () => {
    await using api = control({ proxies: [one] });
    const server = [...api.server.proxies][0]!;
    using conn = await Deno.connect({
      port: Number(server.listen.split(":")[1]),
    });
    const listen = server.listen.replace("127.0.0.1", "localhost");
    server.addToxic({ type: "stall" });
    await api.send("POST", "/populate", [{ ...one, listen }]);
    assertEquals(server.toxics.length, 1);
    assertEquals([...api.server.proxies][0], server);
    assertEquals(conn.remoteAddr.transport, "tcp");
  });

  it("each answer has a number", async () => {
    await using api = control();
    const response = await fetch(`${api.url}/version`);
    await response.body?.cancel();
    assertMatch(response.headers.get("x-toxiproxy-request-id")!, /^[\w-]{36}$/);
  });
});
