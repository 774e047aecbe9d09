import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Connection, exchange, serve } from "../lib/echo.ts";
import { load } from "../lib/load.ts";
import { ping } from "../lib/ping.ts";
import { listening } from "./support/fakes.ts";
import { portOf, until, utf8 } from "./support/peers.ts";

const to = (server: { addr: Deno.Addr }) => ({ port: portOf(server) });

/** The messages of the errors that are reported while `work` runs. */
async function reportedBy(work: () => Promise<unknown>): Promise<string[]> {
  const reported: string[] = [];
  const listen = (event: ErrorEvent) => {
    event.preventDefault();
    reported.push((event.error as Error).message);
  };
  addEventListener("error", listen);
  try {
    await work();
  } finally {
    removeEventListener("error", listen);
  }
  return reported;
}

/** A callback that throws. */
function throwing(name: string): () => never {
  return () => {
    throw new Error(name);
  };
}

describe("an error that a callback throws is reported, and the call continues:", () => {
  it("onListen, onOpen and onClose of serve", async () => {
    const reported = await reportedBy(async () => {
      const server = serve({
        port: 0,
        onListen: throwing("onListen"),
        onOpen: throwing("onOpen"),
        onClose: throwing("onClose"),
      });
      assertEquals(await exchange("one", to(server)), utf8("one"));
      assertEquals(await exchange("two", to(server)), utf8("two"));
      const { accepted, open } = await server.shutdown();
      assertEquals([accepted, open], [2, 0]);
    });
    assertEquals(reported.sort(), [
      "onClose",
      "onClose",
      "onListen",
      "onOpen",
      "onOpen",
    ]);
  });

  it("onAcceptError of serve", async () => {
    using listener = listening([
      Object.assign(new Error("Too many open files"), { code: "EMFILE" }),
    ]);
    const reported = await reportedBy(async () => {
      const server = serve({
        port: 1,
        onAcceptError: throwing("onAcceptError"),
      });
      await until(() => listener.attempts === 2);
      await server.shutdown();
    });
    assertEquals(reported, ["onAcceptError"]);
  });

  it("onRun and onProbe of ping", async () => {
    await using server = serve({ port: 0 });
    const reported = await reportedBy(async () => {
      const { sent, received } = await ping({
        ...to(server),
        interval: 1,
        count: 3,
        timeout: 20_000,
        onRun: throwing("onRun"),
        onProbe: throwing("onProbe"),
      });
      assertEquals([sent, received], [3, 3]);
    });
    assertEquals(reported, ["onRun", "onProbe", "onProbe", "onProbe"]);
  });

  it("onInterval of load", async () => {
    await using server = serve({ port: 0 });
    const controller = new AbortController();
    const reported = await reportedBy(async () => {
      const { received, errors } = await load({
        ...to(server),
        connections: 1,
        warmup: 0,
        signal: controller.signal,
        onInterval() {
          controller.abort();
          throw new Error("onInterval");
        },
      });
      assert(received > 0);
      assertEquals(errors, {});
    });
    assertEquals([...new Set(reported)], ["onInterval"]);
  });
});

it("onOpen receives the id and the address, and no object of the server", async () => {
  const opened: Connection[] = [];
  await using server = serve({
    port: 0,
    onOpen(connection) {
      opened.push({ ...connection });
      // Changes of the argument do not affect the server.
      Object.assign(connection, { id: 99, conn: undefined, relay: undefined });
    },
  });
  assertEquals(await exchange("on", to(server)), utf8("on"));
  assertEquals(Object.keys(opened[0]!), ["id", "remoteAddr"]);
  assertEquals(opened[0]!.id, 1);
});
