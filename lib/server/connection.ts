/**
 * One accepted connection of a server: what it has carried, whether it is idle,
 * and why it ended. A handler serves it, such as the echo's relay.
 *
 * ```ts
 * import { FaultControl } from "../faults/fault_control.ts";
 * import { Connection } from "./connection.ts";
 * import { Relay } from "./relay.ts";
 *
 * const listener = Deno.listen({ port: 12345 });
 * const connection = new Connection(await listener.accept(), {
 *   id: 1,
 *   faults: new FaultControl(),
 *   createHandler: (conn, { onClosed }) => new Relay(conn, onClosed),
 *   onClosed: (_connection, { reason }) => console.log(reason),
 * });
 * connection.start();
 * ```
 *
 * @module
 */

import type { FaultControl } from "../faults/fault_control.ts";
import type { FaultPoint, Refusal } from "../faults/fault_point.ts";
import { TimedOutError } from "../net/errors.ts";
import type {
  ClosedConnection,
  Connection as ConnectionInfo,
  EndReason,
} from "../net/server.ts";
import { FaultPoints } from "./fault_points.ts";
import type { CreateHandler, Handler, HandlerTraffic } from "./handler.ts";
import type { Traffic } from "./traffic.ts";

/** What a connection of a server needs. */
export interface ConnectionOptions {
  /** The number of the connection. */
  id: number;
  /** Serves the connection. */
  createHandler: CreateHandler;
  /** Injects faults into the connection. */
  faults: FaultControl;
  /** See `FaultyConnOptions`. */
  limitReads?: boolean | undefined;
  /** Called once, after the connection is closed. */
  onClosed: (connection: Connection, summary: ClosedConnection) => void;
}

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
  // The accepted connection itself, without faults.
  readonly #conn: Deno.Conn;
  readonly #points: FaultPoints;
  readonly #client: FaultPoint;
  // Missing until the TLS handshake is done.
  #handler: Handler | undefined;
  #draining = false;
  // Set if this side ends the connection.
  #reason: EndReason | undefined;
  // Bytes in all directions at the last sweep that saw a change, and its time.
  #activeBytes = 0;
  #activeAt = this.acceptedAt;

  /** Takes a connection, which is served from `start()` on. */
  constructor(conn: Deno.Conn, options: ConnectionOptions) {
    const { id, faults, limitReads = false } = options;
    this.id = id;
    this.remoteAddr = conn.remoteAddr;
    this.#conn = conn;
    this.#options = options;
    this.#points = new FaultPoints(faults, {
      id,
      acceptedAt: this.acceptedAt,
      onRefused: (point, fault) => this.#refuse(point, fault),
    });
    this.#client = this.#points.attach(conn, {
      direction: "downstream",
      limitReads,
      onCut: () => this.#handler?.onCut?.(),
      onReset: () => this.#handler?.onReset?.(),
    });
  }

  /** Performs the TLS handshake, if there is one, and then starts the handler. */
  start(): void {
    if ("handshake" in this.#conn && !this.#isClosing()) {
      void this.#handshake(this.#conn as TlsConn);
    } else this.#serve();
  }

  /** What it has carried so far. Bytes that a fault holds back are not written. */
  stats(): Traffic {
    return {
      ...this.#traffic,
      faults: this.#points.counts,
    };
  }

  /** Keeps the process alive while the connection is open. */
  ref(): void {
    this.#points.ref();
  }

  /** Lets the process end while the connection is open. */
  unref(): void {
    this.#points.unref();
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
    const whole = this.#handler?.halfClosed && this.#isWhole;
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
    this.#handler?.close?.();
    // With faults, this drops what they hold back.
    this.#client.conn[Symbol.dispose]();
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
    if (this.#isClosing()) return this.#closed(undefined);
    // An echo is the reply to the bytes before it. To delay it until there is
    // more to send (Nagle, RFC 896) would only lengthen every round trip.
    try {
      if ("setNoDelay" in this.#conn) {
        (this.#conn as Deno.TcpConn).setNoDelay(true);
      }
    } catch {
      // The client has disconnected. The first read throws the error.
    }
    this.#handler = this.#options.createHandler(this.#client, {
      onClosed: (error, reason) => this.#ended(error, reason),
      attach: (conn, options) => {
        const point = this.#points.attach(conn, options);
        if (point.refusal) {
          point.conn[Symbol.dispose]();
          this.#refuse(point, point.refusal);
        }
        return point;
      },
    });
    // Faults may have ended the connection before it had a handler.
    if (this.#client.isCut) this.#handler.onCut?.();
    if (this.#client.isReset) this.#handler.onReset?.();
  }

  /** Whether it is closed before it is served, by a callback or a fault. */
  #isClosing(): boolean {
    const { refusal } = this.#client;
    if (refusal) this.#refuse(this.#client, refusal);
    return this.#reason !== undefined;
  }

  #refuse(point: FaultPoint, fault: Refusal): void {
    if (this.#reason === undefined) point.countRefusal(fault);
    this.close("fault");
  }

  /** The handler has ended. What faults hold back is sent before the close. */
  #ended(error: unknown, reason?: EndReason): void {
    this.#reason ??= reason;
    if (error !== undefined || !this.#client.isFaulty) {
      return this.#closed(error);
    }
    this.#client.flush().then(
      () => this.#closed(undefined),
      (failure) => this.#closed(failure),
    );
  }

  #closed(error: unknown): void {
    const { id, remoteAddr, acceptedAt } = this;
    this.#client.conn[Symbol.dispose]();
    this.#points.detach();
    const whole = this.#isWhole;
    if (this.#points.isCut) this.#reason = "fault";
    // Many TLS clients close the connection without ending the TLS session.
    if (error instanceof Deno.errors.UnexpectedEof && whole) error = undefined;
    const reason = this.#reason;
    const explains = !reason || reason === "handshake" ||
      reason === "unreachable";
    this.#options.onClosed(this, {
      id,
      remoteAddr,
      ...this.stats(),
      duration: performance.now() - acceptedAt,
      reason: reason ?? this.#reasonOf(error, whole),
      // If this side closed the connection, the error is only the consequence.
      error: explains ? error : undefined,
    });
  }

  #reasonOf(error: unknown, whole: boolean): EndReason {
    if (this.#draining && whole) return "shutdown";
    if (error) return "reset";
    return whole ? "closed" : "aborted";
  }

  /** Whether everything that was read was written. */
  get #isWhole(): boolean {
    return this.#handler?.isWhole ?? true;
  }

  get #traffic(): HandlerTraffic {
    return this.#handler?.traffic() ?? { bytesRead: 0, bytesWritten: 0 };
  }

  #bytes(): number {
    const { bytesRead, bytesWritten, upstream } = this.#traffic;
    return bytesRead + bytesWritten +
      (upstream ? upstream.bytesRead + upstream.bytesWritten : 0);
  }

  /** Whether the client has read its whole echo, as far as the sweeps can tell. */
  #isDrainIdle(): boolean {
    if (!this.#isWhole) return false;
    const bytes = this.#bytes();
    return bytes === 0 || bytes === this.#activeBytes &&
        performance.now() - this.#activeAt >= DRAIN_IDLE_MS;
  }
}

/** Not the class of `lib/tls`, which loads `node:tls`. */
type TlsConn = Deno.Conn & { handshake(): Promise<unknown> };
