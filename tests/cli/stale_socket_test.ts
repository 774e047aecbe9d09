import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { clearStaleSocket } from "../../lib/cli/stale_socket.ts";
import { serve } from "../../lib/echo.ts";

const mayUseFiles =
  (await Deno.permissions.query({ name: "write" })).state === "granted" &&
  (await Deno.permissions.query({ name: "read" })).state === "granted" &&
  Deno.build.os !== "windows";

it("a Unix socket is removed if it is stale, and only then", {
  ignore: !mayUseFiles,
}, async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/echo.sock`;
  assertEquals(await clearStaleSocket(path), false);
  {
    await using _live = serve({ path });
    assertEquals(await clearStaleSocket(path), false);
    // A hard link outlives the listener. Then nothing listens on it.
    await Deno.link(path, `${path}.stale`);
  }
  await Deno.rename(`${path}.stale`, path);
  assertEquals(await clearStaleSocket(path), true);
  await Deno.writeTextFile(path, "no socket");
  assertEquals(await clearStaleSocket(path), false);
  assertEquals(await Deno.readTextFile(path), "no socket");
  await Deno.remove(folder, { recursive: true });
});
