/**
 * Connections that misbehave: they delay, slow, slice, change, cut or withhold
 * what is written to them. This room knows nothing of echo: it stands between a
 * connection and whoever talks on it, who need not know.
 *
 * ```ts
 * import { misbehave } from "./misbehave.ts";
 * const spoil = misbehave({ latency: 100 });
 * const conn = spoil(await listener.accept(), 1);
 * ```
 *
 * @module
 */

import { corrupter } from "./corrupt.ts";
import { DEFAULT_GRACE_MS } from "./defaults.ts";
import type { FaultCounts, Faults } from "./faults.ts";
import { random } from "./random.ts";
import { Throttle } from "./throttle.ts";
import { delay } from "./timeout.ts";

/** Bytes that a connection may hold back, such as for its latency. */
const MOST_HELD = 1024 * 1024;

/**
 * Milliseconds that a client gets to end its side after `limitData`: as long as
 * a shutdown gives it by default, and for the same reason (see `Relay.finish`).
 */
const LINGER_MS = DEFAULT_GRACE_MS;

/** The faults after which nothing more is sent. */
type Ending = "limitData" | "stall" | "reset";

/** A piece that is still to be sent, and when, on the process's clock. */
interface Held {
  bytes: Uint8Array;
  due: number;
}

/** A connection that misbehaves, and how often it did. */
export interface FaultyConn extends Deno.Conn {
  /** How often each fault took effect. */
  readonly faults: FaultCounts;
  /** Bytes that were really sent. */
  readonly sent: number;
  /** Whether `refuse` or `limitData` has ended it. */
  readonly endedByFault: boolean;
}

/**
 * Makes connections misbehave, one after the other: those that chance leaves
 * out are returned as they are. What `checkFaults` refuses must not get here.
 */
export function misbehave(
  faults: Faults,
): (conn: Deno.Conn, id: number) => Deno.Conn | FaultyConn {
  const { toxicity = 1, seed = Math.floor(Math.random() * 2 ** 32) } = faults;
  return (conn, id) =>
    random(seed, id, 0)() < toxicity ? faulty(conn, faults, seed, id) : conn;
}

function faulty(
  conn: Deno.Conn,
  options: Faults,
  seed: number,
  id: number,
): FaultyConn {
  const { latency = 0, jitter = 0, slicerDelay = 0, corrupt = 0 } = options;
  const { bandwidth, slicer, limitData, stall, reset, refuse = false } =
    options;
  const counts: FaultCounts = {};
  const count = (name: keyof FaultCounts, by = 1) =>
    counts[name] = (counts[name] ?? 0) + by;
  const spoil = corrupter(corrupt, random(seed, id, 1));
  const lateness = random(seed, id, 2);
  const throttle = bandwidth === undefined
    ? undefined
    : new Throttle(bandwidth);
  const closed = new AbortController();
  const { signal } = closed;
  const queue: Held[] = [];
  let held = 0;
  let received = 0;
  let sent = 0;
  let lastDue = 0;
  let pumping = Promise.resolve();
  let active = false;
  let room = Promise.withResolvers<void>();
  const shut = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ending: Ending | undefined;
  const ended = (how: Ending) => ending === how;
  signal.addEventListener("abort", () => room.resolve());

  function change(bytes: Uint8Array): Uint8Array {
    const { bytes: copy, changed } = spoil(bytes);
    if (changed > 0) count("corrupt", changed);
    return copy;
  }

  /** Bytes until the connection ends on purpose, and how. */
  function untilEnd(): [number, Ending | undefined] {
    let [least, how]: [number, Ending | undefined] = [Infinity, undefined];
    for (
      const [name, after] of [
        ["reset", reset],
        ["limitData", limitData],
        ["stall", stall],
      ] as const
    ) {
      if (after !== undefined && after < least) [least, how] = [after, name];
    }
    return [least - sent, how];
  }

  async function pump(): Promise<void> {
    active = true;
    try {
      for (let head; (head = queue[0]) && !ending;) await send(head);
    } catch (error) {
      // The queue will not get shorter: a writer that waits for that has to
      // fail, now and later.
      closed.abort(error);
      throw error;
    } finally {
      active = false;
    }
  }

  /** Sends the head of the queue, as far as nothing ends the connection. */
  async function send(head: Held): Promise<void> {
    if (head.due > performance.now()) {
      await delay(Math.max(0, head.due - performance.now()), { signal });
    }
    let { bytes } = head;
    while (bytes.length > 0) {
      const [left, how] = untilEnd();
      if (left <= 0) return await end(how!);
      const most = Math.min(
        left,
        slicer ?? Infinity,
        throttle?.chunkSize ?? Infinity,
      );
      const piece = bytes.subarray(0, most);
      if (throttle) {
        const wait = throttle.reserve(piece.length, performance.now());
        if (wait > 0) await delay(wait, { signal });
        throttle.sent(performance.now());
        count("bandwidth", piece.length);
      }
      for (let at = 0; at < piece.length;) {
        const n = await conn.write(piece.subarray(at));
        at += n;
        sent += n;
      }
      bytes = bytes.subarray(piece.length);
      if (slicer !== undefined) count("slicer");
      if (slicerDelay > 0 && bytes.length > 0) {
        await delay(slicerDelay, { signal });
      }
    }
    queue.shift();
    held -= head.bytes.length;
    room.resolve();
    const [left, how] = untilEnd();
    // A reset wants something unread, so it waits for the client's next byte.
    if (left <= 0 && how !== "reset") return await end(how!);
  }

  async function end(how: Ending): Promise<void> {
    ending = how;
    count(how);
    room.resolve();
    if (how === "reset") return close();
    if (how === "stall") return;
    // Not at once: what the client still sends would make it a reset.
    timer = setTimeout(close, LINGER_MS);
    await conn.closeWrite();
  }

  function close(): void {
    clearTimeout(timer);
    closed.abort();
    shut.resolve();
    conn[Symbol.dispose]();
  }

  async function read(buffer: Uint8Array): Promise<number | null> {
    if (refuse) {
      count("refuse");
      return null;
    }
    if (limitData === 0 && !ending) await end("limitData");
    if (ended("limitData")) return await drain(buffer);
    // A reset leaves something unread; nothing else limits reading.
    const most = reset === undefined ? Infinity : reset + 1 - received;
    if (ended("reset") || most <= 0) {
      throw new Deno.errors.ConnectionAborted("reset on purpose");
    }
    const n = await conn.read(
      buffer.subarray(0, Math.min(buffer.length, most)),
    );
    if (n === null) {
      // What is held back goes out before the end is told.
      await pumping;
      if (ended("stall")) await shut.promise;
      return null;
    }
    received += n;
    return ended("limitData") ? await drain(buffer) : n;
  }

  /** Reads and drops until the client ends as well, or time is up. */
  async function drain(buffer: Uint8Array): Promise<null> {
    try {
      while (await conn.read(buffer) !== null);
    } catch {
      // It is over either way.
    }
    return null;
  }

  async function write(bytes: Uint8Array): Promise<number> {
    if (ended("limitData")) return bytes.length;
    while (held > 0 && held + bytes.length > MOST_HELD) {
      signal.throwIfAborted();
      room = Promise.withResolvers();
      await room.promise;
      if (ended("limitData")) return bytes.length;
    }
    signal.throwIfAborted();
    if (ended("stall")) {
      // Reading goes on for a while, because only a read can tell that the
      // client has reset the connection.
      held += bytes.length;
      return bytes.length;
    }
    let wait = 0;
    if (latency > 0 || jitter > 0) {
      wait = Math.max(0, latency + (2 * lateness() - 1) * jitter);
      count("latency");
    }
    lastDue = Math.max(lastDue, performance.now() + wait);
    queue.push({ bytes: change(bytes), due: lastDue });
    held += bytes.length;
    if (!active) {
      pumping = pump();
      // Whoever waits for it is told; here it only must not go unhandled.
      pumping.catch(() => {});
    }
    // Only what is to be late may be overtaken by more; the rest waits for it.
    if (latency === 0 && jitter === 0) await pumping;
    return bytes.length;
  }

  return {
    faults: counts,
    get sent() {
      return sent;
    },
    get endedByFault() {
      return refuse || ending === "limitData";
    },
    get remoteAddr() {
      return conn.remoteAddr;
    },
    get localAddr() {
      return conn.localAddr;
    },
    get readable() {
      return conn.readable;
    },
    get writable() {
      return conn.writable;
    },
    read,
    write,
    async closeWrite() {
      await pumping;
      await conn.closeWrite();
    },
    close,
    ref: () => conn.ref(),
    unref: () => conn.unref(),
    [Symbol.dispose]: close,
  };
}
