/**
 * The proxy of one connection: it connects to the upstream, and copies in both
 * directions. It passes on when a side has sent everything, each direction by
 * itself, and ends when both have.
 *
 * A side that is reset ends the other at once. A side that does not take any more,
 * such as a server that answers early and closes, may still have something to say:
 * what is sent to it is dropped, and the other direction goes on.
 *
 * ```ts
 * import { Forwarder } from "./forwarder.ts";
 *
 * const conn = await Deno.listen({ port: 12345 }).accept();
 * new Forwarder({ conn, pending: 0 }, {
 *   dial: () => Deno.connect({ port: 6379 }),
 *   onClosed: () => conn.close(),
 *   attach: (conn) => ({ conn, pending: 0 }),
 * });
 * ```
 *
 * @module
 */

import { DEFAULT_GRACE_MS } from "../net/defaults.ts";
import { EchoError } from "../net/errors.ts";
import { describeError } from "../net/system_error.ts";
import { Copy, type CopyEvents, type CopyObserver } from "./copy.ts";
import type {
  Handler,
  HandlerContext,
  HandlerTraffic,
  ServedConn,
} from "./handler.ts";
import { IDLE_LINGER_MS } from "./relay.ts";

/** What a forwarder needs besides the client. */
export interface ForwarderOptions extends HandlerContext {
  /** Connects to the upstream. It adds its own context to its errors. */
  dial(signal: AbortSignal): Promise<Deno.Conn>;
}

/**
 * Milliseconds without data in both directions, after the upstream has answered,
 * in which a drained connection counts as unused: longer than a delayed
 * acknowledgement (40 ms), and than the gaps in a reply on a local network.
 */
const PAUSE_MS = 100;

/**
 * Milliseconds in which a side may close after the other one has closed and no
 * longer takes data: closing earlier could reset it before it has read everything
 * (RFC 2525, section 2.17). As long as a shutdown gives it by default.
 */
const LINGER_MS = DEFAULT_GRACE_MS;

// The phases: connecting; forwarding; ends when the client pauses; half-closed, or
// cut by a fault; closed. They are numbers in this order, because they are compared.
const DIALING = 0, FORWARDING = 1, DRAINING = 2, HALF_CLOSED = 3, CLOSED = 4;

/** One direction. */
interface Flow {
  readonly copy: Copy;
  /** What the copy reads, and what it writes to. */
  readonly from: ServedConn;
  readonly to: ServedConn;
  /** Whether the source has sent everything, and the destination knows. */
  done: boolean;
}

/** A connection to an upstream for a client. */
export class Forwarder implements Handler, CopyEvents, CopyObserver {
  readonly #client: ServedConn;
  readonly #options: ForwarderOptions;
  readonly #dialing = new AbortController();
  #phase: number = DIALING;
  #upstream: ServedConn | undefined;
  // To the upstream, and to the client; empty until there is an upstream.
  #flows: readonly [Flow, Flow] | undefined;
  #idle = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Starts to connect to the upstream. */
  constructor(client: ServedConn, options: ForwarderOptions) {
    this.#client = client;
    this.#options = options;
    options.dial(this.#dialing.signal).then(
      (conn) => this.#forward(conn),
      (error) => this.#end(error),
    );
  }

  /** The bytes of both sides. */
  traffic(): HandlerTraffic {
    const [sent, received] = this.#flows ?? [];
    return {
      bytesRead: sent?.copy.bytesRead ?? 0,
      bytesWritten: writtenBy(received),
      upstream: {
        bytesRead: received?.copy.bytesRead ?? 0,
        bytesWritten: writtenBy(sent),
      },
    };
  }

  /** Whether everything that was read was written, in both directions. */
  get isWhole(): boolean {
    return this.#flows?.every((flow) =>
      flow.copy.bytesRead === writtenBy(flow)
    ) ?? true;
  }

  /** Whether the client was sent the end of input, or the connection has ended. */
  get halfClosed(): boolean {
    return this.#phase === CLOSED || (this.#flows?.[1].done ?? false);
  }

  /**
   * Ends the connection once it is unused: the upstream has answered, and nothing
   * was sent for a while. Then the upstream gets the end of input, and what it still
   * sends is passed on until it closes. An `idle` client is not waited for.
   */
  drain({ idle }: { idle: boolean }): void {
    if (this.#phase === DIALING) return this.#end(undefined);
    if (this.#phase !== FORWARDING) return;
    this.#phase = DRAINING;
    this.#idle = idle;
    for (const { copy } of this.#flows!) copy.observer = this;
    this.#waitForPause();
  }

  /** Sends the end of input to both sides, whatever they do. */
  halfClose(): void {
    if (this.#phase > DRAINING) return;
    this.#endUpstream();
    this.#client.conn.closeWrite().catch(() => {});
  }

  /** A fault has cut one side: what the client still sends is dropped. */
  onCut(): void {
    if (!this.#flows || this.#phase === CLOSED) return;
    const [sent, received] = this.#flows;
    this.#phase = HALF_CLOSED;
    sent.copy.discarding = true;
    received.copy.stop();
    this.#upstream!.conn[Symbol.dispose]();
    this.#client.conn.closeWrite().catch(() => {});
    this.#linger(LINGER_MS);
  }

  /** Closes the connection to the upstream. */
  close(): void {
    this.#dialing.abort();
    this.#upstream?.conn[Symbol.dispose]();
  }

  /** A side has sent everything. */
  onEof(copy: Copy): void {
    const flow = this.#flowOf(copy);
    copy.stop();
    // A destination that is gone is noticed where it is read from.
    flow.to.conn.closeWrite().catch(() => {})
      .then(() => this.#finished(flow));
  }

  /** A side was reset. */
  onReadError(copy: Copy, error: unknown): void {
    this.#end(this.#blame(this.#flowOf(copy).from, error));
  }

  /** A side does not take any more. */
  onWriteError(copy: Copy): void {
    copy.discard();
    if (this.#reverseOf(this.#flowOf(copy)).done) this.#linger(LINGER_MS);
  }

  /** Nothing: in a drain, a timer looks whether both directions wait. */
  onWaiting(): void {}

  /** Data in a drain, which begins anew to wait for the end. */
  onData(): void {
    if (this.#phase === DRAINING) {
      this.#idle = false;
      this.#waitForPause();
    } else if (this.#idle) this.#linger(IDLE_LINGER_MS);
  }

  #forward(conn: Deno.Conn): void {
    if (this.#phase === CLOSED || this.#dialing.signal.aborted) {
      conn[Symbol.dispose]();
      return this.#end(undefined);
    }
    const client = this.#client;
    const upstream: ServedConn = this.#options.attach(conn, {
      direction: "upstream",
      onCut: () => this.onCut(),
    });
    this.#upstream = upstream;
    this.#phase = FORWARDING;
    const flow = (from: ServedConn, to: ServedConn): Flow => {
      return { copy: new Copy(from, to, this), from, to, done: false };
    };
    this.#flows = [flow(client, upstream), flow(upstream, client)];
    for (const { copy } of this.#flows) copy.start();
  }

  #finished(flow: Flow): void {
    flow.done = true;
    const reverse = this.#reverseOf(flow);
    // Stopped but not done, if a fault has cut a side.
    if (
      reverse.copy.isStopped && (reverse.done || this.#phase === HALF_CLOSED)
    ) {
      return this.#end(undefined);
    }
    if (reverse.copy.discarding && !this.#idle) this.#linger(LINGER_MS);
  }

  /** Whether the last data was the upstream's, as a reply is, and all is written. */
  get #isUnused(): boolean {
    const [sent, received] = this.#flows!;
    const isStill = ({ copy, done }: Flow) => copy.isWaiting || done;
    return received.copy.lastRead >= sent.copy.lastRead && isStill(sent) &&
      isStill(received) && this.isWhole;
  }

  #waitForPause(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#isUnused) this.#endUpstream();
      else this.#waitForPause();
    }, PAUSE_MS);
  }

  /** Sends the end of input to the upstream. What the client sends is dropped. */
  #endUpstream(): void {
    clearTimeout(this.#timer);
    this.#phase = HALF_CLOSED;
    const [sent] = this.#flows!;
    sent.copy.discarding = true;
    sent.to.conn.closeWrite().catch(() => {});
    if (this.#idle) this.#linger(IDLE_LINGER_MS);
  }

  #linger(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(undefined), ms);
  }

  #end(error: unknown): void {
    if (this.#phase === CLOSED) return;
    const unreachable = this.#phase === DIALING && error !== undefined;
    this.#phase = CLOSED;
    clearTimeout(this.#timer);
    for (const { copy } of this.#flows ?? []) copy.stop();
    this.close();
    this.#options.onClosed(error, unreachable ? "unreachable" : undefined);
  }

  #blame(side: ServedConn, error: unknown): unknown {
    return side === this.#client
      ? error
      : new EchoError(`the upstream failed: ${describeError(error)}`, {
        cause: error,
      });
  }

  #flowOf(copy: Copy): Flow {
    const [sent, received] = this.#flows!;
    return sent.copy === copy ? sent : received;
  }

  #reverseOf(flow: Flow): Flow {
    const [sent, received] = this.#flows!;
    return flow === sent ? received : sent;
  }
}

/** Bytes that a direction has written, without those that faults hold back. */
function writtenBy(flow: Flow | undefined): number {
  return flow ? flow.copy.bytesWritten - flow.to.pending : 0;
}
