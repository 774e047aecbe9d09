import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  connect,
  type ConnectOptions,
  exchange,
  serve,
  UnexpectedEofError,
} from "../lib/echo.ts";
import { load } from "../lib/load.ts";
import { ping } from "../lib/ping.ts";
import { pipe } from "../lib/pipe.ts";
import { closedPort, peer, portOf, utf8 } from "./support/peers.ts";

/** A signal that counts its listeners. */
function counted(): { signal: AbortSignal; listeners: Set<unknown> } {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = function (
    this: AbortSignal,
    ...args: Parameters<typeof addEventListener>
  ) {
    listeners.add(args[1]);
    addEventListener.apply(this, args);
  } as typeof addEventListener;
  signal.removeEventListener = function (
    this: AbortSignal,
    ...args: Parameters<typeof removeEventListener>
  ) {
    listeners.delete(args[1]);
    removeEventListener.apply(this, args);
  } as typeof removeEventListener;
  return { signal, listeners };
}

const calls: Record<string, (options: ConnectOptions) => Promise<unknown>> = {
  connect: async (options) => (await connect(options)).close(),
  exchange: (options) => exchange("hello", options),
  pipe: (options) =>
    pipe({
      ...options,
      input: ReadableStream.from([utf8("hello")]),
      output: new WritableStream(),
    }),
  ping: (options) => ping({ ...options, count: 3, interval: 1 }),
  load: (options) => load({ ...options, connections: 3, count: 10 }),
};

describe("a signal that lives longer than the call keeps no listener", () => {
  for (const [name, call] of Object.entries(calls)) {
    it(`of ${name}, whether it succeeds or fails`, async () => {
      const { signal, listeners } = counted();
      await using server = serve({ port: 0 });
      await call({ port: portOf(server), signal });
      assertEquals(listeners.size, 0, "after success");
      await using closes = peer(() => Promise.resolve());
      await call({ port: closes.port, signal }).catch((error) => {
        if (!(error instanceof UnexpectedEofError)) throw error;
      });
      assertEquals(listeners.size, 0, "after a connection that is closed");
      await call({ port: closedPort(), wait: 30, signal }).catch(() => {});
      assertEquals(listeners.size, 0, "where nothing listens");
    });
  }

  it("of serve", async () => {
    const { signal, listeners } = counted();
    const server = serve({ port: 0, signal });
    await exchange("hello", { port: portOf(server) });
    await server.shutdown();
    assertEquals(listeners.size, 0);
  });
});
