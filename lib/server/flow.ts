/**
 * One direction of a forwarded connection: a copy, and the end of input that it
 * passes on.
 *
 * ```ts
 * import { Flow } from "./flow.ts";
 *
 * const client = { conn: await Deno.listen({ port: 7 }).accept(), pending: 0 };
 * const upstream = { conn: await Deno.connect({ port: 8 }), pending: 0 };
 * const flow = new Flow(client, upstream, {
 *   onDone: (flow) => flow.from.conn.close(),
 *   onReadError: (flow) => flow.copy.stop(),
 *   onWriteError: (flow) => flow.copy.discard(),
 *   onData: () => {},
 * });
 * flow.copy.start();
 * ```
 *
 * @module
 */

import { Copy, type CopyEvents, type CopyObserver } from "./copy.ts";
import type { ServedConn } from "./handler.ts";

/** What happens to a flow. */
export interface FlowEvents {
  /** The source has sent everything, and the destination has the end of input. */
  onDone(flow: Flow): void;
  /** The source failed. */
  onReadError(flow: Flow, error: unknown): void;
  /** The destination failed. */
  onWriteError(flow: Flow): void;
  /** Data was read. Called only after `watch`. */
  onData(flow: Flow): void;
}

/** What flows from one connection to another. */
export class Flow implements CopyEvents, CopyObserver {
  /** Copies the bytes. The owner starts it, and stops it at last. */
  readonly copy: Copy;
  /** What the copy reads. */
  readonly from: ServedConn;
  /** What it writes to. */
  readonly to: ServedConn;
  /** Whether the source has sent everything, and the destination knows. */
  done = false;
  /** Whether the destination was sent the end of input. */
  ended = false;
  readonly #events: FlowEvents;
  #finishing = false;

  /** Does nothing until its copy is started. */
  constructor(from: ServedConn, to: ServedConn, events: FlowEvents) {
    this.from = from;
    this.to = to;
    this.#events = events;
    this.copy = new Copy(from, to, this);
  }

  /** Bytes written so far, without those that faults hold back. */
  get bytesWritten(): number {
    return this.copy.bytesWritten - this.to.pending;
  }

  /** Whether everything that was read was written. */
  get isWhole(): boolean {
    return this.copy.bytesRead === this.bytesWritten;
  }

  /** Whether everything is written, and the source pauses or has finished. */
  get isStill(): boolean {
    return (this.copy.isWaiting || this.done) && this.isWhole;
  }

  /** Reports data from now on. */
  watch(): void {
    this.copy.observer = this;
  }

  /**
   * Sends the end of input after the current chunk, whatever the source does. What
   * it sends after that is dropped.
   */
  finish(): void {
    this.#finishing = true;
    this.watch();
    if (this.copy.isWaiting) this.onWaiting();
  }

  /** The last chunk is written. */
  onWaiting(): void {
    if (!this.#finishing) return;
    this.#finishing = false;
    this.copy.discarding = true;
    void this.#end();
  }

  /** The source has sent more. */
  onData(): void {
    this.#events.onData(this);
  }

  /** The source has sent everything. */
  onEof(): void {
    this.copy.stop();
    void this.#end().then(() => {
      this.done = true;
      this.#events.onDone(this);
    });
  }

  /** The source failed. */
  onReadError(_copy: Copy, error: unknown): void {
    this.#events.onReadError(this, error);
  }

  /** The destination failed. */
  onWriteError(): void {
    this.#events.onWriteError(this);
  }

  async #end(): Promise<void> {
    this.ended = true;
    try {
      await this.to.conn.closeWrite();
    } catch {
      // A destination that is gone is noticed where it is read from.
    }
  }
}
