import { assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { program as client } from "../../lib/cli/client_flags.ts";
import { flagName } from "../../lib/cli/flag_table.ts";
import { help, version } from "../../lib/cli/help.ts";
import { program as server } from "../../lib/cli/server_flags.ts";
import { deno, mayRun, output } from "../support/processes.ts";

const mayRead =
  (await Deno.permissions.query({ name: "read" })).state === "granted";

for (const [name, program] of Object.entries({ server, client })) {
  describe(`the help of the ${name}`, () => {
    it("is what the golden file has", { ignore: !mayRead }, async () => {
      const golden = new URL(`${name}_help.txt`, import.meta.url);
      assertEquals(
        `${help(program)}\n`,
        await Deno.readTextFile(golden),
      );
    });

    it("has every flag, in at most 80 columns", () => {
      const shown = help(program);
      for (const line of shown.split("\n")) assertLessOrEqual(line.length, 80);
      const named = shown.match(/^ {2}(-\w, )?--[a-z-]+/gm)!.map((row) =>
        row.replace(/^.*--/, "--")
      );
      const flags = Object.keys(program.flags).map(flagName);
      assertEquals(
        new Set(named),
        new Set([...flags, "--help", "--version"]),
      );
    });

    it("names only flags that there are in what goes together", () => {
      const { flags, needs, conflicts } = program;
      const named = [...needs.flat(), ...conflicts.flat()];
      assertEquals(named.filter((key) => !(key in flags)), []);
    });

    it("and the version are printed by the program", {
      ignore: !mayRun,
    }, async () => {
      for (const flag of ["-h", "--help"]) {
        assertEquals(await output(deno(`${name as "server"}.ts`, [flag])), {
          ...{ status: 0, stderr: "" },
          stdout: `${help(program)}\n`,
        });
      }
      const { stdout } = await output(deno(`${name as "server"}.ts`, ["-V"]));
      assertEquals(stdout, `${version(`echo-${name}`)}\n`);
      assertMatch(stdout, /^echo-\w+ \d+\.\d+\.\d+ \(deno \d+\.\d+\.\d+.*\)$/m);
    });
  });
}
