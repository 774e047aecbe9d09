import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FAULTS } from "../../lib/faults/table.ts";
import type { Faults } from "../../lib/net/fault_options.ts";
import { faultsOf, parseToxic } from "../../lib/toxiproxy/toxics.ts";
import { ConnectionResetError, exchange, serve } from "../../lib/echo.ts";
import { assertRejects } from "@std/assert";
import { control, portIn } from "./control.ts";

/** Types with attributes, and the faults that they stand for. */
const ROWS: [type: string, attributes: Record<string, number>, Faults][] = [
  ["noop", {}, {}],
  ["latency", { latency: 100, jitter: 9 }, { latency: 100, jitter: 9 }],
  ["bandwidth", { rate: 5 }, { bandwidth: 5_000 }],
  ["bandwidth", {}, { stall: 0 }],
  ["slow_close", { delay: 70 }, { slowClose: 70 }],
  ["timeout", { timeout: 40 }, { stall: 0, closeAfter: 40 }],
  ["timeout", {}, { stall: 0 }],
  ["reset_peer", { timeout: 30 }, { stall: 0, resetAfter: 30 }],
  ["reset_peer", {}, { reset: 0 }],
  ["slicer", {}, {}],
  ["slicer", { average_size: 64, size_variation: 32, delay: 10 }, {
    ...{ slicer: 64, slicerVariation: 32, slicerDelay: 0.01 },
  }],
  ["limit_data", { bytes: 12 }, { limitData: 12 }],
  ["corrupt", { probability: 0.5 }, { corrupt: 0.5 }],
  ["stall", { bytes: 3 }, { stall: 3 }],
  ["stall_after", { delay: 3 }, { stallAfter: 3 }],
  ["close_after", { delay: 3 }, { closeAfter: 3 }],
  ["reset", { bytes: 3 }, { reset: 3 }],
  ["reset_after", { delay: 3 }, { resetAfter: 3 }],
  ["connect_delay", { delay: 3 }, { connectDelay: 3 }],
  ["close_on_accept", {}, { closeOnAccept: true }],
  ["down", {}, { down: true }],
  ["refuse", {}, { refuse: true }],
];

describe("toxics", () => {
  for (const [type, attributes, faults] of ROWS) {
    it(`${type} ${JSON.stringify(attributes)} is ${JSON.stringify(faults)}`, () => {
      assertEquals(faultsOf(parseToxic({ type, attributes })), faults);
    });
  }

  it("there is one for each fault", () => {
    const known = new Set(ROWS.flatMap(([, , faults]) => Object.keys(faults)));
    const all = Object.keys(FAULTS);
    const others = all.filter((name) => !known.has(name));
    assertEquals(others.sort(), ["seed", "toxicity"]);
  });

  for (
    const name of ["constructor", "__proto__", "toxicity", "seed", "jitter"]
  ) {
    it(`${name} is no type and no attribute`, () => {
      assertThrows(
        () => parseToxic({ type: name }),
        Error,
        "invalid toxic type",
      );
      const attributes = JSON.parse(`{"${name}x": 1}`);
      assertThrows(
        () => parseToxic({ type: "latency", attributes }),
        Error,
        name,
      );
    });
  }

  it("names stack toxics of one type, each of which takes effect", async () => {
    await using echo = serve({ port: 0 });
    await using api = control();
    const upstream = `127.0.0.1:${echo.addr.port}`;
    const proxy = api.server.populate([{ name: "echo", upstream }])[0]!;
    const slow = { type: "latency", attributes: { latency: 30 } };
    proxy.addToxic({ ...slow, name: "a" });
    proxy.addToxic({ ...slow, name: "b" });
    proxy.addToxic({ ...slow, name: "c", stream: "upstream" });
    const start = performance.now();
    await exchange("hello", { port: portIn(proxy) });
    const took = performance.now() - start;
    assertEquals(took >= 89, true, `${took} ms`);
    assertEquals(proxy.toxics.map(({ name }) => name), ["c", "a", "b"]);
  });

  for (const stream of ["downstream", "upstream"]) {
    it(`reset_peer resets the client, ${stream}`, async () => {
      await using echo = serve({ port: 0 });
      await using api = control();
      const upstream = `127.0.0.1:${echo.addr.port}`;
      const proxy = api.server.populate([{ name: "echo", upstream }])[0]!;
      proxy.addToxic({ type: "reset_peer", stream });
      await assertRejects(
        () => exchange("hello", { port: portIn(proxy) }),
        ConnectionResetError,
      );
    });
  }

  it("what a timeout without end holds back arrives when it is removed", async () => {
    await using echo = serve({ port: 0 });
    await using api = control();
    const upstream = `127.0.0.1:${echo.addr.port}`;
    const proxy = api.server.populate([{ name: "echo", upstream }])[0]!;
    proxy.addToxic({ type: "timeout" });
    const reply = exchange("hello", { port: portIn(proxy) });
    while (proxy.stats.heldBytes === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await api.send("DELETE", "/proxies/echo/toxics/timeout_downstream");
    assertEquals(new TextDecoder().decode(await reply), "hello");
  });

  it("an outage closes connections and the port, and ends", async () => {
    await using echo = serve({ port: 0 });
    await using api = control();
    const upstream = `127.0.0.1:${echo.addr.port}`;
    const proxy = api.server.populate([{ name: "echo", upstream }])[0]!;
    const port = portIn(proxy);
    using conn = await Deno.connect({ port });
    await conn.write(new Uint8Array(1));
    assertEquals(await conn.read(new Uint8Array(9)), 1);
    await api.send("POST", "/proxies/echo", { enabled: false });
    assertEquals(await conn.read(new Uint8Array(9)), null);
    await assertRejects(
      () => Deno.connect({ port }),
      Deno.errors.ConnectionRefused,
    );
    await api.send("POST", "/reset");
    await exchange("hello", { port });
    const { accepted, ended, bytesRead } = proxy.stats;
    assertEquals([accepted, ended.aborted, bytesRead], [2, 1, 6]);
  });
});
