/**
 * A server from its open listener to its totals: it accepts connections, closes
 * idle ones, and shuts down. It opens no socket, and a handler serves each
 * connection, so that it knows nothing of echo.
 *
 * Shutdown has three steps. The server stops accepting, and drains: each
 * connection is half-closed when its client pauses. After half of the grace
 * period the rest is half-closed. After the grace period what is left is closed.
 *
 * ```ts
 * import { Server } from "./lifecycle.ts";
 * import { Relay } from "./relay.ts";
 *
 * const server = new Server(Deno.listen({ port: 12345 }), {
 *   grace: 1000,
 *   createHandler: (client, { onClosed }) => new Relay(client, onClosed),
 * });
 * await server.shutdown();
 * ```
 *
 * @module
 */

import { FaultControl } from "../faults/fault_control.ts";
import { DEFAULT_GRACE_MS } from "../net/defaults.ts";
import {
  directed,
  type DirectedFaults,
  type Faults,
} from "../net/fault_options.ts";
import { notify } from "../net/notify.ts";
import type { ServeOptions } from "../net/options.ts";
import type {
  ClosedConnection,
  EchoServer,
  ServerStats,
} from "../net/server.ts";
import {
  clearLongTimeout,
  type LongTimeout,
  setLongTimeout,
} from "../net/timeout.ts";
import {
  checkRange,
  NON_NEGATIVE,
  POSITIVE,
  POSITIVE_INTEGER_OR_INFINITY,
} from "../net/validate.ts";
import { Acceptor } from "./acceptor.ts";
import { Connection } from "./connection.ts";
import type { CreateHandler } from "./handler.ts";
import { addTraffic, type TrafficSum } from "./traffic.ts";

/** A listener of any protocol. */
export type Listener<Addr extends Deno.Addr> =
  & Pick<Deno.Listener<Deno.Conn>, "accept" | "close" | "ref" | "unref">
  & { readonly addr: Addr };

/** What a server takes. The options that name an endpoint are not used. */
export interface ServerOptions<Addr extends Deno.Addr>
  extends Omit<ServeOptions<Addr>, "faults"> {
  /** Serves each connection. */
  createHandler: CreateHandler;
  /** The faults of its connections. None by default. */
  faults?: FaultControl;
  /** See `FaultyConnOptions`. */
  limitReads?: boolean;
}

/** @throws {RangeError} that names the first limit that is out of range. */
export function checkLimits(
  options: Pick<ServeOptions, "maxConnections" | "idleTimeout" | "grace">,
  action: string,
): void {
  const { maxConnections, idleTimeout, grace } = options;
  checkRange(POSITIVE_INTEGER_OR_INFINITY, {
    action,
    options: { maxConnections },
  });
  checkRange(POSITIVE, { action, options: { idleTimeout } });
  checkRange(NON_NEGATIVE, { action, options: { grace } });
}

/** Sweeps for idle connections in one idle timeout, see `sweepInterval`. */
const SWEEPS_PER_TIMEOUT = 4;

/** Milliseconds between two sweeps for idle connections. */
export function sweepInterval(idleTimeout: number): number {
  return Math.min(Math.max(idleTimeout / SWEEPS_PER_TIMEOUT, 5), 1_000);
}

/** A running server. */
export class Server<Addr extends Deno.Addr> implements EchoServer<Addr> {
  readonly addr: Addr;
  readonly finished: Promise<ServerStats>;
  readonly #finish: (totals: ServerStats) => void;
  readonly #listener: Listener<Addr>;
  readonly #options: ServerOptions<Addr>;
  readonly #faults: FaultControl;
  readonly #acceptor: Acceptor;
  readonly #connections = new Set<Connection>();
  readonly #startedAt = performance.now();
  #endedAt: number | undefined;
  #accepted = 0;
  #peak = 0;
  // What the closed connections carried.
  readonly #traffic: TrafficSum = { bytesRead: 0, bytesWritten: 0, faults: {} };
  #closing = false;
  #refed = true;
  readonly #sweepTimer: ReturnType<typeof setInterval>;
  #graceTimer: LongTimeout | undefined;

  /** Starts on a listener, which it closes in the end. */
  constructor(listener: Listener<Addr>, options: ServerOptions<Addr>) {
    const { faults = new FaultControl(), idleTimeout = Infinity, signal } =
      options;
    const { promise, resolve } = Promise.withResolvers<ServerStats>();
    this.finished = promise;
    this.#finish = resolve;
    this.addr = listener.addr;
    this.#listener = listener;
    this.#options = options;
    this.#faults = faults;
    this.#acceptor = new Acceptor(listener, {
      onConnection: (conn) => this.#onConnection(conn),
      limit: options.maxConnections,
      onAcceptError: (error) => notify(options.onAcceptError, error),
    });
    // Without an idle timeout too: a shutdown needs to know which are idle.
    this.#sweepTimer = setInterval(() => {
      for (const one of this.#connections) one.closeIfIdle(idleTimeout);
    }, sweepInterval(idleTimeout));
    Deno.unrefTimer(this.#sweepTimer);
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort, { once: true });
    notify(options.onListen, this.addr);
  }

  stats(): ServerStats {
    const sum = structuredClone(this.#traffic);
    for (const connection of this.#connections) {
      addTraffic(sum, connection.stats());
    }
    const { faults, ...bytes } = sum;
    return {
      open: this.#connections.size,
      peak: this.#peak,
      accepted: this.#accepted,
      ...bytes,
      duration: (this.#endedAt ?? performance.now()) - this.#startedAt,
      ...(this.#faults.used ? { faults } : {}),
    };
  }

  setFaults(faults: Faults | DirectedFaults | undefined): void {
    this.#faults.set(directed(faults));
  }

  injectFaults(faults: Faults | DirectedFaults): Disposable {
    return this.#faults.inject(directed(faults));
  }

  // An arrow function, so that it can be passed as a callback, as with Deno.serve:
  // Deno.addSignalListener("SIGINT", server.shutdown).
  readonly shutdown = (): Promise<ServerStats> => {
    if (this.#closing) return this.finished;
    this.#stopAccepting();
    const { grace = DEFAULT_GRACE_MS } = this.#options;
    // Before the drain, which may end the last connection at once.
    this.#graceTimer = setLongTimeout(() => {
      for (const connection of this.#connections) connection.halfClose();
      this.#graceTimer = setLongTimeout(this.#abort, grace / 2);
    }, grace / 2);
    for (const connection of this.#connections) connection.drain();
    this.#finishIfEmpty();
    return this.finished;
  };

  ref(): void {
    this.#refed = true;
    for (const connection of this.#connections) connection.ref();
    if (!this.#closing) this.#listener.ref();
  }

  unref(): void {
    this.#refed = false;
    for (const connection of this.#connections) connection.unref();
    if (!this.#closing) this.#listener.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #onConnection(conn: Deno.Conn): void {
    const connection = new Connection(conn, {
      id: ++this.#accepted,
      createHandler: this.#options.createHandler,
      faults: this.#faults,
      limitReads: this.#options.limitReads,
      onClosed: this.#onClosed,
    });
    this.#connections.add(connection);
    this.#peak = Math.max(this.#peak, this.#connections.size);
    if (!this.#refed) connection.unref();
    const { id, remoteAddr } = connection;
    notify(this.#options.onOpen, { id, remoteAddr });
    connection.start();
  }

  #onClosed = (connection: Connection, summary: ClosedConnection): void => {
    this.#connections.delete(connection);
    addTraffic(this.#traffic, summary);
    notify(this.#options.onClose, summary);
    this.#acceptor.release();
    this.#finishIfEmpty();
  };

  #stopAccepting(): void {
    this.#closing = true;
    this.#acceptor.close();
  }

  #abort = (): void => {
    this.#stopAccepting();
    for (const connection of this.#connections) connection.abort();
    this.#finishIfEmpty();
  };

  #finishIfEmpty(): void {
    const ended = this.#endedAt !== undefined;
    if (!this.#closing || this.#connections.size > 0 || ended) return;
    this.#endedAt = performance.now();
    clearLongTimeout(this.#graceTimer);
    clearInterval(this.#sweepTimer);
    this.#options.signal?.removeEventListener("abort", this.#abort);
    void this.#acceptor.closed.then(() => this.#finish(this.stats()));
  }
}
