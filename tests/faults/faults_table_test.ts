import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { FaultEntry, Faults } from "../../lib/net/fault_options.ts";
import type { DirectedFaults } from "../../lib/proxy.ts";
import { pattern, read, write } from "../support/peers.ts";
import {
  eventually,
  type Kind,
  see,
  type Seen,
  type Session,
  start,
  within,
} from "../support/sessions.ts";

const SIZE = 1_000;

/** What the receiver of the bytes that pass the faults sees. */
interface Row {
  faults: Faults;
  /** Bytes that it receives. All by default. */
  length?: number;
  /** How its connection ends. The end of input by default. */
  end?: Seen["end"];
  changed?: boolean;
  /** The least milliseconds until its first byte, and until the end. */
  first?: number;
  last?: number;
  /** Whether the bytes depend on the time, so that latency may change them. */
  timed?: boolean;
  /** Why the server has ended the connection. "closed" by default. */
  reason?: string | undefined;
}

const fault = { reason: "fault" };
const reset = { end: "reset", reason: "reset" } as const;
const stalls = { end: "nothing", reason: undefined } as const;

const table: Row[] = [
  { faults: {} },
  { faults: { toxicity: 0, corrupt: 1, limitData: 0, down: true } },
  { faults: { latency: 60 }, first: 58 },
  { faults: { latency: 60, jitter: 5, seed: 1 }, first: 53 },
  { faults: { bandwidth: 10_000 }, last: 90 },
  { faults: { slicer: 100 } },
  { faults: { slicer: 100, slicerDelay: 5 }, last: 40 },
  { faults: { corrupt: 0.1, seed: 7 }, changed: true },
  { faults: { connectDelay: 80 }, first: 75 },
  { faults: { slowClose: 80 }, last: 75 },
  { faults: { limitData: 0 }, length: 0, ...fault },
  { faults: { limitData: 300 }, length: 300, ...fault },
  { faults: { limitData: 300, slicer: 7 }, length: 300, ...fault },
  { faults: { stall: 0 }, length: 0, ...stalls },
  { faults: { stall: 300 }, length: 300, ...stalls },
  { faults: { stallAfter: 0 }, length: 0, timed: true, ...stalls },
  { faults: { stall: 300, closeAfter: 400 }, length: 300, ...fault },
  { faults: { stall: 300, resetAfter: 400 }, length: 300, ...reset },
  { faults: { reset: 0 }, length: 0, ...reset },
  { faults: { reset: 300 }, length: 300, ...reset },
  { faults: { closeAfter: 0 }, length: 0, timed: true, ...fault },
  { faults: { stall: 0, resetAfter: 100 }, length: 0, ...reset },
  { faults: { closeOnAccept: true }, length: 0, timed: true, ...fault },
  { faults: { down: true }, length: 0, timed: true, ...fault },
];

const isPattern = (bytes: Uint8Array) =>
  bytes.every((byte, i) => byte === i % 251);

const send = (conn: Deno.Conn) =>
  write(conn, pattern(SIZE)).then(() => conn.closeWrite()).catch(() => {});

/** Resolves when a stall is in force, and other connections had time for an end. */
async function stalled({ server }: Session): Promise<void> {
  await eventually("a stall", () => {
    const { stall = 0, stallAfter = 0 } = server.stats().faults ?? {};
    return stall + stallAfter > 0;
  });
  await using other = start("echo");
  using conn = await other.connect();
  for (let i = 0; i < 20; i++) {
    await write(conn, Uint8Array.of(i));
    await read(conn, 1);
  }
}

type Direction = NonNullable<FaultEntry["direction"]>;

/** The setting of the option `faults`. */
const settings: Record<Direction, (faults: Faults) => Faults | DirectedFaults> =
  {
    downstream: (faults) => faults,
    upstream: (faults) => ({ upstream: faults }),
    both: (faults) => ({ downstream: faults, upstream: faults }),
  };

/**
 * The receiver sends a request. When the sender has it, it sends a reply, which
 * passes the faults, and half-closes. In an echo both are the client.
 */
async function transfer(kind: Kind, direction: Direction, row: Row) {
  const { faults, end } = row;
  let upstream: Deno.Conn | undefined;
  const over = Promise.withResolvers<void>();
  await using session = start(kind, {
    faults: settings[direction](faults),
  }, async (conn) => {
    upstream = conn;
    await over.promise;
  });
  const { closed } = session;
  const from = performance.now();
  // A reset at once may come before the client knows that it is connected.
  const client = await session.connect().catch(() => undefined);
  if (!client) {
    const bytes = new Uint8Array();
    const seen: Seen = { bytes, end: "reset", first: NaN, last: from };
    return { seen, request: undefined, from };
  }
  using _client = client;
  const enough = end === "nothing" ? stalled(session) : undefined;
  if (kind === "proxy") {
    await eventually("a connection", () => !!upstream || closed.length === 1);
  }
  const [receiver, sender] = direction === "upstream"
    ? [upstream, client]
    : [client, upstream];
  let request: Uint8Array | undefined;
  if (kind === "echo") await send(client);
  else if (receiver && sender) {
    await write(receiver, pattern(SIZE)).catch(() => {});
    // A fault that ends the connection at once may end this direction, too.
    request = await read(sender, SIZE).catch(() => undefined);
    await send(sender);
  }
  const seen = receiver && await see(receiver, enough);
  if (end === "nothing") void session.server.shutdown();
  for (const conn of [receiver, sender]) conn?.close();
  over.resolve();
  await eventually("the end", () => closed.length === 1);
  if (end !== "nothing") {
    assertEquals(closed[0]!.reason, row.reason ?? "closed");
  }
  return { seen, request, from };
}

describe("what passes a fault, in bytes and end:", () => {
  for (
    const [kind, direction] of [
      ["echo", "downstream"],
      ["proxy", "downstream"],
      ["proxy", "upstream"],
      ["proxy", "both"],
    ] as const
  ) {
    for (const row of table) {
      const { faults, length = SIZE, end = "eof" } = row;
      // In both directions, the request would end the connection.
      if (direction === "both" && length < SIZE) continue;
      const { first = 0, last = 0, changed = false } = row;

      it(`${kind}, ${direction}: ${Deno.inspect(faults)}`, () =>
        within(30_000, async () => {
          const { seen, request, from } = await transfer(kind, direction, row);
          if (kind === "proxy" && (length > 0 || end === "nothing")) {
            const unchanged = !changed || direction !== "both";
            assertEquals(request!.length, SIZE);
            assertEquals(isPattern(request!), unchanged);
          }
          // The upstream of a connection that was closed at once may not exist.
          if (!seen) return assertEquals([direction, length], ["upstream", 0]);
          assertEquals(seen.bytes.length, length);
          assertEquals(isPattern(seen.bytes), !changed);
          // What the upstream sees of a reset is up to the connection to it.
          const ends = direction === "upstream" && end === "reset"
            ? ["reset", "eof"]
            : [end];
          assert(ends.includes(seen.end), `${seen.end}, not ${end}`);
          assert(!(seen.first - from < first), `${seen.first - from} ms`);
          assert(seen.last - from >= last, `${seen.last - from} ms`);
          if (row.timed) return;
          const later = await transfer(kind, direction, {
            ...row,
            faults: { ...faults, latency: (faults.latency ?? 0) + 20 },
          });
          assertEquals(later.seen?.bytes, seen.bytes, "with latency");
          assertEquals(later.seen?.end, seen.end, "with latency");
        }));
    }
  }
});
