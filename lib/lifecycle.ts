/**
 * The life of a server, from an open listener to the totals: which connections
 * there are, what they carried, and how they end, one by one or all together.
 * It opens no socket itself; `serve()` in `lib/echo.ts` does.
 *
 * ```sh
 * deno task server & sleep 1; kill %1 # ends in order, with status 0
 * ```
 *
 * @module
 */

import { accept } from "./accept.ts";
import {
  add,
  carriedBy,
  type Client,
  idleOf,
  isIdle,
  isWhole,
  sweepEvery,
} from "./clients.ts";
import { DEFAULT_GRACE_MS } from "./defaults.ts";
import { TimedOutError } from "./errors.ts";
import type { FaultCounts } from "./faults.ts";
import { misbehave } from "./misbehave.ts";
import { notify } from "./notify.ts";
import type {
  EchoServer,
  EndReason,
  ServeOptions,
  ServerStats,
} from "./options.ts";
import { Relay } from "./relay.ts";
import type { TlsConn } from "./tls_conn.ts";
import { MAX_DELAY_MS } from "./values.ts";

/**
 * Milliseconds that a client gets for its TLS handshake: one that stalls costs
 * a connection for so long and no longer.
 */
const HANDSHAKE_MS = 10_000;

/** A listener that `lifecycle` can run: its `accept` decides on the protocol. */
export type Listener<Addr extends Deno.Addr> =
  & Pick<Deno.Listener<Deno.Conn>, "accept" | "close" | "ref" | "unref">
  & { readonly addr: Addr };

/** Runs a server on a listener, which it closes in the end. */
export function lifecycle<Addr extends Deno.Addr>(
  listener: Listener<Addr>,
  options: ServeOptions<Addr>,
): EchoServer<Addr> {
  const { idleTimeout = Infinity, grace = DEFAULT_GRACE_MS } = options;
  const { signal, onOpen, onClose } = options;
  const spoil = options.faults && misbehave(options.faults);
  const faults: FaultCounts = {};
  const clients = new Set<Client>();
  const started = performance.now();
  const totals = { accepted: 0, peak: 0, bytesRead: 0, bytesWritten: 0 };
  const { promise: finished, resolve } = Promise.withResolvers<ServerStats>();
  let ended: number | undefined;
  let closing = false;
  let refed = true;
  let graceTimer: ReturnType<typeof setTimeout> | undefined;

  const door = accept(listener, {
    take,
    limit: options.maxConnections,
    onShortage: (error) => notify(options.onShortage, error),
  });

  function take(conn: Deno.Conn): void {
    const now = performance.now();
    const client: Client = {
      id: ++totals.accepted,
      remoteAddr: conn.remoteAddr,
      conn,
      since: now,
      carried: 0,
      carriedAt: now,
    };
    clients.add(client);
    totals.peak = Math.max(totals.peak, clients.size);
    if (!refed) conn.unref();
    notify(onOpen, { id: client.id, remoteAddr: client.remoteAddr });
    if ("handshake" in conn) {
      void shakeHands(client, conn as TlsConn);
    } else {
      echo(client);
    }
  }

  async function shakeHands(client: Client, conn: TlsConn): Promise<void> {
    let late: Error | undefined;
    const timer = setTimeout(() => {
      late = new TimedOutError(`no TLS handshake within ${HANDSHAKE_MS} ms`);
      end(client, "handshake");
    }, HANDSHAKE_MS);
    Deno.unrefTimer(timer);
    try {
      await conn.handshake();
      echo(client);
    } catch (error) {
      client.reason ??= "handshake";
      gone(client, late ?? error);
    } finally {
      clearTimeout(timer);
    }
  }

  function echo(client: Client): void {
    const { conn } = client;
    // An echo is the answer to the bytes before it: to hold it back for more
    // (Nagle, RFC 896) would only add to every round trip.
    try {
      if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
    } catch {
      // The client is gone already, which the first read will tell.
    }
    if (spoil) client.conn = spoil(conn, client.id);
    client.relay = new Relay(client.conn, (error) => gone(client, error));
    if (closing) client.relay.finish({ idle: true });
  }

  /** Closes a connection; what waits for it then calls `gone`. */
  function end(client: Client, reason: EndReason): void {
    client.reason ??= reason;
    client.conn[Symbol.dispose]();
  }

  function gone(client: Client, error: unknown): void {
    client.conn[Symbol.dispose]();
    clients.delete(client);
    const { bytesRead, bytesWritten } = carriedBy(client);
    totals.bytesRead += bytesRead;
    totals.bytesWritten += bytesWritten;
    const done = "faults" in client.conn ? client.conn.faults : undefined;
    add(done, faults);
    const whole = bytesRead === bytesWritten;
    if ("endedByFault" in client.conn && client.conn.endedByFault) {
      client.reason = "fault";
    }
    // Many a TLS client just closes, without saying so within TLS.
    if (error instanceof Deno.errors.UnexpectedEof && whole) error = undefined;
    const { id, remoteAddr, since } = client;
    notify(onClose, {
      id,
      remoteAddr,
      bytesRead,
      bytesWritten,
      faults: done,
      duration: performance.now() - since,
      reason: client.reason ?? reasonOf(error, whole),
      // What closing on this side made of a pending operation says nothing.
      error: client.reason && client.reason !== "handshake" ? undefined : error,
    });
    door.release();
    finishIfEmpty();
  }

  function reasonOf(error: unknown, whole: boolean): EndReason {
    if (closing && whole) return "shutdown";
    if (error) return "reset";
    return whole ? "closed" : "aborted";
  }

  function finishIfEmpty(): void {
    if (!closing || clients.size > 0 || ended !== undefined) return;
    ended = performance.now();
    clearTimeout(graceTimer);
    clearInterval(sweepTimer);
    signal?.removeEventListener("abort", abort);
    void door.closed.then(() => resolve(stats()));
  }

  function stats(): ServerStats {
    let { bytesRead, bytesWritten } = totals;
    const soFar = { ...faults };
    for (const client of clients) {
      const carried = carriedBy(client);
      bytesRead += carried.bytesRead;
      bytesWritten += carried.bytesWritten;
      if ("faults" in client.conn) add(client.conn.faults, soFar);
    }
    return {
      open: clients.size,
      peak: totals.peak,
      accepted: totals.accepted,
      bytesRead,
      bytesWritten,
      duration: (ended ?? performance.now()) - started,
      ...(spoil ? { faults: soFar } : {}),
    };
  }

  function close(): void {
    closing = true;
    door.close();
  }

  function abort(): void {
    close();
    for (const client of clients) {
      // One that was told of the end and has not closed its side lost nothing.
      const served = client.relay?.told && isWhole(client);
      end(client, served ? "shutdown" : "aborted");
    }
    finishIfEmpty();
  }

  /** At half the grace: whoever never stops is told, and has the rest of it. */
  function hurry(): void {
    for (const { relay } of clients) relay?.hurry();
    graceTimer = setTimeout(abort, grace / 2);
  }

  function shutdown(): Promise<ServerStats> {
    if (!closing) {
      close();
      const now = performance.now();
      for (const client of clients) {
        if (client.relay) client.relay.finish({ idle: isIdle(client, now) });
        else end(client, "shutdown");
      }
      if (grace <= MAX_DELAY_MS) {
        graceTimer = setTimeout(hurry, grace / 2);
      }
      finishIfEmpty();
    }
    return finished;
  }

  // Without an idle timeout, too: a shutdown has to know who is idle.
  const sweepTimer = setInterval(() => {
    for (const client of idleOf(clients, idleTimeout)) end(client, "idle");
  }, sweepEvery(idleTimeout));
  Deno.unrefTimer(sweepTimer);
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  notify(options.onListen, listener.addr);

  function keepAlive(keep: boolean): void {
    refed = keep;
    const hold = keep ? "ref" : "unref";
    for (const { conn } of clients) conn[hold]();
    if (!closing) listener[hold]();
  }

  return {
    addr: listener.addr,
    finished,
    stats,
    shutdown,
    ref: () => keepAlive(true),
    unref: () => keepAlive(false),
    [Symbol.asyncDispose]: async () => void await shutdown(),
  };
}
