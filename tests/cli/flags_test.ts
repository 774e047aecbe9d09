import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  booleanFlag,
  flag,
  formatFlags,
  parseFlags,
  repeatableFlag,
  UsageError,
} from "../../lib/cli/flags.ts";
import { integer, text } from "../../lib/cli/flag_types.ts";

const flags = {
  hostname: flag(text("HOST", "a host"), "where", "here"),
  port: flag(integer("PORT", 0, 9), "which"),
  once: booleanFlag("only once", "o"),
};

function refused(
  args: string[],
  message: string,
  options?: {
    maxPositionals?: number;
    surplusHint?: (positionals: string[]) => string;
  },
): void {
  const error = assertThrows(
    () => parseFlags(flags, args, options),
    UsageError,
  );
  assertEquals(error.message, message);
}

describe("a command line", () => {
  it("without flags has no values", () => {
    assertEquals(parseFlags(flags, []), {
      values: { hostname: undefined, port: undefined, once: false },
      positionals: [],
    });
  });

  it("may have a value after a space or an equals sign, and the last one counts", () => {
    const { values } = parseFlags(flags, [
      "--port",
      "1",
      "--port=2",
      "--once",
      "--hostname=a=b",
    ]);
    assertEquals(values, { hostname: "a=b", port: 2, once: true });
  });

  it("has positionals unchanged, including numbers and a single dash", () => {
    const { positionals } = parseFlags(flags, [
      "007",
      "-",
      "--",
      "--port",
      "-x",
    ], {
      maxPositionals: 9,
    });
    assertEquals(positionals, ["007", "-", "--port", "-x"]);
  });

  it("may have a positional after a boolean flag", () => {
    for (const word of ["true", "false", "1", ""]) {
      for (const args of [["--once", word], ["--once", "--", word]]) {
        const { values, positionals } = parseFlags(flags, args, {
          maxPositionals: 1,
        });
        assertEquals([values.once, positionals], [true, [word]]);
      }
    }
  });

  it("may have the letter of a flag", () => {
    const { values, positionals } = parseFlags(flags, ["-o", "-"], {
      maxPositionals: 1,
    });
    assertEquals([values.once, positionals], [true, ["-"]]);
  });

  it("may have a value that begins with a dash, which is checked as a value", () => {
    refused(
      ["--port", "-1"],
      'Cannot use --port "-1": expected a whole number from 0 to 9',
    );
  });
});

describe("a repeatable flag", () => {
  const flags = { port: repeatableFlag(integer("PORT", 0, 9), "which") };

  it("has all its values in their order, and an empty list without any", () => {
    assertEquals(parseFlags(flags, []).values, { port: [] });
    assertEquals(
      parseFlags(flags, ["--port", "3", "--port=1", "--port", "3"]).values,
      { port: [3, 1, 3] },
    );
  });

  it("has each of its values checked", () => {
    assertThrows(
      () => parseFlags(flags, ["--port", "3", "--port", "x"]),
      UsageError,
      'Cannot use --port "x": expected a whole number from 0 to 9',
    );
  });

  it("says so in the help text", () => {
    assertEquals(
      formatFlags({ Address: flags }),
      "Address:\n  --port PORT  which (repeatable)",
    );
  });
});

describe("an error in a command line names", () => {
  it("an unknown flag and the closest known one", () => {
    refused(
      ["--prot", "1"],
      'Cannot use unknown flag "--prot": did you mean --port?',
    );
    refused(
      ["--prot=1"],
      'Cannot use unknown flag "--prot": did you mean --port?',
    );
    refused(["-p"], 'Cannot use unknown flag "-p": did you mean --port?');
    refused(["-ox"], 'Cannot use unknown flag "-ox": did you mean --port?');
  });

  it("a permission of Deno and where it goes", () => {
    assertThrows(
      () => parseFlags(flags, ["--allow-net=[::1]:7"]),
      UsageError,
      "Cannot use --allow-net here: it is a flag of Deno and goes before the program, as in deno run --allow-net=[::1]:7 ...",
    );
  });

  it("a flag that is a property of every object", () => {
    for (const name of ["constructor", "toString", "__proto__"]) {
      assertThrows(
        () => parseFlags(flags, [`--${name}`, "1"]),
        UsageError,
        `"--${name}"`,
      );
    }
  });

  it("a dotted or negated flag", () => {
    for (const name of ["port.x", "no-once", ""]) {
      assertThrows(() => parseFlags(flags, [`--${name}=1`]), UsageError);
    }
  });

  it("a flag without its value", () => {
    const message =
      "Cannot use --port without a value: expected a whole number from 0 to 9";
    refused(["--port"], message);
    refused(["--port="], message);
    refused(["--port", ""], message);
    refused(["--port", "--once"], message);
  });

  it("a boolean flag with a value", () => {
    refused(
      ["--once=true"],
      "--once takes no value",
    );
  });

  it("a surplus positional", () => {
    refused(["x"], 'Cannot use "x": expected flags only');
    refused(
      ["x", "y"],
      'Cannot use "y": expected at most 1 argument; quote a message of several words',
      { maxPositionals: 1 },
    );
    refused(
      ["x", "y"],
      'Cannot use "y": expected at most 1 argument; quote a message of several words; x and y',
      { maxPositionals: 1, surplusHint: ([x, y]) => `${x} and ${y}` },
    );
  });
});

describe("the help text of flags", () => {
  it("has a heading, each flag and its default", () => {
    assertEquals(
      formatFlags({ Topic: flags }),
      `Topic:
  --hostname HOST  where (default: here)
  --port PORT      which
  -o, --once       only once`,
    );
  });

  it("wraps long lines, and aligns all groups", () => {
    assertEquals(
      formatFlags(
        {
          A: { x: booleanFlag("one two three") },
          B: { yy: booleanFlag("four") },
        },
        16,
      ),
      `A:
  --x   one two
        three

B:
  --yy  four`,
    );
  });
});
