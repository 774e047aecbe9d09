import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path/from-file-url";
import { describe, it } from "@std/testing/bdd";
import { explain } from "../lib/compile.ts";
import { closedPort } from "./peers.ts";
import { mayRun, type Outcome, output, Running } from "./processes.ts";

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

const script = fromFileUrl(new URL("../lib/compile.ts", import.meta.url));

/** Compiles as the task does, into another folder than the user's. */
async function compile(
  args: string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<Outcome> {
  const unset = `unset DENORT_BIN; exec "$0" "$@"`;
  const deno = ["run", "--quiet", "--allow-run=deno", script, ...args];
  await using task = "DENORT_BIN" in env
    ? new Running(deno, { cwd, env })
    : new Running(["-c", unset, Deno.execPath(), ...deno], {
      program: "sh",
      cwd,
      env,
    });
  return await task.outcome;
}

// Elsewhere the base has to be signed, or to be what it says it is.
const mayCompile = mayRun && Deno.build.os === "linux";

describe("deno task compile", { ignore: !mayCompile }, () => {
  // What comes out of Deno itself as the base is no program, but it has all that
  // was added to it.
  const env = { DENORT_BIN: Deno.execPath() };

  it("compiles both, with the network as their only permission", async () => {
    const cwd = await Deno.makeTempDir();
    const { status, stderr } = await compile(["server", "client"], {
      cwd,
      env,
    });
    assertEquals(status, 0, stderr);
    for (const program of ["server", "client"]) {
      const bytes = await Deno.readFile(`${cwd}/.build/echo-${program}`);
      const file = new TextDecoder("latin1").decode(bytes);
      const at = file.lastIndexOf('"permissions":{');
      const metadata = file.slice(at, file.indexOf("}", at));
      assertStringIncludes(metadata, '"allow_net":[]');
      for (const other of ["read", "write", "run", "env", "sys", "ffi"]) {
        assertStringIncludes(metadata, `"allow_${other}":null`);
      }
      assertMatch(file.slice(at), /"entrypoint_key":"(server|client)\.ts"/);
      // --reuse-port needs it.
      assertStringIncludes(file.slice(at), '"features":["net"]');
    }
    await Deno.remove(cwd, { recursive: true });
  });

  it("hands its flags on to deno compile", async () => {
    const cwd = await Deno.makeTempDir();
    const { status, stderr } = await compile(
      ["server", "client", "--target", "pdp11"],
      { cwd, env },
    );
    assertEquals(status, 1);
    assertStringIncludes(stderr, "x86_64-pc-windows-msvc");
    await Deno.remove(cwd, { recursive: true });
  });

  it("says in one line where the base binary cannot be downloaded", async () => {
    // A cache of its own, where no base binary is. The packages are shared:
    // those of npm, and, where @std comes from JSR, those of JSR.
    const info = JSON.parse((await output(["info", "--json"])).stdout);
    const cwd = await Deno.makeTempDir();
    for (
      const [name, cache] of [["npm", "npmCache"], ["remote", "modulesCache"]]
    ) {
      const shared = await Deno.stat(info[cache!]).catch(() => undefined);
      if (shared) await Deno.symlink(info[cache!], `${cwd}/${name}`);
    }
    const proxy = `http://127.0.0.1:${closedPort()}`;
    const { status, stderr } = await compile(["client"], {
      cwd,
      env: { DENO_DIR: cwd, HTTPS_PROXY: proxy },
    });
    assertEquals(status, 1);
    assertMatch(
      stderr.split("\n").at(-2)!,
      /^compile: Cannot compile client: no base binary from https:.*DENORT_BIN=\/path\/to\/denort$/,
    );
    await Deno.remove(cwd, { recursive: true });
  });

  it("says in one line where there is no deno on the PATH", async () => {
    const cwd = await Deno.makeTempDir();
    assertEquals(
      await compile(["client"], { cwd, env: { ...env, PATH: "/nowhere" } }),
      {
        status: 1,
        stdout: "",
        stderr:
          "compile: Cannot compile client: Cannot run deno; put it on the PATH\n",
      },
    );
    await Deno.remove(cwd);
  });
});
