/**
 * The echo of one connection (RFC 862): it writes back what it reads, until the
 * client has half-closed the connection and everything is written.
 *
 * ```ts
 * import { Relay } from "./relay.ts";
 *
 * const listener = Deno.listen({ port: 12345 });
 * const conn = await listener.accept();
 * new Relay({ conn, pending: 0 }, () => conn.close());
 * ```
 *
 * @module
 */

import { Copy, type CopyEvents, type CopyObserver } from "./copy.ts";
import type { Handler, HandlerTraffic, ServedConn } from "./handler.ts";

/** Milliseconds without data after which a client has paused. */
const PAUSE_MS = 10;

/**
 * Milliseconds of silence after which an idle client is closed once it was sent
 * the end of input: what it sent before that reached it has arrived by then. The
 * initial retransmission timeout of RFC 6298 assumes the same round-trip time.
 */
export const IDLE_LINGER_MS = 1_000;

// The phases, after the states of TCP (RFC 9293): echo; half-close when the
// client pauses; half-close after the current chunk; discard until the client
// closes; closed. They are numbers in this order, because they are compared.
const ECHOING = 0, DRAINING = 1, HALF_CLOSING = 2, HALF_CLOSED = 3, CLOSED = 4;

/** The echo of a connection. */
export class Relay implements Handler, CopyEvents, CopyObserver {
  readonly #client: ServedConn;
  readonly #onClosed: (error?: unknown) => void;
  readonly #copy: Copy;
  #phase: number = ECHOING;
  #idle = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts to echo. `onClosed` is called once, with the error that ended the
   * echo, if there is one. It must close the connection.
   */
  constructor(client: ServedConn, onClosed: (error?: unknown) => void) {
    this.#client = client;
    this.#onClosed = onClosed;
    this.#copy = new Copy(client, client, this);
    this.#copy.start();
  }

  /** The bytes of the echo. */
  traffic(): HandlerTraffic {
    const { bytesRead, bytesWritten } = this.#copy;
    return { bytesRead, bytesWritten: bytesWritten - this.#client.pending };
  }

  /** Whether everything that was read was written back. */
  get isWhole(): boolean {
    const { bytesRead, bytesWritten } = this.traffic();
    return bytesRead === bytesWritten;
  }

  /** Whether the client was sent the end of input, or the echo has ended. */
  get halfClosed(): boolean {
    return this.#phase >= HALF_CLOSED;
  }

  /**
   * Half-closes the connection once the client pauses. What it sends after that
   * is discarded.
   *
   * The echo ends when the client closes its side too. There is no time limit
   * here: if the connection were closed while the client still sends, the client
   * would receive a reset, which destroys echo that it has not read (RFC 2525,
   * section 2.17). The owner sets the limit by closing the connection.
   *
   * An `idle` client has no unread echo, so it is closed after one second of
   * silence. Otherwise each client that keeps an unused connection open would
   * delay the end.
   */
  drain({ idle = false }: { idle?: boolean } = {}): void {
    if (this.#phase !== ECHOING) return;
    this.#phase = DRAINING;
    this.#idle = idle;
    this.#observe();
  }

  /** Does the same after the current chunk, without waiting for a pause. */
  halfClose(): void {
    if (this.#phase > DRAINING) return;
    clearTimeout(this.#timer);
    this.#phase = HALF_CLOSING;
    this.#observe();
  }

  /** Everything that was read is written back. */
  onWaiting(): void {
    if (this.#phase === HALF_CLOSING) this.#sendFin();
    else if (this.#phase === DRAINING) this.#waitForPause();
  }

  /** The client has sent more. */
  onData(): void {
    if (this.#phase === HALF_CLOSED) {
      if (this.#timer !== undefined) this.#linger();
      return;
    }
    clearTimeout(this.#timer);
    this.#idle = false;
  }

  /**
   * The client has half-closed the connection. The echo is complete, which TLS says
   * with close_notify.
   */
  onEof(): void {
    this.#client.conn.closeWrite().then(
      () => this.#end(),
      (error) => this.#end(error),
    );
  }

  /** The connection failed. */
  onReadError(_copy: Copy, error: unknown): void {
    this.#end(error);
  }

  /** The connection failed. */
  onWriteError(_copy: Copy, error: unknown): void {
    this.#end(error);
  }

  #observe(): void {
    this.#copy.observer = this;
    if (this.#copy.isWaiting) this.onWaiting();
  }

  #waitForPause(): void {
    // Half of the time, twice: if the process was busy, a due timer runs before
    // the data that arrived meanwhile, and the next timer after it.
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(() => this.#sendFin(), PAUSE_MS / 2);
    }, PAUSE_MS / 2);
  }

  #sendFin(): void {
    this.#phase = HALF_CLOSED;
    this.#timer = undefined;
    this.#copy.discarding = true;
    this.#client.conn.closeWrite().then(
      () => this.#linger(),
      (error) => this.#end(error),
    );
  }

  #linger(): void {
    if (this.#phase === CLOSED || !this.#idle) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), IDLE_LINGER_MS);
  }

  #end(error?: unknown): void {
    if (this.#phase === CLOSED) return;
    this.#phase = CLOSED;
    clearTimeout(this.#timer);
    this.#copy.stop();
    this.#onClosed(error);
  }
}
