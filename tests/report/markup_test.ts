import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Markup, markup } from "../../lib/report/markup.ts";

describe("a template", () => {
  it("escapes all that is put into it, but what another template made", () => {
    assertEquals(
      markup`<p title="${`a"b'c`}">${"<b>&</b>"}</p>`.source,
      '<p title="a&quot;b&#39;c">&lt;b&gt;&amp;&lt;/b&gt;</p>',
    );
    const inner = markup`<b>${"<"}</b>`;
    assertEquals(
      markup`<p>${[inner, " ", 1]}${undefined}${false}</p>`.source,
      "<p><b>&lt;</b> 1</p>",
    );
    assertEquals(markup`${new Markup("<br>")}`.source, "<br>");
  });

  it("shows control characters and those that reorder text", () => {
    assertEquals(
      markup`${"\x00\x1b[2J\n\x9b\u202e\u2028\ud800"}`.source,
      "\\x00\\x1b[2J\\x0a\\x9b\\u202e\\u2028\ufffd",
    );
  });

  it("ends a text that is too long", () => {
    const { source } = markup`${"x".repeat(100_000)}`;
    assert(source.length < 1_000);
    assert(source.endsWith("…"));
  });
});
