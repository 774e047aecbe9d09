/**
 * The slot of one connection in a load run. It outlives the connection, replaces it
 * when it is lost, and keeps its counts.
 *
 * A connection that failed is replaced after a pause. A connection that the server
 * closed while no message was in flight is replaced when the next message is due.
 * That is not an error: clients with a connection pool do the same. A connection
 * that carried all the messages it may is closed and replaced at once.
 *
 * @module
 */

import { Backoff } from "../net/backoff.ts";
import { LoadConnection } from "./load_connection.ts";
import { addContext } from "../net/errors.ts";
import { sleep } from "../net/timeout.ts";

/** Connections that are being made at the same time. More overflow a backlog. */
const MAX_CONNECTING = 64;

/** Milliseconds between attempts to replace a lost connection. */
const BACKOFF_MS = { first: 50, last: 2_000 };

/**
 * Connects to the server. With a signal, it makes one attempt, which the signal
 * aborts; without, it retries for as long as the user asked for.
 */
export type DialFunction = (signal?: AbortSignal) => Promise<Deno.Conn>;

/** The events of a slot. */
export interface LoadSlotHandlers {
  /** A whole echo came back at `now`, `trip` milliseconds after it was sent. */
  onReply(slot: LoadSlot, now: number, trip: number): void;
  /** The connection failed, or could not be made. A message may be lost. */
  onError(slot: LoadSlot, error: unknown, lostMessage: boolean): void;
  /** A lost connection was replaced. */
  onReplaced(slot: LoadSlot): void;
}

/** What the slots of a run share. */
export interface LoadSlotOptions {
  /** Connects. It adds its own context to its errors. */
  dial: DialFunction;
  /** What the messages of other errors start with. */
  action: string;
  /** Bytes of a message. */
  size: number;
  /** Messages per connection. Without it, there is no limit. */
  reconnect?: number | undefined;
  /** Stops the replacing of connections. */
  signal: AbortSignal;
  /** The receiver of its events. */
  handlers: LoadSlotHandlers;
}

/** A slot; see above. */
export class LoadSlot {
  /** The number of the slot, from 0. */
  readonly index: number;
  /** Messages whose whole echo came back and counts. */
  messages = 0;
  /** Whether the message in flight counts. In the warm-up, none does. */
  measured = false;
  /** Connections that the server closed between messages, and that were replaced. */
  reconnects = 0;
  /** When the latency of the message in flight started to count. */
  from = 0;
  /** Milliseconds that making the connection took. */
  connectTime = 0;
  /** The connection, unless it was lost. */
  connection: LoadConnection | undefined;
  readonly #options: LoadSlotOptions;
  #closedByServer = false;
  #retired = false;
  #replacing = false;

  /** Does not connect yet. */
  constructor(index: number, options: LoadSlotOptions) {
    this.index = index;
    this.#options = options;
  }

  /** Whether the connection carried all the messages it may. */
  get usedUp(): boolean {
    return this.connection?.replies === this.#options.reconnect;
  }

  /** Connects. @throws what `dial` throws. */
  async open(signal?: AbortSignal): Promise<void> {
    const { size, handlers, dial, action } = this.#options;
    const started = performance.now();
    const conn = await dial(signal);
    this.connectTime = performance.now() - started;
    const connection = new LoadConnection(conn, {
      size,
      handlers: {
        onReply: (now) => handlers.onReply(this, now, now - connection.sentAt),
        onError: (error, lostMessage) => {
          this.connection = undefined;
          handlers.onError(this, addContext(action, error), lostMessage);
        },
        onClose: () => {
          this.connection = undefined;
          this.#closedByServer = true;
        },
      },
    });
    this.connection = connection;
  }

  /** Closes the connection. The next one is made without a pause. */
  retire(): void {
    this.close();
    this.#retired = true;
  }

  /** Makes a new connection, unless one is being made. */
  async replace(): Promise<void> {
    if (this.#replacing) return;
    this.#replacing = true;
    const { signal, handlers } = this.#options;
    const backoff = new Backoff(BACKOFF_MS);
    const reconnect = this.#closedByServer;
    const inOrder = reconnect || this.#retired;
    this.#closedByServer = this.#retired = false;
    try {
      if (!inOrder) await sleep(backoff.next(), signal);
      while (!this.connection) {
        try {
          await this.open(signal);
        } catch (error) {
          if (signal.aborted) return;
          handlers.onError(this, error, false);
          await sleep(backoff.next(), signal);
        }
      }
    } catch {
      // The pause was aborted: no connection is needed any more.
      return;
    } finally {
      this.#replacing = false;
    }
    // The run may have ended while the connection was being made.
    if (signal.aborted) return this.close();
    if (reconnect) this.reconnects++;
    handlers.onReplaced(this);
  }

  /** Closes the connection without an event. */
  close(): void {
    this.connection?.close();
    this.connection = undefined;
  }
}

/** Connects all slots. @throws the first error of `dial`. */
export async function openAll(slots: readonly LoadSlot[]): Promise<void> {
  const left = slots.values();
  const worker = async () => {
    for (const slot of left) await slot.open();
  };
  const workers = Array.from({ length: MAX_CONNECTING }, worker);
  for (const result of await Promise.allSettled(workers)) {
    if (result.status === "rejected") throw result.reason;
  }
}
