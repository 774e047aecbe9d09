/**
 * One accepted connection of a server: what it has carried, whether it is idle,
 * and why it ended. A handler serves it, such as the echo's relay.
 *
 * ```ts
 * import { Connection } from "./connection.ts";
 * import { Relay } from "./relay.ts";
 *
 * const listener = Deno.listen({ port: 12345 });
 * const connection = new Connection(await listener.accept(), {
 *   id: 1,
 *   createHandler: (conn, onClosed) => new Relay(conn, onClosed),
 *   onClosed: (_connection, { reason }) => console.log(reason),
 * });
 * connection.start();
 * ```
 *
 * @module
 */

import { type FaultInjector, FaultyConn } from "../faults/faulty_conn.ts";
import { TimedOutError } from "../net/errors.ts";
import type { FaultCounts } from "../net/fault_options.ts";
import type {
  ClosedConnection,
  Connection as ConnectionInfo,
  EndReason,
  ServerStats,
} from "../net/options.ts";

/**
 * Serves a connection. Its counters stay at their last values once the
 * connection is closed.
 */
export interface Handler {
  /** Bytes read so far. */
  readonly bytesRead: number;
  /** Bytes written so far: fewer than were read while some are pending. */
  readonly bytesWritten: number;
  /** Whether the client was sent the end of input. */
  readonly halfClosed: boolean;
  /**
   * Half-closes the connection when the client pauses, and ends when the client
   * has closed its side too. An `idle` client has received all that was written.
   */
  drain(options: { idle: boolean }): void;
  /** Half-closes the connection without waiting for a pause. */
  halfClose(): void;
}

/**
 * Starts to serve a connection. The handler calls `onClosed` once, at the
 * earliest in the next microtask: when it is done, or with the error that ended
 * it, such as the one that follows when the connection is closed.
 */
export type CreateHandler = (
  conn: Deno.Conn,
  onClosed: (error?: unknown) => void,
) => Handler;

/** What a connection of a server needs. */
export interface ConnectionOptions {
  /** The number of the connection. */
  id: number;
  /** Serves the connection. */
  createHandler: CreateHandler;
  /** Injects faults into the connection. */
  injector?: FaultInjector | undefined;
  /** Called once, after the connection is closed. */
  onClosed: (connection: Connection, summary: ClosedConnection) => void;
}

/** What connections carried. */
export type Traffic = Pick<
  ServerStats,
  "bytesRead" | "bytesWritten" | "faults"
>;

/**
 * Milliseconds for the TLS handshake of a client. One that stalls occupies a
 * connection until then.
 */
const HANDSHAKE_MS = 10_000;

/**
 * Milliseconds without a byte after which a client counts as idle at a shutdown:
 * it has read its echo by then, or does not read at all.
 */
const DRAIN_IDLE_MS = 5_000;

/** An accepted connection. */
export class Connection implements ConnectionInfo {
  readonly id: number;
  readonly remoteAddr: Deno.Addr;
  /** When it was accepted, as `performance.now()` has it. */
  readonly acceptedAt: number = performance.now();
  readonly #options: ConnectionOptions;
  #conn: Deno.Conn;
  #faulty: FaultyConn | undefined;
  // Missing until the TLS handshake is done.
  #handler: Handler | undefined;
  #draining = false;
  // Set if this side ends the connection.
  #reason: EndReason | undefined;
  // Bytes in both directions at the last sweep that saw a change, and its time.
  #activeBytes = 0;
  #activeAt = this.acceptedAt;

  /** Takes a connection, which is served from `start()` on. */
  constructor(conn: Deno.Conn, options: ConnectionOptions) {
    this.id = options.id;
    this.remoteAddr = conn.remoteAddr;
    this.#conn = conn;
    this.#options = options;
  }

  /** Performs the TLS handshake, if there is one, and then starts the handler. */
  start(): void {
    if ("handshake" in this.#conn) void this.#handshake(this.#conn as TlsConn);
    else this.#serve();
  }

  /** What it has carried so far. Bytes that a fault delays are not written. */
  stats(): Traffic {
    return {
      bytesRead: this.#handler?.bytesRead ?? 0,
      bytesWritten: (this.#faulty ?? this.#handler)?.bytesWritten ?? 0,
      faults: this.#faulty?.faults,
    };
  }

  /** Keeps the process alive while the connection is open. */
  ref(): void {
    this.#conn.ref();
  }

  /** Lets the process end while the connection is open. */
  unref(): void {
    this.#conn.unref();
  }

  /** Drains the connection, or closes it if its handshake is not done. */
  drain(): void {
    this.#draining = true;
    if (this.#handler) this.#handler.drain({ idle: this.#isDrainIdle() });
    else this.close("shutdown");
  }

  /** Half-closes the connection without waiting for a pause. */
  halfClose(): void {
    this.#handler?.halfClose();
  }

  /** Closes the connection because the server ends now. */
  abort(): void {
    // A client that saw the end of input and stays connected has lost nothing.
    const whole = this.#handler?.halfClosed && this.#isWhole();
    this.close(whole ? "shutdown" : "aborted");
  }

  /** Closes the connection if nothing was carried for `timeout` milliseconds. */
  closeIfIdle(timeout: number): void {
    const now = performance.now();
    const bytes = this.#bytes();
    if (bytes !== this.#activeBytes) {
      this.#activeBytes = bytes;
      this.#activeAt = now;
    } else if (now - this.#activeAt >= timeout) {
      this.close("idle");
    }
  }

  /** Closes the connection. `onClosed` is called when the handler has ended. */
  close(reason: EndReason): void {
    this.#reason ??= reason;
    this.#conn[Symbol.dispose]();
  }

  async #handshake(conn: TlsConn): Promise<void> {
    let timeout: Error | undefined;
    const timer = setTimeout(() => {
      timeout = new TimedOutError(`no TLS handshake within ${HANDSHAKE_MS} ms`);
      this.close("handshake");
    }, HANDSHAKE_MS);
    Deno.unrefTimer(timer);
    try {
      await conn.handshake();
      this.#serve();
    } catch (error) {
      this.#reason ??= "handshake";
      this.#closed(timeout ?? error);
    } finally {
      clearTimeout(timer);
    }
  }

  #serve(): void {
    const { id, injector, createHandler } = this.#options;
    // An echo is the reply to the bytes before it. To delay it until there is
    // more to send (Nagle, RFC 896) would only lengthen every round trip.
    try {
      if ("setNoDelay" in this.#conn) {
        (this.#conn as Deno.TcpConn).setNoDelay(true);
      }
    } catch {
      // The client has disconnected. The first read throws the error.
    }
    if (injector) this.#conn = injector.inject(this.#conn, id);
    if (this.#conn instanceof FaultyConn) this.#faulty = this.#conn;
    this.#handler = createHandler(this.#conn, (error) => this.#closed(error));
  }

  #closed(error: unknown): void {
    this.#conn[Symbol.dispose]();
    const whole = this.#isWhole();
    if (this.#faulty?.endedByFault) this.#reason = "fault";
    // Many TLS clients close the connection without ending the TLS session.
    if (error instanceof Deno.errors.UnexpectedEof && whole) error = undefined;
    const reason = this.#reason;
    this.#options.onClosed(this, {
      id: this.id,
      remoteAddr: this.remoteAddr,
      ...this.stats(),
      duration: performance.now() - this.acceptedAt,
      reason: reason ?? this.#reasonOf(error, whole),
      // If this side closed the connection, the error is only the consequence.
      error: reason && reason !== "handshake" ? undefined : error,
    });
  }

  #reasonOf(error: unknown, whole: boolean): EndReason {
    if (this.#draining && whole) return "shutdown";
    if (error) return "reset";
    return whole ? "closed" : "aborted";
  }

  /** Whether everything that was read was written. */
  #isWhole(): boolean {
    const { bytesRead, bytesWritten } = this.stats();
    return bytesRead === bytesWritten;
  }

  #bytes(): number {
    const { bytesRead, bytesWritten } = this.stats();
    return bytesRead + bytesWritten;
  }

  /** Whether the client has read its whole echo, as far as the sweeps can tell. */
  #isDrainIdle(): boolean {
    if (!this.#isWhole()) return false;
    const bytes = this.#bytes();
    return bytes === 0 || bytes === this.#activeBytes &&
        performance.now() - this.#activeAt >= DRAIN_IDLE_MS;
  }
}

/** Not the class of `lib/tls`, which loads `node:tls`. */
type TlsConn = Deno.Conn & { handshake(): Promise<unknown> };

/** Adds what one connection carried to a sum. */
export function addTraffic(
  sum: { bytesRead: number; bytesWritten: number; faults: FaultCounts },
  { bytesRead, bytesWritten, faults = {} }: Traffic,
): void {
  sum.bytesRead += bytesRead;
  sum.bytesWritten += bytesWritten;
  for (const [key, count] of Object.entries(faults)) {
    const fault = key as keyof FaultCounts;
    sum.faults[fault] = (sum.faults[fault] ?? 0) + count;
  }
}
