import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { counts, elapsed } from "../../lib/report/axes.ts";
import { type Chart, chart, type Mark } from "../../lib/report/chart.ts";

const base = { title: "A <chart>", text: "words", x: elapsed, y: counts("n") };

function draw(all: Partial<Chart> & Pick<Chart, "marks">): string {
  return chart({ ...base, ...all })!.source;
}

/** The paths of a mark, on axes from 0 to 1,000 ms and from 0 to 10. */
function paths(mark: Omit<Mark, "style">): string[] {
  const frame: Mark = {
    kind: "bars",
    style: "frame",
    points: [{ x: 0, to: 1_000, y: 10 }],
  };
  const html = draw({ marks: [frame, { ...mark, style: "mark" }] });
  return [...html.matchAll(/<path class="\w+ mark" d="([^"]*)"/g)]
    .map(([, d]) => d!);
}

describe("a chart", () => {
  it("has its title and its description for those who cannot see it", () => {
    const html = draw({
      marks: [{ kind: "dots", style: "first", points: [{ x: 1, y: 1 }] }],
    });
    assertStringIncludes(html, "<h2>A &lt;chart&gt;</h2>");
    assertStringIncludes(html, '<title id="a-chart--title">A &lt;chart&gt;');
    assertStringIncludes(html, '<desc id="a-chart--text">words</desc>');
  });

  it("draws a line with gaps, and steps from an end to the other", () => {
    const points = [
      { x: 0, y: 5 },
      { x: 250, y: 10 },
      { x: 500, y: null },
      { x: 600, to: 800, y: 0 },
    ];
    assertEquals(paths({ kind: "line", points }), [
      "M0,100L250,0M600,200L800,200",
    ]);
  });

  it("draws a dot for each point that has a value", () => {
    const points = [{ x: 0, y: 5 }, { x: 100 }, { x: 200, y: NaN }, {
      x: 1_000,
      y: 10,
    }];
    assertEquals(paths({ kind: "dots", points }), ["M0 100h0M1000 0h0"]);
  });

  it("draws bars up to their values, without one over the whole height", () => {
    const points = [{ x: 0, to: 500, y: 5 }, { x: 500, to: 1_000 }];
    assertEquals(paths({ kind: "bars", points }), [
      "M0 200V100H500V200ZM500 200V0H1000V200Z",
    ]);
  });

  it("draws what has a hint by itself", () => {
    const points = [{ x: 0, y: 5, hint: "<1>" }, { x: 500, y: 5, hint: "2" }];
    assertEquals(paths({ kind: "dots", points }).length, 2);
    assertStringIncludes(
      draw({ marks: [{ kind: "dots", style: "first", points }] }),
      "<title>&lt;1&gt;</title>",
    );
  });

  it("has a legend of what is in it", () => {
    const html = draw({
      marks: [
        { kind: "line", style: "first", points: [{ x: 1, y: 1 }], legend: "a" },
        { kind: "line", style: "second", points: [], legend: "b" },
        { kind: "line", style: "third", points: [{ x: 1, y: 1 }] },
      ],
    });
    assertEquals(html.match(/<li>.*?<\/li>/g)?.length, 1);
    assertMatch(html, /<path class="line first" d="M0 5h24"\/><\/svg>a<\/li>/);
  });

  it("has rules with their labels, within its axes", () => {
    const html = draw({
      marks: [{ kind: "dots", style: "first", points: [{ x: 100, y: 1 }] }],
      rules: [
        { axis: "y", at: 8, text: "limit", style: "error" },
        { axis: "x", at: 50, text: "middle", style: "guide" },
      ],
    });
    assertStringIncludes(
      html,
      '<path class="line rule error" d="M0 0H1000"/>',
    );
    assertStringIncludes(
      html,
      '<path class="line rule guide" d="M500 0V200"/>',
    );
    assertMatch(html, /<text class="rule error end"[^>]*y="-5">limit</);
    assertMatch(html, /<text class="rule guide" x="50%"[^>]*>middle</);
  });

  it("is left out if there is nothing in it", () => {
    const marks: Mark[] = [
      { kind: "line", style: "first", points: [{ x: 0, y: null }] },
      { kind: "bars", style: "hints", points: [{ x: 0, to: 1, hint: "-" }] },
    ];
    assertEquals(chart({ ...base, marks }), undefined);
    assert(
      chart({
        ...base,
        marks: [...marks, { ...marks[0]!, points: [{ x: 0, y: 0 }] }],
      }),
    );
  });
});
