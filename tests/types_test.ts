/**
 * Compiles only if the library's types are what users need: `deno task check`
 * is the test. `deno.json` sets `exactOptionalPropertyTypes`, so that users who
 * set it get no errors from inside the library.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import {
  type ConnectOptions,
  type EndReason,
  exchange,
  type FaultCounts,
  serve,
  type ServeOptions,
} from "../lib/echo.ts";
import type { LoadOptions } from "../lib/load.ts";
import type { PingOptions } from "../lib/ping.ts";
import type { PipeOptions } from "../lib/pipe.ts";
import { portOf } from "./support/peers.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** An option of each kind that is there and `undefined`, as a variable may be. */
type Unset<T> = { [K in keyof T]?: T[K] | undefined };
type TakesUndefined<T> = Unset<T> extends T ? true : false;

/** Each of them is an error of compilation unless it is `true`. */
export type Promised = [
  Same<Awaited<ReturnType<typeof exchange>>, Uint8Array<ArrayBuffer>>,
  TakesUndefined<ServeOptions>,
  TakesUndefined<ConnectOptions>,
  TakesUndefined<PingOptions>,
  TakesUndefined<LoadOptions>,
  TakesUndefined<Omit<PipeOptions, "input" | "output">>,
  Same<
    keyof FaultCounts,
    | "latency"
    | "bandwidth"
    | "slicer"
    | "limitData"
    | "stall"
    | "reset"
    | "corrupt"
    | "closeAfter"
    | "stallAfter"
    | "resetAfter"
    | "slowClose"
    | "connectDelay"
    | "closeOnAccept"
    | "down"
  >,
  "closed" extends EndReason ? true : false,
];
const promised: Promised = [true, true, true, true, true, true, true, true];

it("what exchange returns is what Deno's own functions take", async () => {
  await using server = serve({
    port: 0,
    path: undefined,
    faults: undefined,
    maxConnections: Infinity,
  });
  const options: ConnectOptions = { port: portOf(server), signal: undefined };
  const bytes = await exchange("hello", options);
  assertEquals(await new Blob([bytes]).text(), "hello");
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  assertEquals(digest.byteLength, 32);
  assertEquals(promised.every(Boolean), true);
});
