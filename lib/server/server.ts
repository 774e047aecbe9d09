/**
 * A server from its listener to its totals: it accepts connections, closes idle ones,
 * changes faults, and shuts down. It opens no socket itself.
 *
 * Shutdown has three steps. The server stops accepting, lifts the faults, and drains:
 * each connection is half-closed when its client pauses. After half of the grace
 * period the rest is half-closed. After the grace period what is left is closed.
 *
 * @module
 */

import { FaultControl } from "../faults/control.ts";
import type { Conn, Listener } from "../net/conn.ts";
import { DEFAULT_GRACE_MS } from "../net/defaults.ts";
import type { FaultSetting } from "../net/fault_options.ts";
import { notify } from "../net/notify.ts";
import type { ServeOptions } from "../net/options.ts";
import type {
  ClosedConnection,
  EchoServer,
  EndReason,
  ServerStats,
  Traffic,
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
  POSITIVE_INTEGER,
  POSITIVE_INTEGER_OR_INFINITY,
} from "../net/validate.ts";
import { Acceptor } from "./acceptor.ts";
import type { Dial } from "./dial.ts";
import type { Session } from "./session.ts";
import { addTraffic } from "./traffic.ts";

/** What a server takes. The options that name an endpoint are not used. */
export interface ServerOptions<Addr extends Deno.Addr>
  extends Omit<ServeOptions<Addr>, "faults"> {
  /**
   * Opens the listener: at once, and again after the fault `refuse`, at the address
   * that it had before.
   */
  open(addr?: Addr): Listener<Addr>;
  /** Connects to the upstream of each client. Without it, the server echoes. */
  dial?: Dial;
  /** Faults to inject. */
  faults?: FaultSetting | undefined;
}

/** The ranges of the limits of a server. */
const LIMITS = {
  maxConnections: POSITIVE_INTEGER_OR_INFINITY,
  idleTimeout: POSITIVE,
  grace: NON_NEGATIVE,
  maxHeldBytes: POSITIVE_INTEGER,
};

/** @throws {RangeError} that names the first limit that is out of range. */
export function checkLimits(
  options: Pick<ServeOptions, keyof typeof LIMITS>,
  action: string,
): void {
  for (const [name, range] of Object.entries(LIMITS)) {
    const value = options[name as keyof typeof LIMITS];
    checkRange(range, { action, options: { [name]: value } });
  }
}

/** Sweeps for idle connections in one idle timeout, see `sweepInterval`. */
const SWEEPS_PER_TIMEOUT = 4;

/** Milliseconds between two sweeps for idle connections. */
function sweepInterval(idleTimeout: number): number {
  return Math.min(Math.max(idleTimeout / SWEEPS_PER_TIMEOUT, 5), 1_000);
}

/** A running server. */
export class Server<Addr extends Deno.Addr> implements EchoServer<Addr> {
  readonly addr: Addr;
  readonly finished: Promise<ServerStats>;
  readonly #finish: (totals: ServerStats) => void;
  readonly #options: ServerOptions<Addr>;
  readonly #faults: FaultControl;
  readonly #acceptor: Acceptor;
  readonly #sessions = new Set<Session>();
  #Session!: typeof Session;
  readonly #startedAt = performance.now();
  #endedAt: number | undefined;
  #accepted = 0;
  #peak = 0;
  readonly #ended: { [Reason in EndReason]?: number } = {};
  // What the closed connections carried.
  #traffic: Traffic = { bytesRead: 0, bytesWritten: 0 };
  /** Its life: it serves, drains, or closes every connection at once. */
  #phase: "serving" | "draining" | "aborting" = "serving";
  #refed = true;
  readonly #sweepTimer: ReturnType<typeof setInterval>;
  #graceTimer: LongTimeout | undefined;

  /** Opens the listener, and closes it in the end. */
  constructor(options: ServerOptions<Addr>) {
    const { idleTimeout = Infinity, signal, maxHeldBytes } = options;
    this.#options = options;
    this.#faults = new FaultControl(options.faults, maxHeldBytes);
    const listener = options.open();
    this.addr = listener.addr;
    const { promise, resolve } = Promise.withResolvers<ServerStats>();
    this.finished = promise;
    this.#finish = resolve;
    this.#acceptor = new Acceptor(listener, {
      open: () => options.open(this.addr),
      // A program that only connects does not load what serves.
      ready: import("./session.ts").then(({ Session }) => {
        this.#Session = Session;
      }),
      limit: options.maxConnections ?? Infinity,
      // The socket to the upstream is opened with the client's, so that as many
      // connections are accepted as files are left for both.
      burst: !options.dial,
      onConnection: (conn) => this.#onConnection(conn),
      onAcceptError: (error) => notify(options.onAcceptError, error),
    });
    void this.#acceptor.closed.then(() => this.#finishIfEmpty());
    this.#acceptor.refuse(this.#faults.inForce.refuses);
    // Without an idle timeout too: a shutdown needs to know which are idle.
    this.#sweepTimer = setInterval(() => {
      for (const one of this.#sessions) one.closeIfIdle(idleTimeout);
    }, sweepInterval(idleTimeout));
    Deno.unrefTimer(this.#sweepTimer);
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort, { once: true });
    notify(options.onListen, this.addr);
  }

  stats(): ServerStats {
    let sum = this.#traffic;
    for (const session of this.#sessions) {
      sum = addTraffic(sum, session.stats());
    }
    const { faults = {}, ...bytes } = sum;
    return {
      open: this.#sessions.size,
      peak: this.#peak,
      accepted: this.#accepted,
      ...bytes,
      ended: { ...this.#ended },
      heldBytes: this.#faults.held.bytes,
      duration: (this.#endedAt ?? performance.now()) - this.#startedAt,
      ...(this.#faults.used ? { faults } : {}),
    };
  }

  setFaults(faults: FaultSetting | undefined): void {
    this.#faults.set(faults);
    this.#applyFaults();
  }

  injectFaults(faults: FaultSetting): Disposable {
    const scope = this.#faults.inject(faults, this.#applyFaults);
    this.#applyFaults();
    return scope;
  }

  // An arrow function, so that it can be passed as a callback, as with Deno.serve:
  // Deno.addSignalListener("SIGINT", server.shutdown).
  readonly shutdown = (): Promise<ServerStats> => {
    if (this.#phase !== "serving") return this.finished;
    this.#phase = "draining";
    this.#acceptor.close();
    const { grace = DEFAULT_GRACE_MS } = this.#options;
    // Before the drain, which may end the last connection at once.
    this.#graceTimer = setLongTimeout(() => {
      for (const session of this.#sessions) session.halfClose();
      this.#graceTimer = setLongTimeout(this.#abort, grace / 2);
    }, grace / 2);
    this.#faults.lift();
    for (const session of this.#sessions) {
      session.setFaults();
      session.drain();
    }
    return this.finished;
  };

  ref(): void {
    this.#keepAlive(true);
  }

  unref(): void {
    this.#keepAlive(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #keepAlive(refed: boolean): void {
    this.#refed = refed;
    for (const session of this.#sessions) session.keepAlive(refed);
    this.#acceptor.keepAlive(refed);
  }

  #onConnection(conn: Conn): void {
    const { dial, onOpen } = this.#options;
    const session = new this.#Session(conn, {
      id: ++this.#accepted,
      faults: this.#faults,
      dial: dial &&
        ((client, signal) => this.#acceptor.dial(() => dial(client, signal))),
      onClosed: this.#onClosed,
    });
    this.#sessions.add(session);
    this.#peak = Math.max(this.#peak, this.#sessions.size);
    if (!this.#refed) session.keepAlive(false);
    const { id, remoteAddr } = session;
    notify(onOpen, { id, remoteAddr });
    void session.start();
    // The callback, or that of an earlier connection, may have ended the server.
    if (this.#phase === "draining") session.drain();
    if (this.#phase === "aborting") session.abort();
  }

  #onClosed = (session: Session, summary: ClosedConnection): void => {
    this.#sessions.delete(session);
    this.#traffic = addTraffic(this.#traffic, summary);
    const { reason } = summary;
    this.#ended[reason] = (this.#ended[reason] ?? 0) + 1;
    notify(this.#options.onClose, summary);
    this.#acceptor.release();
    this.#finishIfEmpty();
  };

  #applyFaults = (): void => {
    if (this.#phase !== "serving") return this.#faults.lift();
    this.#acceptor.refuse(this.#faults.inForce.refuses);
    for (const session of this.#sessions) session.setFaults();
  };

  #abort = (): void => {
    this.#phase = "aborting";
    this.#acceptor.close();
    for (const session of this.#sessions) session.abort();
  };

  #finishIfEmpty(): void {
    const { isClosed } = this.#acceptor;
    if (!isClosed || this.#sessions.size > 0 || this.#endedAt) return;
    this.#endedAt = performance.now();
    clearLongTimeout(this.#graceTimer);
    clearInterval(this.#sweepTimer);
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#finish(this.stats());
  }
}
