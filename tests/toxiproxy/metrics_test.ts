import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { exchange, serve } from "../../lib/echo.ts";
import { metrics } from "../../lib/metrics.ts";
import { mayRun } from "../support/processes.ts";
import { control, portIn } from "./control.ts";

/** The samples of metrics: name and labels, and value. */
function samples(text: string): Record<string, number> {
  const lines = text.trim().split("\n").filter((line) => line[0] !== "#");
  return Object.fromEntries(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

const hasPromtool = mayRun && await (async () => {
  try {
    await new Deno.Command("promtool", { args: ["--version"] }).output();
    return true;
  } catch {
    return false;
  }
})();

/** Metrics of an interface whose proxy has carried a message, with a fault. */
async function carried() {
  await using echo = serve({ port: 0 });
  await using api = control();
  const upstream = `127.0.0.1:${echo.addr.port}`;
  const toxics = [{ type: "slicer", attributes: { average_size: 2 } }];
  const proxy = api.server.populate([{ name: "a", upstream, toxics }])[0]!;
  using conn = await Deno.connect({ port: portIn(proxy) });
  await conn.write(new TextEncoder().encode("hello"));
  for (let read = 0; read < 5;) read += await conn.read(new Uint8Array(9)) ?? 5;
  const { body } = await api.send("GET", "/metrics");
  const labels = `listener="${proxy.listen}",proxy="a",upstream="${upstream}"`;
  return { text: body as string, labels };
}

describe("metrics", () => {
  it("count while a connection is open, under toxiproxy's names", async () => {
    const { text, labels } = await carried();
    const found = samples(text);
    for (const way of ["received", "sent"]) {
      for (const direction of ["upstream", "downstream"]) {
        const name = `toxiproxy_proxy_${way}_bytes_total`;
        assertEquals(found[`${name}{direction="${direction}",${labels}}`], 5);
      }
    }
    assertEquals(found[`echo_connections_open{${labels}}`], 1);
    assertEquals(found[`echo_faults_total{fault="slicer",${labels}}`], 3);
  });

  it("of a stopped proxy stay what they were", async () => {
    await using echo = serve({ port: 0 });
    await using api = control();
    const upstream = `127.0.0.1:${echo.addr.port}`;
    const proxy = api.server.populate([{ name: "a", upstream }])[0]!;
    for (let run = 1; run <= 2; run++) {
      await exchange("hello", { port: portIn(proxy) });
      proxy.update({ enabled: false });
      const { open, accepted, bytesRead, bytesWritten, upstream } = proxy.stats;
      assertEquals([open, accepted, bytesRead, bytesWritten], [
        ...[0, run, 5 * run, 5 * run],
      ]);
      assertEquals(upstream?.bytesRead, 5 * run);
      proxy.update({ enabled: true });
    }
  });

  it("of a server are served with its health, and nothing else", async () => {
    await using server = serve({ port: 0, faults: { latency: 1 } });
    await exchange("hello", { port: server.addr.port });
    const get = (path: string) =>
      metrics(server, new Request(`http://localhost${path}`));
    const found = samples(await get("/metrics").text());
    assertEquals(found["echo_connections_accepted_total"], 1);
    assertEquals(found['echo_received_bytes_total{side="client"}'], 5);
    assertEquals(found['echo_faults_total{fault="latency"}'], 1);
    assertEquals(found["echo_held_bytes"], 0);
    assertEquals(await get("/healthz").text(), "ok\n");
    assertEquals(get("/").status, 404);
  });

  it("are what promtool expects", { ignore: !hasPromtool }, async () => {
    const { text } = await carried();
    const promtool = new Deno.Command("promtool", {
      ...{ args: ["check", "metrics"], stdin: "piped", stderr: "piped" },
    }).spawn();
    const writer = promtool.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { success, stderr } = await promtool.output();
    assert(success, new TextDecoder().decode(stderr));
  });
});
