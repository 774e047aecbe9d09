import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { explain } from "../lib/compile.ts";
import { closedPort } from "./peers.ts";
import { mayRun, Running } from "./processes.ts";

describe("a failed compilation is told", () => {
  it("in one line with the way out, where the base binary is missing", () => {
    const said = `error: Writing deno compile executable to temporary file 'x'

Caused by:
    0: Setting up base binary.
    1: error sending request for url (https://dl.deno.land/release/v2.9.6/denort-x.zip): client error (Connect): dns error
    2: client error (Connect)
    3: Name or service not known

Stack backtrace:
   0: <unknown>
`;
    assertEquals(
      explain("server", said),
      "compile: Cannot compile server: no base binary from https://dl.deno.land/release/v2.9.6/denort-x.zip: Name or service not known; download and unpack it elsewhere, and run again with DENORT_BIN=/path/to/denort",
    );
  });

  it("in one line with its causes, where it names any", () => {
    const said = `error: Writing deno compile executable to temporary file 'x'

Caused by:
    0: Could not find denort at '/nope'
    1: No such file or directory (os error 2)
`;
    assertEquals(
      explain("client", said),
      "compile: Cannot compile client: Could not find denort at '/nope': No such file or directory (os error 2)",
    );
  });

  it("in Deno's own words otherwise", () => {
    assertEquals(
      explain("client", "error: Type checking failed.\n\n"),
      "error: Type checking failed.",
    );
  });
});

/** Runs `deno task compile` with another environment. */
async function compile(
  args: string[],
  env: Record<string, string>,
): Promise<{ status: number; stderr: string }> {
  await using task = new Running(["task", "--quiet", ...args], { env });
  return await task.outcome;
}

describe("deno task compile", { ignore: !mayRun }, () => {
  // What comes out of Deno itself as the base is no program, but it has all that
  // was added to it.
  const env = { DENORT_BIN: Deno.execPath() };

  it("compiles both, with the network as their only permission", {
    // Elsewhere the base has to be signed, or to be what it says it is.
    ignore: Deno.build.os !== "linux",
  }, async () => {
    const { status, stderr } = await compile(["compile"], env);
    assertEquals(status, 0, stderr);
    for (const program of ["server", "client"]) {
      const path = new URL(`../.build/echo-${program}`, import.meta.url);
      const file = new TextDecoder("latin1").decode(await Deno.readFile(path));
      const at = file.lastIndexOf('"permissions":{');
      const metadata = file.slice(at, file.indexOf("}", at));
      assertStringIncludes(metadata, '"allow_net":[]');
      for (const other of ["read", "write", "run", "env", "sys", "ffi"]) {
        assertStringIncludes(metadata, `"allow_${other}":null`);
      }
      assertMatch(file.slice(at), /"entrypoint_key":"(server|client)\.ts"/);
    }
  });

  it("hands its flags on to deno compile", async () => {
    const { status, stderr } = await compile(
      ["compile", "--target", "pdp11"],
      env,
    );
    assertEquals(status, 1);
    assertStringIncludes(stderr, "x86_64-pc-windows-msvc");
  });

  it("says in one line where the base binary cannot be downloaded", async () => {
    // A cache of its own, where no base binary is; the packages are shared.
    const { npmCache } = JSON.parse(
      new TextDecoder().decode(
        (await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] })
          .output()).stdout,
      ),
    );
    const cache = await Deno.makeTempDir();
    await Deno.symlink(npmCache, `${cache}/npm`, { type: "dir" });
    const proxy = `http://127.0.0.1:${closedPort()}`;
    const { status, stderr } = await compile(["compile:client"], {
      DENO_DIR: cache,
      HTTPS_PROXY: proxy,
    });
    assertEquals(status, 1);
    assertMatch(
      stderr.split("\n").at(-2)!,
      /^compile: Cannot compile client: no base binary from https:.*DENORT_BIN=\/path\/to\/denort$/,
    );
    await Deno.remove(cache, { recursive: true });
  });
});
