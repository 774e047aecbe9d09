import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { exchange, serve } from "../../lib/echo.ts";
import { toxiproxy } from "../../lib/toxiproxy.ts";
import { parsePlan } from "../../lib/toxiproxy/plan.ts";
import { ca, cert, key } from "../support/certificates.ts";
import { closedPort } from "../support/peers.ts";
import { control, portIn } from "./control.ts";

const one = { name: "one", listen: "127.0.0.1:0", upstream: "127.0.0.1:9" };
const toxic = { type: "latency" };

/** Plans that are refused, and what the error says. */
const WRONG: [plan: unknown, error: string][] = [
  [{}, "expected a list of proxies"],
  [null, "expected a list of proxies"],
  [[one, 7], "[1]: expected an object"],
  [[{ ...one, listn: "" }], "[0].listn: unknown key; expected name, listen,"],
  [[{ ...one, listen: 1 }], "[0].listen: expected a string"],
  [[{ ...one, upstream: "db" }], "[0].upstream: expected HOST:PORT"],
  [[{ ...one, upstream: ":80" }], "[0].upstream: expected HOST:PORT"],
  [[{ ...one, enabled: "yes" }], "[0].enabled: expected a boolean"],
  [[one, { ...one }], "[1].name: there is a one before"],
  [[{ ...one, seed: -1 }], "[0].seed: expected a whole number, 0 or more"],
  [[{ ...one, seed: "7" }], "[0].seed: expected a number"],
  [[{ ...one, toxics: {} }], "[0].toxics: expected a list of toxics"],
  [[{ ...one, toxics: [toxic, toxic] }], "[0].toxics[1].name: there is a lat"],
  [
    [{ ...one, toxics: [{ ...toxic, ms: 1 }] }],
    "[0].toxics[0].ms: unknown key",
  ],
  [
    [{ ...one, toxics: [toxic, { type: "stall", attributes: { byte: 1 } }] }],
    "[0].toxics[1].attributes.byte: expected bytes",
  ],
  [
    [{ ...one, toxics: [{ type: "latency", toxicity: 1.5 }] }],
    "[0].toxics[0]: Cannot inject faults with toxicity 1.5",
  ],
  [[{ ...one, tls: { crt: "" } }], "[0].tls.crt: unknown key; expected cert,"],
  [[{ ...one, tls: { cert: 1 } }], "[0].tls.cert: expected a text"],
  [[{ ...one, tls: true }], "[0].tls: expected an object"],
  [
    [{ ...one, upstreamTls: { caCerts: "pem" } }],
    "[0].upstreamTls.caCerts: expected a list of texts",
  ],
];

describe("a plan", () => {
  for (const [plan, error] of WRONG) {
    it(`is refused: ${error}`, () => {
      assertThrows(() => parsePlan(plan), Error, `bad request body: ${error}`);
    });
  }

  it("of toxiproxy's own keys has its defaults", () => {
    const [plan] = parsePlan([{
      name: "a",
      upstream: "db:6379",
      toxics: null,
    }]);
    assertEquals(
      { ...plan },
      {
        ...{ name: "a", listen: "127.0.0.1:0", upstream: "db:6379" },
        ...{ enabled: true, toxics: undefined, seed: undefined },
        ...{ tls: undefined, upstreamTls: undefined },
      },
    );
  });

  for (const listen of ["ephemeral", "taken"]) {
    it(`is applied not at all if a proxy cannot start: ${listen}`, async () => {
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const port = closedPort();
      await using api = control({ proxies: [{ ...one, toxics: [toxic] }] });
      const before = (await api.send("GET", "/proxies")).body;
      const { status } = await api.send("POST", "/populate", [
        { name: "two", listen: `127.0.0.1:${port}`, upstream: one.upstream },
        { ...one, listen: before.one.listen, upstream: "127.0.0.1:8" },
        {
          ...{ name: "three", upstream: one.upstream },
          listen: listen === "taken"
            ? `127.0.0.1:${taken.addr.port}`
            : "192.0.2.1:0",
        },
      ]);
      assertEquals(status, 500);
      assertEquals((await api.send("GET", "/proxies")).body, before);
      Deno.listen({ hostname: "127.0.0.1", port }).close();
    });
  }

  it("is refused before anything is opened, also at the start", async () => {
    const port = closedPort();
    const proxies = [{ ...one, listen: `127.0.0.1:${port}` }, {}];
    assertThrows(() => toxiproxy({ port: 0, proxies }), Error, "at proxy 2");
    await assertRejects(
      () => Deno.connect({ port }),
      Deno.errors.ConnectionRefused,
    );
  });

  it("exchanges the ports of two proxies", async () => {
    await using api = control({
      proxies: [one, { ...one, name: "two" }],
    });
    const { one: a, two: b } = (await api.send("GET", "/proxies")).body;
    const { body } = await api.send("POST", "/populate", [
      { ...one, listen: b.listen },
      { ...one, name: "two", listen: a.listen },
    ]);
    assertEquals(
      body.proxies.map(({ listen }: { listen: string }) => listen),
      [b.listen, a.listen],
    );
  });

  it("has toxics from the first byte, with a seed that repeats them", async () => {
    await using echo = serve({ port: 0 });
    const upstream = `127.0.0.1:${echo.addr.port}`;
    const toxics = [{ type: "corrupt", attributes: { probability: 0.2 } }];
    const replies: string[] = [];
    for (let run = 0; run < 2; run++) {
      await using server = toxiproxy({ port: 0 });
      const [proxy] = server.populate([{
        name: "a",
        upstream,
        toxics,
        seed: 7,
      }]);
      using conn = await Deno.connect({ port: portIn(proxy!) });
      await conn.write(new Uint8Array(20));
      const reply = new Uint8Array(20);
      await conn.read(reply);
      replies.push(reply.join());
    }
    assertEquals(replies[0], replies[1]);
    assertEquals(replies[0] === new Uint8Array(20).join(), false);
  });

  it("puts TLS on either side", async () => {
    await using echo = serve({ port: 0, cert, key });
    await using server = toxiproxy({ port: 0 });
    const [outer] = server.populate([{
      ...{ name: "outer", upstream: `127.0.0.1:${echo.addr.port}` },
      tls: { cert, key },
      upstreamTls: { caCerts: [ca], serverName: "localhost" },
    }]);
    const port = portIn(outer!);
    const tls = { hostname: "localhost", port, tls: true, caCerts: [ca] };
    await exchange("over TLS", tls);
    const wrong = { ...one, tls: { cert: "none", key: "none" } };
    assertThrows(() => server.populate([wrong]), Error, "cert holds no cert");
  });
});
