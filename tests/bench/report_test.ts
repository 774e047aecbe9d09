import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { median, table } from "./report.ts";
import { contenders } from "./servers.ts";
import { mayRun, output } from "../support/processes.ts";

it("a median is the middle value, or the mean of the two in the middle", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assert(Number.isNaN(median([])));
});

describe("a benchmark's table", () => {
  it("has the median of each server, and the ratio to it", () => {
    const results = new Map([
      ["echo", [1, 3, 2].map((k) => ({ receivedPerSecond: 1_000 * k }))],
      ["other", [{ receivedPerSecond: 4_000 }]],
    ]);
    assertEquals(
      table({ connections: 50, size: 512 }, results),
      `50 connections, 512 bytes a message

       messages/s     ×
echo        2,000  1.00
other       4,000  0.50`,
    );
  });

  it("has a dash for a value that was not measured, and no empty column", () => {
    const results = new Map([
      ["echo", [{ memory: 50, cpu: NaN }]],
      ["other", [{}]],
    ]);
    assertEquals(
      table({ connections: 2_000, size: 0 }, results),
      `2,000 idle connections

       MB     ×
echo   50  1.00
other   –     –`,
    );
  });
});

describe("the benchmark", { ignore: !mayRun }, () => {
  it("finds the servers that are installed", async () => {
    const folder = await Deno.makeTempDir();
    const names = (await contenders(folder)).map(({ name }) => name);
    await Deno.remove(folder, { recursive: true });
    assertEquals(names.slice(0, 2), ["echo", "documented"]);
  });

  it("measures every workload", async () => {
    const args = ["--rounds=1", "--duration=300ms", "--only=echo", "--json"];
    const { status, stdout, stderr } = await output(
      ["task", "--quiet", "bench", ...args],
    );
    assertEquals(status, 0, stderr);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ name }) => name), Array(6).fill("echo"));
    const loaded = lines.filter(({ size }) => size > 0);
    assertEquals(loaded.map(({ errors }) => errors), [0, 0, 0, 0, 0]);
    assert(loaded.every(({ receivedPerSecond }) => receivedPerSecond > 0));
  });
});
