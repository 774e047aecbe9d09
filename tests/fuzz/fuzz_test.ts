import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { mayRun } from "../support/processes.ts";
import { fuzz } from "./fuzz.ts";
import { generate, prospects, type Script } from "./script.ts";

/** A seed without a meaning. */
const SEED = 16;

/** The first script that has what a planted failure needs to show. */
function scriptWith(has: (script: Script) => boolean): number {
  for (let number = 0;; number++) {
    if (has(generate(SEED, number))) return number;
  }
}

/** Without faults, TLS or haste: what any server serves correctly. */
function isPlain({ tls, faults, changes, stop, clients }: Script): boolean {
  return !tls && faults.length === 0 && changes.length === 0 &&
    stop.at === undefined && stop.onOpen === undefined && stop.grace > 0 &&
    clients.some((steps) =>
      steps[0]?.do === "write" && steps.at(-1)?.do === "readToEnd"
    );
}

const echo = scriptWith((script) => isPlain(script) && !script.upstream);
const proxied = scriptWith((script) =>
  isPlain(script) && script.upstream?.does === "echo" && !script.upstream.tls
);

describe("the scripts of the fuzz", () => {
  it("repeat with the same seed, and differ with another", () => {
    for (let number = 0; number < 200; number++) {
      const text = (seed: number, number: number) =>
        JSON.stringify(generate(seed, number));
      assertEquals(text(7, number), text(7, number));
      assert(text(7, number) !== text(8, number));
      assert(text(7, number) !== text(7, number + 1));
    }
  });

  it("cover what the checks need", () => {
    const scripts = Array.from({ length: 500 }, (_, i) => generate(SEED, i));
    const share = (has: (script: Script) => boolean) =>
      scripts.filter(has).length / scripts.length;
    for (
      const has of [
        (script: Script) => prospects(script).repeatable,
        (script: Script) => prospects(script).onlyDelays,
        ({ tls }: Script) => tls,
        ({ upstream }: Script) => upstream?.tls === true,
        ({ changes }: Script) => changes.length > 0,
        ({ stop }: Script) => stop.at !== undefined,
      ]
    ) assert(share(has) > 0.1, `${has}`);
  });
});

const mayFuzz = mayRun && Deno.build.os === "linux";

describe("the fuzz", { ignore: !mayFuzz }, () => {
  const find = async (plant: string, script: number) => {
    const module = new URL(
      `./planted_server.ts?plant=${plant}`,
      import.meta.url,
    );
    const { failures } = await fuzz({
      ...{ seed: SEED, first: script, last: script },
      ...{ module, hangMs: 1_500 },
    });
    return failures.join("\n");
  };

  for (const script of [echo, proxied]) {
    it(`finds nothing in a server that is right, in script ${script}`, async () => {
      assertEquals(await find("nothing", script), "");
    });
  }

  for (
    const [plant, script, finding] of [
      ["altered byte", echo, /bytes, then \w+; byte 0 is wrong/],
      ["lost byte", proxied, /got 0 of \d+ bytes, then eof/],
      ["byte lost to latency", echo, /of latency, .* got 0 bytes, .* instead/],
      ["lost onClose", echo, /(\d+) calls of onOpen, 0 of onClose/],
      ["negative count", proxied, /counts \d+,-1,\d+,\d+ of a connection/],
      ["surplus count", echo, /counts 1,2 of a connection|counts \d+,\d+ of/],
      ["open socket", echo, /\d+ sockets more than before/],
      ["upstream connection", proxied, /1 upstream connections open 1000 ms/],
      ["error on stderr", echo, /stderr: planted/],
      ["crash", echo, /the process ended: code 1\n.*planted/],
      ["spin", echo, /the process spins: no answer for 1500 ms, \d\d+ % CPU/],
      ["busy loop", echo, /\d\d+ % CPU without a connection/],
    ] as const
  ) {
    it(`finds a planted ${plant}, and says how to repeat it`, async () => {
      const found = await find(plant, script);
      assertMatch(found, finding);
      assertMatch(
        found,
        new RegExp(`deno task fuzz --seed ${SEED} --script ${script}$`),
      );
    });
  }
});
