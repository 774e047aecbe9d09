/**
 * Gives messages to the connections of a load run: on a schedule, or as soon as the
 * last echo came back. It counts what was sent, and hands the replies to the recorder.
 * It knows when sending ends, but not how long the echoes may take after that.
 *
 * @module
 */

import { readScheduler } from "../net/read_scheduler.ts";
import { Histogram } from "../stats/histogram.ts";
import type { LoadRecorder } from "./load_recorder.ts";
import { LoadSlot, type LoadSlotOptions } from "./load_slot.ts";
import { Pacer } from "./pacer.ts";
import { ScheduleLoop } from "./schedule_loop.ts";

/**
 * Messages sent in one turn of the event loop. With more, echoes that have arrived
 * would wait to be read, and the wait would be measured as the server's.
 */
const BURST = 8;

/** What is sent, and until when. Times are milliseconds from the start of the run. */
export interface LoadDispatcherOptions
  extends Omit<LoadSlotOptions, "signal" | "handlers"> {
  /** Number of connections. */
  connections: number;
  /** Messages to send after the warm-up. */
  count: number;
  /** The end of the warm-up. */
  warmup: number;
  /** The end of sending. */
  end: number;
  /** Messages per second, if they follow a schedule. */
  rate?: number | undefined;
  /** Records replies and errors. */
  recorder: LoadRecorder;
  /** Called when the last message is sent and none is in flight. */
  onIdle: (now: number) => void;
}

/** The messages of a run; see above. */
export class LoadDispatcher {
  /** The connections. */
  readonly slots: readonly LoadSlot[];
  /** The schedule, if there is one. */
  readonly pacer: Pacer | undefined;
  /** The times that connecting took, in a run that replaces its connections. */
  readonly connects: Histogram | undefined;
  /** Messages sent after the warm-up. */
  sent = 0;
  /** Messages without an echo. */
  inFlight = 0;
  /** When a message was last sent, or came back. */
  lastActive = 0;
  /** Milliseconds of the longest round trip. */
  longestTrip = 0;
  readonly #options: LoadDispatcherOptions;
  readonly #schedule = new ScheduleLoop(
    () => this.#sendDue(),
    () => this.inFlight > 0 || this.#replacing > 0,
  );
  readonly #stopped = new AbortController();
  #started = 0;
  // Those of the warm-up included.
  #number = 0;
  #replacing = 0;

  /** Does not connect yet. */
  constructor(options: LoadDispatcherOptions) {
    const { connections, count, warmup, rate, reconnect } = options;
    this.#options = options;
    if (reconnect) this.connects = new Histogram();
    if (rate !== undefined) {
      this.pacer = new Pacer({ rate, connections, count, warmup });
    }
    const slotOptions = {
      ...options,
      signal: this.#stopped.signal,
      handlers: {
        onReply: this.#onReply.bind(this),
        onError: this.#onError.bind(this),
        onReplaced: this.#onReplaced.bind(this),
      },
    };
    this.slots = Array.from(
      { length: connections },
      (_, index) => new LoadSlot(index, slotOptions),
    );
  }

  /** Milliseconds of CPU time so far that were spent waiting for the schedule. */
  get idle(): number {
    return this.#schedule.idle;
  }

  /** Starts to send. The run began at `started`. */
  start(started: number): void {
    this.#started = started;
    if (this.pacer) {
      for (const slot of this.slots) slot.connection?.watch();
      this.#schedule.wake();
    } else {
      // Through the read scheduler: thousands of writes at once would starve the
      // reads that follow them.
      for (const slot of this.slots) {
        readScheduler.schedule(() => void this.#next(slot));
      }
    }
  }

  /** Sends no more. Messages in flight may still come back. */
  stop(): void {
    this.#stopped.abort();
    this.#schedule.stop();
  }

  /** Fails the messages that were sent more than `timeout` ms ago. */
  expire(timeout: number): void {
    const now = performance.now();
    for (const slot of this.slots) slot.connection?.expire(now, timeout);
  }

  /** Stops, and closes all connections. */
  close(): void {
    this.stop();
    for (const slot of this.slots) slot.close();
  }

  #now(): number {
    return performance.now() - this.#started;
  }

  #sending(now: number): boolean {
    return now < this.#options.end && this.sent < this.#options.count &&
      !this.#stopped.signal.aborted;
  }

  /** Sends what is due. Returns the milliseconds to the next message, if any. */
  #sendDue(): number | undefined {
    const pacer = this.pacer!;
    for (let sent = 0; sent < BURST;) {
      const now = this.#now();
      if (!this.#sending(now)) {
        this.#checkIdle(now);
        return undefined;
      }
      const index = pacer.announce(now);
      if (index < 0) return pacer.nextDue - now;
      if (this.#next(this.slots[index]!, now)) sent++;
    }
    return 0;
  }

  /** Sends the next message of a slot, if the slot is free and a message is due. */
  #next(slot: LoadSlot, now: number = this.#now()): boolean {
    const { connection } = slot;
    if (connection?.busy) return false;
    if (!this.#sending(now)) {
      this.#checkIdle(now);
      return false;
    }
    if (!connection) {
      this.#replace(slot);
      return false;
    }
    const { pacer } = this;
    const measured = pacer
      ? pacer.isMeasured(slot.index)
      : now >= this.#options.warmup;
    const from = pacer ? pacer.take(slot.index, now) : now;
    if (Number.isNaN(from)) {
      connection.watch();
      return false;
    }
    this.inFlight++;
    this.lastActive = now;
    if (measured) this.sent++;
    slot.measured = measured;
    slot.from = from;
    connection.send(++this.#number, now + this.#started);
    return true;
  }

  #onReply(slot: LoadSlot, at: number, trip: number): void {
    const now = at - this.#started;
    if (trip > this.longestTrip) this.longestTrip = trip;
    this.inFlight--;
    this.lastActive = now;
    if (slot.measured) {
      slot.messages++;
      this.#options.recorder.reply(now - slot.from, now >= this.#options.end);
    }
    this.pacer?.replied(slot.index, now);
    if (slot.usedUp && this.#sending(now)) {
      slot.retire();
      this.#replace(slot);
    } else this.#next(slot, now);
    if (this.pacer) this.#schedule.wake();
  }

  #onError(slot: LoadSlot, error: unknown, lostMessage: boolean): void {
    const now = this.#now();
    if (lostMessage) this.inFlight--;
    this.#options.recorder.error(error);
    if (this.#sending(now)) this.#replace(slot);
    else this.#checkIdle(now);
  }

  #replace(slot: LoadSlot): void {
    this.#replacing++;
    void slot.replace().finally(() => this.#replacing--);
  }

  #onReplaced(slot: LoadSlot): void {
    const now = this.#now();
    if (now - slot.connectTime >= this.#options.warmup) {
      this.connects?.record(slot.connectTime);
    }
    this.pacer?.reconnected(slot.index, now);
    this.#next(slot, now);
  }

  #checkIdle(now: number): void {
    if (this.inFlight === 0 && !this.#sending(now)) this.#options.onIdle(now);
  }
}
