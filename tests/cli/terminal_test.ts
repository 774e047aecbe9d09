import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  jsonLine,
  LiveLine,
  printable,
  printableLines,
  wrap,
} from "../../lib/cli/terminal.ts";

/** A terminal of one line, which records whether a line ever wrapped. */
class Screen {
  cells: string[] = [];
  cursor = 0;
  wrapped = false;
  width: number;

  constructor(width: number) {
    this.width = width;
  }

  columns = () => this.width;

  write = (text: string): void => {
    for (const character of text) {
      if (character === "\r") {
        this.cursor = 0;
        continue;
      }
      assert(character >= " " && character <= "~", "only printable characters");
      this.cells[this.cursor++] = character;
      if (this.cursor >= this.width) this.wrapped = true;
    }
  };

  get line(): string {
    return this.cells.join("").trimEnd();
  }
}

describe("a live line", () => {
  for (const width of [1, 10, 40, 80]) {
    it(`never fills the last of ${width} columns`, () => {
      const screen = new Screen(width);
      new LiveLine(screen).show("x".repeat(100));
      assertEquals(screen.line, "x".repeat(Math.min(width - 1, 100)));
      assertEquals(screen.wrapped, false);
    });
  }

  it("erases a longer line before it", () => {
    const screen = new Screen(40);
    const live = new LiveLine(screen);
    live.show("a long line");
    live.show("short");
    assertEquals(screen.line, "short");
    live.clear();
    assertEquals([screen.line, screen.cursor], ["", 0]);
  });

  it("adapts when the terminal is resized", () => {
    const screen = new Screen(80);
    const live = new LiveLine(screen);
    live.show("y".repeat(60));
    screen.width = 20;
    screen.cells = [];
    live.show("z".repeat(60));
    assertEquals(screen.line, "z".repeat(19));
    assertEquals(screen.wrapped, false);
  });

  it("writes nothing if it is cleared before it was cells", () => {
    const screen = new Screen(40);
    new LiveLine(screen).clear();
    assertEquals(screen.cells, []);
  });
});

describe("wrapped text", () => {
  it("leaves a word whole that is longer than a line", () => {
    assertEquals(wrap("a longword b", 5), ["a", "longword", "b"]);
    assertEquals(wrap("", 5), [""]);
  });
});

describe("text from a peer, shown on a terminal", () => {
  it("has escape sequences and bidirectional controls escaped", () => {
    assertEquals(printable("a\x1b[2J\x9b\u202eb"), "a\\x1b[2J\\x9b\\u202eb");
  });

  it("is one line, or keeps its line breaks", () => {
    assertEquals(printable("a\n\tb\r"), "a\\x0a\\x09b\\x0d");
    assertEquals(printableLines("a\n\tb\r"), "a\n\tb\\x0d");
  });

  it("is valid JSON with the same value", () => {
    const value = { text: 'a\n"\x1b\x7f\x9b\u2028\u202eb\ud800 ü👋' };
    const json = jsonLine(value);
    assertEquals(
      json,
      String
        .raw`{"text":"a\n\"\u001b\u007f\u009b\u2028\u202eb\ud800 ü👋"}`,
    );
    assertEquals(JSON.parse(json), value);
  });

  it("keeps letters and emoji", () => {
    assertEquals(printable("grüße 👋 ñ"), "grüße 👋 ñ");
  });
});
