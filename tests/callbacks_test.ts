import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Connection, exchange, serve } from "../lib/echo.ts";
import { lifecycle } from "../lib/lifecycle.ts";
import { load } from "../lib/load.ts";
import { ping } from "../lib/ping.ts";
import { portOf, until, utf8 } from "./peers.ts";

const to = (server: { addr: Deno.Addr }) => ({ port: portOf(server) });

/** What is reported while `work` runs, as an uncaught error would be. */
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

/** A callback with a mistake in it. */
function mistaken(name: string): () => never {
  return () => {
    throw new Error(name);
  };
}

describe("what a callback throws is reported, and the work goes on:", () => {
  it("onListen, onOpen and onClose of serve", async () => {
    const reported = await reportedBy(async () => {
      const server = serve({
        port: 0,
        onListen: mistaken("onListen"),
        onOpen: mistaken("onOpen"),
        onClose: mistaken("onClose"),
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

  it("onShortage of serve", async () => {
    const wait = Promise.withResolvers<Deno.Conn>();
    let attempts = 0;
    const listener = {
      addr: { transport: "tcp" as const, hostname: "127.0.0.1", port: 1 },
      accept() {
        if (attempts++ === 0) {
          return Promise.reject(new Error("Too many open files"));
        }
        return wait.promise;
      },
      close: () => wait.reject(new Deno.errors.BadResource("closed")),
      ref() {},
      unref() {},
    };
    const reported = await reportedBy(async () => {
      const server = lifecycle(listener, { onShortage: mistaken("shortage") });
      await until(() => attempts === 2);
      await server.shutdown();
    });
    assertEquals(reported, ["shortage"]);
  });

  it("onProbe of ping", async () => {
    await using server = serve({ port: 0 });
    const reported = await reportedBy(async () => {
      const { sent, received } = await ping({
        ...to(server),
        interval: 1,
        count: 3,
        timeout: 20_000,
        onProbe: mistaken("onProbe"),
      });
      assertEquals([sent, received], [3, 3]);
    });
    assertEquals(reported, ["onProbe", "onProbe", "onProbe"]);
  });

  it("onSecond of load", async () => {
    await using server = serve({ port: 0 });
    const controller = new AbortController();
    const reported = await reportedBy(async () => {
      const { messages, errors } = await load({
        ...to(server),
        connections: 1,
        signal: controller.signal,
        onSecond() {
          controller.abort();
          throw new Error("onSecond");
        },
      });
      assert(messages > 0);
      assertEquals(errors, {});
    });
    assertEquals(reported, ["onSecond"]);
  });
});

it("onOpen is told who it is, and given nothing of the server's own", async () => {
  const opened: Connection[] = [];
  await using server = serve({
    port: 0,
    onOpen(connection) {
      opened.push({ ...connection });
      // Whatever is done to it is no concern of the server's.
      Object.assign(connection, { id: 99, conn: undefined, relay: undefined });
    },
  });
  assertEquals(await exchange("on", to(server)), utf8("on"));
  assertEquals(Object.keys(opened[0]!), ["id", "remoteAddr"]);
  assertEquals(opened[0]!.id, 1);
});
