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

import { LINGER_MS } from "../faults/faulty_conn.ts";
import { EchoError } from "../net/errors.ts";
import type { EndReason } from "../net/server.ts";
import { describeError } from "../net/system_error.ts";
import { Flow, type FlowEvents } from "./flow.ts";
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

// The phases: connecting; forwarding; ends when the client pauses; half-closed, or
// cut by a fault; closed. They are numbers in this order, because they are compared.
const DIALING = 0, FORWARDING = 1, DRAINING = 2, HALF_CLOSED = 3, CLOSED = 4;

/** A connection to an upstream for a client. */
export class Forwarder implements Handler, FlowEvents {
  readonly #client: ServedConn;
  readonly #options: ForwarderOptions;
  readonly #dialing = new AbortController();
  #phase: number = DIALING;
  #upstream: ServedConn | undefined;
  // To the upstream, and to the client; empty until there is an upstream.
  #flows: readonly [Flow, Flow] | undefined;
  #idle = false;
  #closing = false;
  // Whether a fault has cut the client's side.
  #cut = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Starts to connect to the upstream. */
  constructor(client: ServedConn, options: ForwarderOptions) {
    this.#client = client;
    this.#options = options;
    options.dial(this.#dialing.signal).then(
      (conn) => this.#forward(conn),
      (error) => this.#end(error, "unreachable"),
    );
  }

  /** The bytes of both sides. */
  traffic(): HandlerTraffic {
    const [sent, received] = this.#flows ?? [];
    return {
      bytesRead: sent?.copy.bytesRead ?? 0,
      bytesWritten: received?.bytesWritten ?? 0,
      upstream: {
        bytesRead: received?.copy.bytesRead ?? 0,
        bytesWritten: sent?.bytesWritten ?? 0,
      },
    };
  }

  /** Whether everything that was read was written, in both directions. */
  get isWhole(): boolean {
    return this.#flows?.every((flow) => flow.isWhole) ?? true;
  }

  /** Whether the client was sent the end of input, or the connection has ended. */
  get halfClosed(): boolean {
    return this.#phase === CLOSED || (this.#flows?.[1].ended ?? false);
  }

  /**
   * Ends the connection once it is unused: the upstream has answered, and nothing
   * was sent for a while. Then the upstream gets the end of input, and what it still
   * sends is passed on until it closes. An `idle` client is not waited for.
   */
  drain({ idle }: { idle: boolean }): void {
    if (this.#phase === DIALING) return this.#end();
    if (this.#phase !== FORWARDING || this.#closing) return;
    this.#phase = DRAINING;
    this.#idle = idle;
    for (const flow of this.#flows!) flow.watch();
    this.#waitForPause();
  }

  /**
   * Sends the end of input to the upstream without waiting for a pause. The client
   * still gets what the upstream sends: the rest of a long reply, for example.
   */
  halfClose(): void {
    if (this.#phase === DIALING) return this.#end();
    if (this.#phase > DRAINING || this.#closing) return;
    this.#endUpstream();
  }

  /** A fault has cut the client's side: what the client still sends is dropped. */
  onCut(): void {
    if (this.#phase === CLOSED) return;
    if (this.#phase === DIALING) return this.#end();
    const [sent, received] = this.#flows!;
    this.#phase = HALF_CLOSED;
    this.#cut = true;
    sent.copy.discarding = true;
    received.copy.stop();
    this.#upstream!.conn[Symbol.dispose]();
    if (sent.done) this.#end();
    else this.#closeSoon();
  }

  /** A fault has reset a side. */
  onReset(): void {
    this.#end(new Deno.errors.ConnectionAborted("reset by a fault"));
  }

  /** Closes the connection to the upstream. */
  close(): void {
    this.#dialing.abort();
    this.#upstream?.conn[Symbol.dispose]();
  }

  /** A side has sent everything, and the other one knows. */
  onDone(flow: Flow): void {
    if (this.#phase === CLOSED) return;
    const { copy, done } = this.#reverseOf(flow);
    if (done || this.#cut) return this.#end();
    if (copy.discarding && !this.#idle) this.#closeSoon();
  }

  /** A side was reset. */
  onReadError({ from }: Flow, error: unknown): void {
    this.#end(from === this.#client ? error : upstreamError(error));
  }

  /** A side does not take any more. */
  onWriteError(flow: Flow): void {
    flow.copy.discard();
    if (this.#reverseOf(flow).done) this.#closeSoon();
  }

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
      return this.#end();
    }
    const client = this.#client;
    this.#phase = FORWARDING;
    const upstream = this.#upstream = this.#options.attach(conn, {
      direction: "upstream",
      // In a microtask, because a fault may take effect while it is attached.
      onCut: () => queueMicrotask(() => this.#onUpstreamCut()),
      onReset: () => queueMicrotask(() => this.onReset()),
    });
    this.#flows = [
      new Flow(client, upstream, this),
      new Flow(upstream, client, this),
    ];
    for (const { copy } of this.#flows) copy.start();
  }

  /** A fault has cut the upstream's side. Neither side hears any more of the other. */
  #onUpstreamCut(): void {
    if (this.#phase === CLOSED) return;
    this.#phase = HALF_CLOSED;
    const [sent, received] = this.#flows!;
    sent.copy.discarding = true;
    received.finish();
    this.#closeSoon();
  }

  /** Whether the last data was the upstream's, as a reply is, and all is written. */
  get #isUnused(): boolean {
    const [sent, received] = this.#flows!;
    return received.copy.lastRead >= sent.copy.lastRead && sent.isStill &&
      received.isStill;
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
    this.#flows![0].finish();
    if (this.#idle) this.#linger(IDLE_LINGER_MS);
  }

  /** Ends in a while, however often it is called. */
  #closeSoon(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#linger(LINGER_MS);
  }

  #linger(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), ms);
  }

  #end(error?: unknown, reason?: EndReason): void {
    if (this.#phase === CLOSED) return;
    this.#phase = CLOSED;
    clearTimeout(this.#timer);
    for (const { copy } of this.#flows ?? []) copy.stop();
    this.close();
    this.#options.onClosed(error, reason);
  }

  #reverseOf(flow: Flow): Flow {
    const [sent, received] = this.#flows!;
    return flow === sent ? received : sent;
  }
}

function upstreamError(cause: unknown): EchoError {
  return new EchoError(`the upstream failed: ${describeError(cause)}`, {
    cause,
  });
}
