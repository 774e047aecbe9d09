import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, exchange, serve } from "../../lib/echo.ts";
import { proxy } from "../../lib/proxy.ts";
import { closedPort } from "../support/peers.ts";

// As JavaScript calls them, without types.
const calls: Record<string, (options: unknown) => unknown> = {
  serve: serve as (options: unknown) => unknown,
  proxy: proxy as (options: unknown) => unknown,
  connect: connect as (options: unknown) => unknown,
  exchange: (options) => exchange("x", options as Record<string, never>),
};

const upstream = { port: 1 };

/** What a call is given, and the option that its error must name. */
const rows: [keyof typeof calls, unknown, string][] = [
  ["serve", { port: "0" }, "port"],
  ["serve", { port: null }, "port"],
  ["serve", { port: 0, hostname: 127 }, "hostname"],
  ["serve", { port: 0, grace: "5s" }, "grace"],
  ["serve", { port: 0, maxConnections: "10" }, "maxConnections"],
  ["serve", { port: 0, idleTimeout: "1m" }, "idleTimeout"],
  ["serve", { port: 0, faults: "latency" }, "faults"],
  ["serve", { port: 0, faults: { latancy: 5 } }, "latancy"],
  ["serve", { port: 0, faults: { slicerDelay: 5 } }, "slicer"],
  ["serve", { port: 0, maxHeldBytes: 0 }, "maxHeldBytes"],
  ["serve", { port: 0, maxHeldBytes: NaN }, "maxHeldBytes"],
  ["serve", { port: 0, maxHeldBytes: "64" }, "maxHeldBytes"],
  ["proxy", { port: 0 }, "upstream"],
  ["proxy", { port: 0, upstream: {} }, "upstream"],
  ["proxy", { port: 0, upstream: "127.0.0.1:6379" }, "upstream"],
  ["proxy", { port: 0, upstream: 6379 }, "upstream"],
  ["proxy", { port: 0, upstream: { port: "6379" } }, "upstreamPort"],
  ["proxy", { port: "0", upstream }, "port"],
  ["proxy", { port: 0, upstream, faults: { resett: 5 } }, "resett"],
  ["proxy", { port: 0, upstream, maxHeldBytes: -1 }, "maxHeldBytes"],
  ["connect", { port: "12345" }, "port"],
  ["connect", { port: closedPort(), timeout: "5" }, "timeout"],
  ["exchange", { port: "12345" }, "port"],
];

describe("a wrong option is refused in one sentence that names it:", () => {
  for (const [name, options, option] of rows) {
    it(`${name}(${Deno.inspect(options)})`, async () => {
      let error: unknown;
      try {
        const result = await calls[name]!(options);
        await (result as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.();
        (result as Partial<Disposable>)[Symbol.dispose]?.();
      } catch (thrown) {
        error = thrown;
      }
      assert(
        error instanceof RangeError || error instanceof TypeError,
        `not refused: ${error}`,
      );
      const { message } = error;
      assertEquals(message.split("\n").length, 1, message);
      assert(new RegExp(`^Cannot .*\\b${option}\\b`).test(message), message);
    });
  }
});
