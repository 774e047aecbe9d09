import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { flag, parseFlags, toggle, UsageError, usageOf } from "../lib/flags.ts";
import { wrap } from "../lib/wrap.ts";
import { integer, text } from "../lib/values.ts";

const flags = {
  hostname: flag(text("HOST", "a host"), "where", "here"),
  port: flag(integer("PORT", 0, 9), "which"),
  once: toggle("only once", "o"),
};

function refused(
  args: string[],
  message: string,
  words?: { mostWords?: number; surplusHint?: (words: string[]) => string },
): void {
  const error = assertThrows(() => parseFlags(flags, args, words), UsageError);
  assertEquals(error.message, message);
}

describe("a command line is read by its table", () => {
  it("defaults where nothing is given", () => {
    assertEquals(parseFlags(flags, []), {
      values: { hostname: "here", port: undefined, once: false },
      words: [],
    });
  });

  it("values after a space or an equals sign, the last one counts", () => {
    const { values } = parseFlags(flags, [
      "--port",
      "1",
      "--port=2",
      "--once",
      "--hostname=a=b",
    ]);
    assertEquals(values, { hostname: "a=b", port: 2, once: true });
  });

  it("words as they are, numbers and the dash too", () => {
    const { words } = parseFlags(flags, ["007", "-", "--", "--port", "-x"], {
      mostWords: 9,
    });
    assertEquals(words, ["007", "-", "--port", "-x"]);
  });

  it("a word is no value of the flag before it that takes none", () => {
    for (const word of ["true", "false", "1", ""]) {
      for (const args of [["--once", word], ["--once", "--", word]]) {
        const { values, words } = parseFlags(flags, args, { mostWords: 1 });
        assertEquals([values.once, words], [true, [word]]);
      }
    }
  });

  it("a flag by its one letter", () => {
    const { values, words } = parseFlags(flags, ["-o", "-"], { mostWords: 1 });
    assertEquals([values.once, words], [true, ["-"]]);
  });

  it("a value may begin with a dash, to be refused as a value", () => {
    refused(
      ["--port", "-1"],
      'Cannot use --port "-1": expected a whole number from 0 to 9',
    );
  });
});

describe("what is not in the table is refused by name", () => {
  it("an unknown flag, with the nearest one", () => {
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

  it("a permission, which goes elsewhere", () => {
    assertThrows(
      () => parseFlags(flags, ["--allow-net=[::1]:7"]),
      UsageError,
      'Cannot use "--allow-net" here: it is Deno\'s, and goes before the program: deno run --allow-net=[::1]:7 ...',
    );
  });

  it("names that every object has", () => {
    for (const name of ["constructor", "toString", "__proto__"]) {
      assertThrows(
        () => parseFlags(flags, [`--${name}`, "1"]),
        UsageError,
        `"--${name}"`,
      );
    }
  });

  it("dotted and negated names", () => {
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

  it("a value for a flag that has none", () => {
    refused(
      ["--once=true"],
      "Cannot use --once with a value: it is there or it is not",
    );
  });

  it("a word too many", () => {
    refused(["x"], 'Cannot use "x": expected flags only');
    refused(
      ["x", "y"],
      'Cannot use "y": expected 1 word at most; quote a message of several words',
      { mostWords: 1 },
    );
    refused(
      ["x", "y"],
      'Cannot use "y": expected 1 word at most; quote a message of several words; x and y',
      { mostWords: 1, surplusHint: ([x, y]) => `${x} and ${y}` },
    );
  });
});

describe("the usage", () => {
  it("is made from the same table", () => {
    assertEquals(
      usageOf(flags),
      `  --hostname HOST  where
  --port PORT      which
  -o, --once       only once`,
    );
  });

  it("continues long lines below their beginning", () => {
    assertEquals(
      usageOf({ x: toggle("one two three"), yy: toggle("four") }, 16),
      `  --x   one two
        three
  --yy  four`,
    );
  });

  it("leaves a word whole that is longer than a line", () => {
    assertEquals(wrap("a longword b", 5), ["a", "longword", "b"]);
    assertEquals(wrap("", 5), [""]);
  });
});
