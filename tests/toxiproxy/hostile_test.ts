import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { peer, write } from "../support/peers.ts";
import { control, portIn } from "./control.ts";

const MOZILLA = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0";

/** Headers of requests that pages of a browser may send. */
const BROWSERS: Record<string, string>[] = [
  { origin: "http://127.0.0.1:8474" },
  { origin: "null" },
  { "user-agent": MOZILLA },
  { "sec-fetch-site": "cross-site" },
];

/** Sends a request as it is, and returns what comes back at once. */
async function raw(port: number, request: string): Promise<string> {
  using conn = await Deno.connect({ port });
  await write(conn, new TextEncoder().encode(request));
  const buffer = new Uint8Array(4096);
  return new TextDecoder().decode(
    buffer.subarray(0, await conn.read(buffer) ?? 0),
  );
}

describe("toxiproxy's interface, attacked,", () => {
  for (const headers of BROWSERS) {
    const shown = JSON.stringify(headers);
    it(`changes nothing for a browser: ${shown}`, async () => {
      await using api = control();
      const lines = Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`).join("");
      const body = '{"name":"a","upstream":"127.0.0.1:9"}';
      const answer = await raw(
        api.server.addr.port,
        `POST /proxies HTTP/1.1\r\nHost: a\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      assertEquals(answer.split(" ")[1], "403");
      assertEquals([...api.server.proxies], []);
    });
  }

  it("takes a body of 1 MiB, and no byte more", async () => {
    await using api = control();
    const body = (length: number) => {
      const start = '{"name":"a","upstream":"127.0.0.1:9","x":"';
      return `${start}${"x".repeat(length - start.length - 2)}"}`;
    };
    const over = await api.send("POST", "/proxies", body(1024 * 1024 + 1));
    assertEquals([over.status, over.body.status], [413, 413]);
    const most = await api.send("POST", "/proxies", body(1024 * 1024));
    assertEquals(most.status, 201);
  });

  it("is shut down though the body of a request does not come", async () => {
    const api = control();
    using conn = await Deno.connect({ port: api.server.addr.port });
    const head =
      "POST /proxies HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    await write(conn, new TextEncoder().encode(head));
    await api.send("GET", "/version");
    await api.server.shutdown();
  });

  it("escapes names in metrics and errors", async () => {
    await using api = control();
    const name = 'a"b\\c\nd\x1b[2J';
    await api.send("POST", "/proxies", { name, upstream: "127.0.0.1:9" });
    const path = `/proxies/${encodeURIComponent(name)}`;
    assertEquals((await api.send("GET", path)).body.name, name);
    const { body } = await api.send("GET", "/metrics");
    assert(body.includes(String.raw`proxy="a\"b\\c\nd`), body);
    const wrong = { type: "noop", attributes: { "\x1b[2J": 1 } };
    const { body: { error } } = await api.send("POST", `${path}/toxics`, wrong);
    assertEquals(error.includes(String.raw`attributes.\x1b[2J`), true, error);
  });

  it("keeps the names of objects apart from those of proxies", async () => {
    await using api = control();
    for (const name of ["__proto__", "constructor"]) {
      assertEquals((await api.send("GET", `/proxies/${name}`)).status, 404);
      const proxy = `{"name":"${name}","upstream":"127.0.0.1:9"}`;
      assertEquals((await api.send("POST", "/proxies", proxy)).status, 201);
      assertEquals((await api.send("GET", `/proxies/${name}`)).body.name, name);
    }
    const { body } = await api.send("GET", "/proxies");
    assertEquals(Object.keys(body), ["__proto__", "constructor"]);
  });

  it("answers 1,000 changes at once under 200 clients that do not read", async () => {
    const chunk = new Uint8Array(65_536);
    await using flood = peer(async (conn) => {
      for (;;) await write(conn, chunk);
    });
    await using api = control();
    const upstream = `127.0.0.1:${flood.port}`;
    const proxy = api.server.populate([{ name: "flood", upstream }])[0]!;
    const conns = await Promise.all(
      Array.from({ length: 200 }, () => Deno.connect({ port: portIn(proxy) })),
    );
    try {
      const toxics = [
        { type: "stall", attributes: { bytes: 9 } },
        { type: "latency", attributes: { latency: 60_000 } },
        { type: "bandwidth", attributes: { rate: 1 } },
        { type: "slicer", attributes: { average_size: 9, delay: 60_000_000 } },
      ];
      for (let change = 0; change < 500; change++) {
        const toxic = { ...toxics[change % toxics.length], name: "t" };
        const path = "/proxies/flood/toxics";
        assertEquals((await api.send("POST", path, toxic)).status, 200);
        assertEquals((await api.send("DELETE", `${path}/t`)).status, 204);
      }
      assertEquals(proxy.stats.open, 200);
      const off = { enabled: false };
      assertEquals((await api.send("POST", "/proxies/flood", off)).status, 200);
      assertEquals(proxy.stats.open, 0);
    } finally {
      for (const conn of conns) conn.close();
    }
  });
});
