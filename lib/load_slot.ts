/**
 * The place of one connection in a load run: it outlives the connection, replaces
 * it when it is lost, and keeps its counts.
 *
 * A connection that failed is replaced after a pause. One that the server closed
 * while no message was under way is replaced when the next message is due, as a
 * client that keeps connections open for later would do, and is no error.
 *
 * @module
 */

import { Backoff } from "./backoff.ts";
import { connect, type ConnectOptions } from "./echo.ts";
import { LoadConnection } from "./load_connection.ts";
import { place } from "./place.ts";
import { delay } from "./timeout.ts";

/** Connections made at the same time, so that no backlog overflows. */
const CONNECTING = 64;

/** The pauses between attempts to replace a lost connection; see backoff.ts. */
const BACKOFF_MS = { first: 50, last: 2_000 };

/** What a slot reports. */
export interface LoadSlotHandlers {
  /** An echo came back whole, `now`, after a round trip of so many ms. */
  onReply(slot: LoadSlot, now: number, trip: number): void;
  /** The connection failed, and a message with it; or one cannot be made. */
  onError(slot: LoadSlot, error: unknown, lostMessage: boolean): void;
  /** A lost connection was replaced. */
  onReplaced(slot: LoadSlot): void;
}

/** What all slots of a run share. */
export interface LoadSlotOptions {
  /** Where to connect to. */
  to: ConnectOptions;
  /** Bytes of a message. */
  size: number;
  /** No connection is replaced once it is aborted. */
  signal: AbortSignal;
  /** Called on its events. */
  handlers: LoadSlotHandlers;
}

/** See the module. */
export class LoadSlot {
  /** Counts the slots of a run from 0. */
  readonly index: number;
  /** Echoes that came back whole. */
  messages = 0;
  /** Connections that were replaced because the server had closed them. */
  reconnects = 0;
  /** The time from which the latency of the message under way counts. */
  from = 0;
  readonly #options: LoadSlotOptions;
  #connection: LoadConnection | undefined;
  #waiting = false;
  #closedByServer = false;
  #replacing = false;

  /** Opens nothing yet. */
  constructor(index: number, options: LoadSlotOptions) {
    this.index = index;
    this.#options = options;
  }

  /** Whether a message is under way. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Whether there is a connection. */
  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Connects. @throws what `connect` throws. */
  async open(options: ConnectOptions = this.#options.to): Promise<void> {
    const { size, handlers } = this.#options;
    const conn = await connect(options);
    const connection = new LoadConnection(conn, {
      size,
      attempt: `Cannot load ${place(options)}`,
      handlers: {
        onReply: (now) => {
          this.messages++;
          this.#waiting = false;
          handlers.onReply(this, now, now - connection.sentAt);
        },
        onError: (error) => this.#lose(error),
        onClose: () => {
          this.#connection = undefined;
          this.#closedByServer = true;
        },
      },
    });
    this.#connection = connection;
  }

  /** Sends message `number`, at `now`, which counts from `from`. */
  send(number: number, from: number, now: number): void {
    this.from = from;
    this.#waiting = true;
    this.#connection!.send(number, now);
  }

  /** Notices from now on if the server closes the connection. */
  watch(): void {
    this.#connection?.watch();
  }

  /** Gives up a message that has been under way for too long. */
  expire(now: number, timeout: number): void {
    this.#connection?.expire(now, timeout);
  }

  /** Makes a new connection, unless that is under way. */
  async replace(): Promise<void> {
    if (this.#replacing) return;
    this.#replacing = true;
    const { to, signal, handlers } = this.#options;
    const backoff = new Backoff(BACKOFF_MS);
    const reconnect = this.#closedByServer;
    this.#closedByServer = false;
    try {
      if (!reconnect) await delay(backoff.next(), { signal });
      while (!this.#connection) {
        try {
          await this.open({ ...to, wait: 0, signal });
        } catch (error) {
          if (signal.aborted) return;
          handlers.onError(this, error, false);
          await delay(backoff.next(), { signal });
        }
      }
    } catch {
      // The pause was cut short, as no connection is needed any more.
      return;
    } finally {
      this.#replacing = false;
    }
    // It may have been made at the very end.
    if (signal.aborted) return this.close();
    if (reconnect) this.reconnects++;
    handlers.onReplaced(this);
  }

  /** Closes the connection without a report. */
  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #lose(error: Error): void {
    const lostMessage = this.#waiting;
    this.#connection = undefined;
    this.#waiting = false;
    this.#options.handlers.onError(this, error, lostMessage);
  }
}

/** Connects all slots. @throws what `connect` throws first. */
export async function openAll(slots: readonly LoadSlot[]): Promise<void> {
  const left = slots.values();
  const worker = async () => {
    for (const slot of left) await slot.open();
  };
  const workers = Array.from({ length: CONNECTING }, worker);
  for (const result of await Promise.allSettled(workers)) {
    if (result.status === "rejected") throw result.reason;
  }
}
