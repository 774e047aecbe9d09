import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { serve } from "../../lib/echo.ts";
import { mayRun, Running } from "../support/processes.ts";
import { control } from "./control.ts";

/** Whether npm's registry, or its cache, has the client. */
const hasClient = mayRun &&
  await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-lock", "--no-config", "npm:toxiproxy-node-client@4"],
    stderr: "null",
    cwd: new URL("./", import.meta.url),
  }).output().then(({ success }) => success, () => false);

/** Every call of the client; it prints what it was answered. */
const SCRIPT = `
const { Toxiproxy } = (await import("npm:toxiproxy-node-client@4")).default;
const [url, upstream] = Deno.args;
const said = [];
const api = new Toxiproxy(url);
said.push(JSON.parse(await api.getVersion()).version);
const [a] = Object.values(await api.populate([{ name: "a", listen: "localhost:0", upstream }]));
const b = await api.createProxy({ name: "b", listen: "localhost:0", upstream });
said.push(a.enabled, (await api.get("b")).listen === b.listen);
said.push(Object.keys(await api.getAll()));
said.push((await b.update({ enabled: false, listen: b.listen, upstream })).enabled);
const slow = await a.addToxic({ type: "latency", attributes: { latency: 1, jitter: 0 } });
said.push(slow.name, (await a.getToxic(slow.name)).attributes);
said.push((await slow.update({ attributes: { latency: 2 } })).attributes.latency);
await slow.remove();
said.push(await a.getToxic(slow.name).catch(({ message }) => message));
await api.reset();
said.push((await api.get("b")).enabled);
await b.remove();
said.push(await api.get("b").catch(({ message }) => message));
console.log(JSON.stringify(said));
`;

describe("npm's toxiproxy-node-client", { ignore: !hasClient }, () => {
  it("makes every call", async () => {
    await using echo = serve({ port: 0 });
    await using api = control();
    const path = await Deno.makeTempFile({ suffix: ".mjs" });
    try {
      await Deno.writeTextFile(path, SCRIPT);
      await using running = new Running([
        ...["run", "--allow-all", "--no-lock", "--no-config", path],
        ...[api.url, `127.0.0.1:${echo.addr.port}`],
      ]);
      const { stdout, stderr } = await running.outcome;
      assertEquals(stderr.replace(/^(Download|npm).*\n/gm, ""), "");
      assertEquals(JSON.parse(stdout), [
        "2.12.0+echo",
        ...[true, true, ["a", "b"], false],
        ...["latency_downstream", { latency: 1, jitter: 0 }, 2],
        "Request failed with status code 404",
        true,
        "Request failed with status code 404",
      ]);
    } finally {
      await Deno.remove(path);
    }
  });
});
