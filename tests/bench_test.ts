import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { median, table } from "./bench/report.ts";
import { contenders } from "./bench/servers.ts";
import { mayRun, output } from "./processes.ts";

it("a median is the middle one, or between the two of them", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assert(Number.isNaN(median([])));
});

describe("a benchmark's table", () => {
  it("has the median of each server, and ours over theirs", () => {
    const figures = new Map([
      ["echo", [1, 3, 2].map((k) => ({ messagesPerSecond: 1_000 * k }))],
      ["other", [{ messagesPerSecond: 4_000 }]],
    ]);
    assertEquals(
      table({ connections: 50, size: 512 }, figures),
      `50 connections, 512 bytes a message

       messages/s     ×
echo        2,000  1.00
other       4,000  0.50`,
    );
  });

  it("has a dash for what could not be measured, and no empty column", () => {
    const figures = new Map([
      ["echo", [{ memory: 50, cpu: NaN }]],
      ["other", [{}]],
    ]);
    assertEquals(
      table({ connections: 2_000, size: 0 }, figures),
      `2,000 idle connections

       MB     ×
echo   50  1.00
other   –     –`,
    );
  });
});

describe("the benchmark", { ignore: !mayRun }, () => {
  it("finds ours, and others that are here", async () => {
    const folder = await Deno.makeTempDir();
    const names = (await contenders(folder)).map(({ name }) => name);
    await Deno.remove(folder, { recursive: true });
    assertEquals(names.slice(0, 2), ["echo", "documented"]);
  });

  it("measures", async () => {
    const args = ["--rounds=1", "--duration=50ms", "--only=echo", "--json"];
    const { status, stdout, stderr } = await output(
      ["task", "--quiet", "bench", ...args],
    );
    assertEquals(status, 0, stderr);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ name }) => name), Array(6).fill("echo"));
    const loaded = lines.filter(({ size }) => size > 0);
    assertEquals(loaded.map(({ errors }) => errors), [0, 0, 0, 0, 0]);
    assert(loaded.every(({ messagesPerSecond }) => messagesPerSecond > 0));
  });
});
