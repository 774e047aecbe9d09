/**
 * A strict reader of the pages: every tag closed, every value quoted, nothing
 * but text in between. Stricter than HTML, which forgives nearly everything.
 */

import { assert, assertEquals } from "@std/assert";

/** An element with what is in it. */
export interface Node {
  name: string;
  attributes: Map<string, string>;
  children: (Node | string)[];
}

const VOID = new Set(["meta"]);

const TOKEN =
  /<!DOCTYPE html>|<(\/?)([a-z][a-z0-9]*)([^<>]*?)(\/?)>|([^<>]+)/giy;

const ATTRIBUTE = /\s+([a-z][a-z0-9:-]*)(?:="([^"<>]*)")?/giy;

const ENTITIES: Record<string, string> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

function decode(text: string): string {
  const rest = text.replace(/&(amp|lt|gt|quot|#39);/g, "");
  assert(!rest.includes("&"), `a bare & in ${text}`);
  return text.replace(/&[^;]+;/g, (entity) => ENTITIES[entity]!);
}

function attributesOf(source: string): Map<string, string> {
  const attributes = new Map<string, string>();
  let end = 0;
  for (const match of source.matchAll(ATTRIBUTE)) {
    const [all, name, value = ""] = match;
    assert(!attributes.has(name!), `${name} twice in ${source}`);
    attributes.set(name!, decode(value));
    end = match.index + all.length;
  }
  assertEquals(source.slice(end).trim(), "", `attributes: ${source}`);
  return attributes;
}

/** Reads a page, or throws at what is not well-formed. */
export function parse(html: string): Node {
  const root: Node = { name: "", attributes: new Map(), children: [] };
  const open: Node[] = [root];
  let end = 0;
  for (const match of html.matchAll(TOKEN)) {
    const [all, close, name, attributes, selfClosing, text] = match;
    const parent = open.at(-1)!;
    end = match.index + all.length;
    if (text !== undefined) {
      // A style sheet is raw text.
      parent.children.push(parent.name === "style" ? text : decode(text));
    } else if (name === undefined) assertEquals(match.index, 0, "doctype");
    else if (close) {
      assertEquals(name, parent.name, `</${name}> closes <${parent.name}>`);
      open.pop();
    } else {
      const node = {
        name,
        attributes: attributesOf(attributes!),
        children: [],
      };
      parent.children.push(node);
      if (!selfClosing && !VOID.has(name)) open.push(node);
    }
  }
  assertEquals(
    end,
    html.length,
    `not understood: ${html.slice(end, end + 80)}`,
  );
  assertEquals(open.map(({ name }) => name), [""], "all elements are closed");
  return root;
}

/** All elements below, in order. */
export function* elements(node: Node): Generator<Node> {
  for (const child of node.children) {
    if (typeof child === "string") continue;
    yield child;
    yield* elements(child);
  }
}

/** The elements of a name. */
export function named(node: Node, name: string): Node[] {
  return [...elements(node)].filter((element) => element.name === name);
}

/** The elements of a class. */
export function classed(node: Node, name: string): Node[] {
  return [...elements(node)].filter(({ attributes }) =>
    attributes.get("class")?.split(" ").includes(name)
  );
}

/** The element of an id. */
export function byId(node: Node, id: string): Node {
  const found = [...elements(node)].find(({ attributes }) =>
    attributes.get("id") === id
  );
  assert(found, `an element with the id ${id}`);
  return found;
}

/** All text below, style sheets excepted. */
export function textOf(node: Node): string {
  return node.children.map((child) =>
    typeof child === "string"
      ? child
      : child.name === "style"
      ? ""
      : textOf(child)
  ).join("");
}

/** The cells of the body of the table whose caption begins so. */
export function cells(node: Node, caption: string): string[][] {
  const table = named(node, "table").find((table) =>
    named(table, "caption").some((found) => textOf(found).startsWith(caption))
  );
  assert(table, `a table ${caption}`);
  return named(named(table, "tbody")[0]!, "tr").map((row) =>
    row.children.filter((cell) => typeof cell !== "string").map(textOf)
  );
}

/** A number as it stands in a cell. */
export function numberOf(cell: string | undefined): number {
  return Number(cell?.replaceAll(",", ""));
}
