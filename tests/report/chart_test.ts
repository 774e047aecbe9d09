import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { counts, elapsed } from "../../lib/report/axes.ts";
import { type Chart, chart, type Mark } from "../../lib/report/chart.ts";

/** Makes axes from 0 to 1,000 ms and from 0 to 10. */
const frame: Mark = {
  kind: "bars",
  style: "frame",
  points: [{ x: 0, to: 1_000, y: 10 }],
};

function draw(marks: readonly Mark[], rules: Chart["rules"] = []): string {
  const axes = { x: elapsed, y: counts("n") };
  return chart({ title: "<A> b", text: "words", ...axes, marks, rules })
    ?.source ?? "";
}

/** The paths of some points. */
function paths(kind: Mark["kind"], points: Mark["points"]): string[] {
  const html = draw([frame, { kind, style: "mark", points }]);
  return [...html.matchAll(/<path class="\w+ mark" d="([^"]*)"/g)]
    .map(([, d]) => d!);
}

describe("a chart", () => {
  it("has its title and its description for those who cannot see it", () => {
    const html = draw([frame]);
    assertStringIncludes(html, "<h2>&lt;A&gt; b</h2>");
    assertStringIncludes(html, 'aria-labelledby="-a-b-title -a-b-text"');
    assertStringIncludes(html, '<title id="-a-b-title">&lt;A&gt; b</title>');
    assertStringIncludes(html, '<desc id="-a-b-text">words</desc>');
  });

  it("draws lines with gaps, and steps from an end to the other", () => {
    const points = [
      ...[{ x: 0, y: 5 }, { x: 250, y: 10 }, { x: 500, y: null }],
      { x: 600, to: 800, y: 0 },
    ];
    assertEquals(paths("line", points), ["M0,100L250,0M600,200L800,200"]);
  });

  it("draws a dot for each point that has a value", () => {
    const points = [{ x: 0, y: 5 }, { x: 1 }, { x: 2, y: NaN }];
    const last = { x: 1_000, y: 10 };
    assertEquals(paths("dots", [...points, last]), ["M0 100h0M1000 0h0"]);
  });

  it("draws bars up to their values, without one over the whole height", () => {
    const points = [{ x: 0, to: 500, y: 5 }, { x: 500, to: 1_000 }];
    const bars = "M0 200V100H500V200ZM500 200V0H1000V200Z";
    assertEquals(paths("bars", points), [bars]);
  });

  it("draws what has a hint by itself", () => {
    const points = [{ x: 0, y: 5, hint: "<1>" }, { x: 500, y: 5, hint: "2" }];
    assertEquals(paths("dots", points), ["M0 100h0", "M500 100h0"]);
    const html = draw([{ kind: "dots", style: "first", points }]);
    assertStringIncludes(html, "<title>&lt;1&gt;</title>");
  });

  it("has a legend of what is in it", () => {
    const empty: Mark = { kind: "dots", style: "x", points: [], legend: "no" };
    const html = draw([{ ...frame, legend: "yes" }, empty, frame]);
    assertEquals(html.match(/[^>]*<\/li>/g), ["yes</li>"]);
    assertMatch(html, /<li>.*<path class="bars frame" d="[^"]+"\/><\/svg>yes/);
  });

  it("has rules with their labels, and is long enough for them", () => {
    const html = draw([frame], [
      { axis: "y", at: 20, text: "limit", style: "error" },
      { axis: "x", at: 500, text: "half", style: "guide" },
    ]);
    assertMatch(html, /<path class="line rule error" d="M0 0H1000"\/>.*>20</);
    assertMatch(html, /<path class="line rule guide" d="M500 0V200"\/>/);
    assertMatch(html, /<text class="rule error end"[^>]*y="-5">limit</);
    assertMatch(html, /<text class="rule guide" x="50%"[^>]*>half</);
  });

  it("is left out if there is no value in it", () => {
    const points = [{ x: 0, to: 1, y: null, hint: "-" }];
    assertEquals(draw([{ kind: "line", style: "first", points }]), "");
    assertEquals(draw([{ kind: "bars", style: "hints", points }]), "");
  });
});
