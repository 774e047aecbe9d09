import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LiveLine } from "../lib/live_line.ts";

/** What a terminal of one line shows, and whether anything ever wrapped. */
class Screen {
  shown: string[] = [];
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
      this.shown[this.cursor++] = character;
      if (this.cursor >= this.width) this.wrapped = true;
    }
  };

  get line(): string {
    return this.shown.join("").trimEnd();
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

  it("leaves nothing of a longer line before it", () => {
    const screen = new Screen(40);
    const live = new LiveLine(screen);
    live.show("a long line");
    live.show("short");
    assertEquals(screen.line, "short");
    live.clear();
    assertEquals([screen.line, screen.cursor], ["", 0]);
  });

  it("follows the width of the terminal", () => {
    const screen = new Screen(80);
    const live = new LiveLine(screen);
    live.show("y".repeat(60));
    screen.width = 20;
    screen.shown = [];
    live.show("z".repeat(60));
    assertEquals(screen.line, "z".repeat(19));
    assertEquals(screen.wrapped, false);
  });

  it("writes nothing to clear what was not shown", () => {
    const screen = new Screen(40);
    new LiveLine(screen).clear();
    assertEquals(screen.shown, []);
  });
});
