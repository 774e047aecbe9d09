import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  axisCount,
  bandwidth,
  count,
  duration,
  elapsed,
  NONE,
  percent,
  rate,
  shortCount,
} from "../../lib/report/format.ts";
import { mergeIntervals } from "../../lib/report/interval_table.ts";
import { decimate } from "../../lib/report/line.ts";
import { escapeText, Markup, markup } from "../../lib/report/markup.ts";
import { run } from "./summaries.ts";

/** With ordinary blanks. */
function plain(text: string): string {
  return text.replaceAll("\u00a0", " ");
}

describe("figures as text", () => {
  it("have three digits of a time, in the unit that suits it", () => {
    for (
      const [ms, text] of [
        [0, "0 ms"],
        [0.0004, "0.4 µs"],
        [0.04234, "42.3 µs"],
        [0.9996, "1 ms"],
        [12.345, "12.3 ms"],
        [999.6, "1 s"],
        [1_500, "1.5 s"],
        [1_234_567, "1,230 s"],
      ] as const
    ) assertEquals(plain(duration(ms)), text);
  });

  it("say how long a run took in minutes and hours", () => {
    for (
      const [ms, text] of [
        [250, "250 ms"],
        [10_012, "10.0 s"],
        [125_000, "2 min 5 s"],
        [7_260_000, "2 h 1 min"],
      ] as const
    ) assertEquals(plain(elapsed(ms)), text);
  });

  it("separate thousands", () => {
    assertEquals(count(1_234_567), "1,234,567");
    assertEquals(rate(48_213.4), "48,213");
    assertEquals(rate(1.2345), "1.23");
  });

  it("have a prefix where there is little room", () => {
    assertEquals(axisCount(1_000_000), "1,000,000");
    assertEquals(plain(axisCount(20_000_000)), "20 M");
    assertEquals(axisCount(2e18), "2e18");
    assertEquals(axisCount(0.25), "0.25");
    assertEquals(plain(shortCount(1_234_567)), "1.23 M");
    assertEquals(shortCount(999_999), "999,999");
  });

  it("have the units of shares and of bytes a second", () => {
    assertEquals(plain(percent(0.01234)), "1.234 %");
    assertEquals(plain(bandwidth(24_700_000)), "24.7 MB/s");
    assertEquals(plain(bandwidth(12)), "12 B/s");
  });

  it("are a dash where there is no number", () => {
    for (const number of [NaN, Infinity, -Infinity]) {
      for (
        const text of [
          duration,
          elapsed,
          count,
          rate,
          percent,
          bandwidth,
          axisCount,
          shortCount,
        ]
      ) assertEquals(text(number), NONE);
    }
  });
});

describe("a template", () => {
  it("escapes what is put into it, in text and in attributes", () => {
    assertEquals(
      markup`<p title="${`a"b'c`}">${"<b>&</b>"}</p>`.toString(),
      '<p title="a&quot;b&#39;c">&lt;b&gt;&amp;&lt;/b&gt;</p>',
    );
  });

  it("leaves what another template made", () => {
    const inner = markup`<b>${"<"}</b>`;
    assertEquals(
      markup`<p>${[inner, " ", 1]}${undefined}${false}</p>`.toString(),
      "<p><b>&lt;</b> 1</p>",
    );
    assertEquals(markup`${new Markup("<br>")}`.toString(), "<br>");
  });

  it("shows control characters and those that reorder text", () => {
    assertEquals(
      escapeText("\x00\x1b[2J\n\x9b\u202e\u2028\ud800"),
      "\\x00\\x1b[2J\\x0a\\x9b\\u202e\\u2028\ufffd",
    );
  });

  it("ends a text that is too long", () => {
    const text = escapeText("x".repeat(100_000));
    assert(text.length < 1_000);
    assert(text.endsWith("…"));
  });
});

describe("thinning out points", () => {
  const points = Array.from({ length: 10_000 }, (_, x) => ({
    x,
    y: x === 4_321 ? 1_000 : x === 7_654 ? undefined : x % 7,
  }));

  it("keeps few of them, in their order", () => {
    const kept = decimate(points, 900);
    assert(kept.length <= 900);
    assert(kept.every(({ x }, i) => i === 0 || kept[i - 1]!.x < x));
  });

  it("keeps peaks and gaps", () => {
    const kept = decimate(points, 900);
    assert(kept.some(({ y }) => y === 1_000));
    assert(kept.some(({ y }) => y === undefined));
  });

  it("keeps all if they are few", () => {
    assertEquals(decimate(points.slice(0, 9), 9), points.slice(0, 9));
  });
});

describe("merging intervals", () => {
  const { intervals } = run({ intervals: 10, messages: 20, failing: [4] });

  it("leaves them as they are if they are few", () => {
    assertEquals(mergeIntervals(intervals, 10), intervals);
    assertEquals(mergeIntervals([], 10), []);
  });

  it("adds up counts and keeps the highest latencies", () => {
    const merged = mergeIntervals(intervals, 4);
    assertEquals(merged.map(({ elapsed }) => elapsed), [
      3_000,
      6_000,
      9_000,
      10_000,
    ]);
    const group = intervals.slice(3, 6);
    const [, second] = merged;
    const messages = group.reduce((sum, { messages }) => sum + messages, 0);
    assertEquals(second!.messages, messages);
    assertEquals(second!.messagesPerSecond, messages / 3);
    assertEquals(second!.errors, 3);
    assertEquals(second!.max, Math.max(...group.map(({ max }) => max)));
  });
});
