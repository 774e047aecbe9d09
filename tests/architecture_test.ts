import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import config from "../deno.json" with { type: "json" };

/**
 * The folders that a file of each folder may import from, beside its own.
 * `lib` stands for the public modules directly in it, `.` for the programs.
 */
const ALLOWED: Record<string, readonly string[]> = {
  ".": ["cli", "lib", "net"],
  cli: ["lib", "faults", "stats", "net"],
  lib: [
    ...["toxiproxy", "server", "load", "ping", "client", "report"],
    ...["faults", "stats", "tls", "net"],
  ],
  toxiproxy: ["server", "faults", "net"],
  server: ["faults", "tls", "net"],
  load: ["client", "stats", "net"],
  ping: ["client", "stats", "net"],
  client: ["net"],
  report: ["stats", "net"],
  tls: ["net"],
  faults: ["net"],
  stats: ["net"],
  net: [],
};

const root = new URL("../", import.meta.url);
const mayRead =
  (await Deno.permissions.query({ name: "read" })).state === "granted";

/** The programs and every module of the library, by path from the root. */
async function* modules(folder = "lib/"): AsyncGenerator<string> {
  if (folder === "lib/") yield* ["server.ts", "client.ts"];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, root))
  ) {
    if (isDirectory) yield* modules(`${folder}${name}/`);
    else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) {
      yield `${folder}${name}`;
    }
  }
}

/** The folder of a path, as the table names it. */
function folderOf(path: string): string {
  const folders = path.split("/").slice(0, -1);
  return folders.at(-1) ?? ".";
}

/** The source without its comments, which hold examples. */
async function code(path: string): Promise<string> {
  const source = await Deno.readTextFile(new URL(path, root));
  return source.replace(/\/\*\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** The paths of the modules that a module imports. */
async function importsOf(path: string): Promise<string[]> {
  const found = (await code(path)).matchAll(
    /(?:from|import)\s*\(?\s*"(\.[^"]+)"/g,
  );
  return [...found]
    .map(([, specifier]) => new URL(specifier!, new URL(path, root)).href)
    .map((href) => href.slice(root.href.length))
    .filter((imported) => imported.endsWith(".ts"));
}

describe("the architecture", { ignore: !mayRead }, () => {
  it("imports go one way between folders", async () => {
    const wrong: string[] = [];
    let seen = 0;
    for await (const path of modules()) {
      const from = folderOf(path);
      for (const imported of await importsOf(path)) {
        const to = folderOf(imported);
        seen++;
        if (to !== from && !ALLOWED[from]?.includes(to)) {
          wrong.push(`${path} imports ${imported}`);
        }
      }
    }
    assertEquals(wrong, []);
    assert(seen > 50, "the imports were found");
  });

  it("no module imports itself through others", async () => {
    const imports = new Map<string, string[]>();
    for await (const path of modules()) {
      imports.set(path, await importsOf(path));
    }
    const done = new Set<string>();
    const visit = (path: string, from: string[]) => {
      assert(!from.includes(path), [...from, path].join(" > "));
      if (done.has(path)) return;
      for (const next of imports.get(path) ?? []) visit(next, [...from, path]);
      done.add(path);
    };
    for (const path of imports.keys()) visit(path, []);
  });

  it("directly in lib/ lie the public modules, and nothing else", async () => {
    const files: string[] = [];
    for await (const { name, isFile } of Deno.readDir(new URL("lib/", root))) {
      if (isFile && !name.endsWith(".d.ts")) files.push(`./lib/${name}`);
    }
    assertEquals(files.sort(), Object.values(config.exports).sort());
  });

  it("node:net and node:tls are loaded only when they are needed", async () => {
    const loaded = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      if (loaded.has(path)) return;
      loaded.add(path);
      const source = await code(path);
      const statics = source.matchAll(
        /^(?:import|export)(?! type)[^"]*?"([^"]+)";/gm,
      );
      for (const [, specifier] of statics) {
        if (!specifier!.startsWith(".")) loaded.add(specifier!);
        else {
          const { href } = new URL(specifier!, new URL(path, root));
          await visit(href.slice(root.href.length));
        }
      }
    };
    await visit("server.ts");
    await visit("client.ts");
    assert(loaded.has("lib/net/socket_listener.ts"), "modules were found");
    assert(!loaded.has("node:net") && !loaded.has("node:tls"));
  });

  it("only lib/echo.ts opens sockets", async () => {
    const calls = {
      // Sockets of Deno, and those of Node that others wrap.
      opens: /\bDeno\.(listen|connect|startTls)|\b(openSocket|bindHandle)\b/,
      wraps: /createServer\b|ServerHandle\(|[^.\w]connect\(\{ host,/,
    };
    const found: Record<string, string[]> = { opens: [], wraps: [] };
    for await (const path of modules()) {
      const source = await code(path);
      for (const [name, call] of Object.entries(calls)) {
        if (call.test(source)) found[name]!.push(path);
      }
    }
    const wrapper = "lib/net/node_sockets.ts";
    assertEquals(found.wraps, [wrapper]);
    assertEquals(found.opens!.sort(), ["lib/echo.ts", wrapper]);
  });
});
