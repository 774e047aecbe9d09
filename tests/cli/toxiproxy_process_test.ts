import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  deno,
  mayRun,
  maySignal,
  output,
  Running,
} from "../support/processes.ts";

const NET = ["--allow-net=127.0.0.1"];

/** What the program says of a `--config` file. */
async function withConfig(text: string): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, text);
    const { status, stdout, stderr } = await output(
      deno("server.ts", ["--toxiproxy", "0", "--config", path], [
        ...NET,
        `--allow-read=${path}`,
      ]),
    );
    assertEquals([status, stdout], [1, ""]);
    return stderr.replace(path, "FILE");
  } finally {
    await Deno.remove(path);
  }
}

describe("the server with --toxiproxy", { ignore: !mayRun }, () => {
  it("has the interface, and drains on a signal", async () => {
    if (!maySignal) return;
    await using running = new Running(deno("server.ts", ["--toxiproxy", "0"]));
    const [, address] = await running.shows(/Toxiproxy interface on (\S+)\n/);
    const proxy = { name: "a", upstream: "127.0.0.1:9" };
    const response = await fetch(`http://${address}/proxies`, {
      method: "POST",
      body: JSON.stringify(proxy),
    });
    assertMatch(await response.text(), /"listen":"127\.0\.0\.1:[1-9]/);
    running.child.kill("SIGTERM");
    const { status, stderr } = await running.outcome;
    assertEquals([status, stderr], [0, ""]);
  });

  it("names the permission that a proxy lacks, and does not ask", async () => {
    await using running = new Running([
      ...["run", "--allow-net=127.0.0.1:0,127.0.0.1:9", "server.ts"],
      ...["--toxiproxy", "0"],
    ]);
    const [, address] = await running.shows(/interface on (\S+)\n/);
    const proxy = { name: "a", upstream: "192.0.2.1:9" };
    assertMatch(address!, /^127/);
    const { stderr } = await output(deno("server.ts", ["--toxiproxy"], []));
    assertEquals(
      stderr,
      "echo-server: Cannot listen on 127.0.0.1:8474: permission not granted: run again with --allow-net=127.0.0.1:8474\n",
    );
    const response = await fetch(`http://${address}/proxies`, {
      method: "POST",
      body: JSON.stringify(proxy),
    });
    assertEquals(await response.json(), {
      error:
        "Cannot start a: permission not granted: run again with --allow-net=127.0.0.1:0,192.0.2.1:9",
      status: 500,
    });
  });

  for (
    const [config, error] of [
      ["{", "Expected property name or '}' in JSON at position 1"],
      ['[{"name":"a","upstream":"b:1","lissen":1}]', "[0].lissen: unknown key"],
      ['[{"name":"a"}]', "missing required field: upstream at proxy 1"],
      [
        '[{"name":"a","upstream":"b:1","listen":"x"}]',
        "listen tcp: address x: missing port in address",
      ],
    ] as const
  ) {
    it(`refuses a file: ${config}`, async () => {
      const said = await withConfig(config);
      assertEquals(
        said.startsWith(`echo-server: Cannot use --config FILE: ${error}`),
        true,
        said,
      );
      assertEquals(said.trim().split("\n").length, 1);
    });
  }
});

it(
  "--metrics serves the metrics of a server",
  { ignore: !mayRun },
  async () => {
    const args = ["--port", "0", "--metrics", "0"];
    await using running = new Running(deno("server.ts", args));
    const [, url] = await running.shows(/Metrics at (\S+)\n/);
    const text = await (await fetch(url!)).text();
    assertMatch(text, /^echo_connections_open 0$/m);
  },
);
