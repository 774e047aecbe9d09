/**
 * What the workers of a load run share: the clock, the schedule and the figures. A
 * worker asks when to send, and tells what came of that. All times are milliseconds
 * from the end of the warm-up; what was due before, at a negative time, is in no
 * figure.
 *
 * @module
 */

import type { LoadSummary } from "../stats/summaries.ts";
import { LoadFigures } from "./figures.ts";
import type { LoadRunOptions } from "./options.ts";
import { Pacer } from "./pacer.ts";
import { type Awaiting, ScheduleLoop } from "./schedule_loop.ts";

/**
 * Messages sent in one turn of the event loop. With more, echoes that have arrived
 * would wait to be read, and the wait would be measured as the server's.
 */
const BURST = 8;

/** Messages announced in one turn: most of them to connections that are busy. */
const MAX_ANNOUNCED = 256;

/** Round trips over which their recent mean is taken. */
const RECENT_TRIPS = 32;

/** Milliseconds of a round trip that leaves time for others to fall due. */
const SLOW_TRIP_MS = 3;

/**
 * Messages a second up to which the schedule is worth a core that waits for it. With
 * more, the wait takes CPU time from them: at 5,000/s, replies after 5 ms were
 * measured as 8.7 ms, and as 7.0 with timers.
 */
const MAX_DIGEST_RATE = 2_000;

/** The message of a connection that is on its way, or was last. */
export interface Message {
  /** The number of the connection, from 0. */
  readonly index: number;
  /** Messages of the connection that came back and count. */
  replies: number;
  /** Whether the message is in flight. */
  busy: boolean;
  /** When it was due. */
  due: number;
  /** From when its latency counts: later, if this client was late with it. */
  from: number;
  /** When it was sent, on the clock that stands still in this client's pauses. */
  sentAt: number;
}

/** The state of a run; see above. */
export class LoadState {
  /** The options. */
  readonly options: LoadRunOptions;
  /** When messages are due, with a rate. */
  readonly pacer: Pacer | undefined;
  /** Wakes the connections whose messages are due. */
  readonly schedule: ScheduleLoop;
  /** What came back and how late, what did not, and why. */
  readonly figures: LoadFigures;
  /** Aborted when nothing more is sent. */
  readonly stopping: AbortController = new AbortController();
  /** Whether messages in flight are no longer waited for. */
  isOver = false;
  /** The end of what is due. */
  end: number;
  /** The end of the warm-up, in milliseconds since 1970, and by `performance.now`. */
  startedAt: number = Date.now();
  #origin = NaN;
  /** Messages sent so far, those of the warm-up included. */
  messages = 0;
  /** Messages in flight. */
  inFlight = 0;
  /** Connections that are being replaced. */
  connecting = 0;
  /** When a message was last sent, or came back. */
  lastActive = 0;
  /** How long this process stood still. */
  stoodStill = 0;
  /** The longest round trip, and the mean of the last ones. */
  longestTrip = 0;
  #recentTrip = 0;
  /** Continues connections that wait for a message to be due. */
  readonly #wakes: (((now: number) => void) | undefined)[] = [];

  /** The clock is started later. */
  constructor(options: LoadRunOptions) {
    const { connections, count, duration, warmup, rate } = options;
    this.options = options;
    this.end = duration;
    if (rate !== undefined) {
      this.pacer = new Pacer({ rate, connections, count, warmup });
      this.pacer.endAt(duration);
    }
    this.figures = new LoadFigures(options, this.pacer);
    this.schedule = new ScheduleLoop(
      () => this.#announce(),
      () => this.#awaiting,
    );
  }

  /** Starts the clock, with the warm-up. */
  start(): void {
    const { warmup } = this.options;
    this.#origin = performance.now() + warmup;
    this.startedAt = Date.now() + warmup;
    this.lastActive = -warmup;
    if (this.pacer) this.schedule.wake();
  }

  /** Milliseconds since the end of the warm-up; not a number before the start. */
  now(): number {
    return performance.now() - this.#origin;
  }

  /** What happens after the end, as its timer is late, belongs to the last interval. */
  inTime(time: number): number {
    return Math.min(time, this.end - 1e-3);
  }

  // What workers ask.

  /** Whether a connection has another message to send. */
  hasMore(index: number): boolean {
    if (this.stopping.signal.aborted) return false;
    return this.pacer
      ? this.pacer.nextOf(index) < Infinity
      : this.figures.sent < this.options.count;
  }

  /** Resolves when a message of the connection is due, or the run ends, with when. */
  woken(index: number): Promise<number> {
    // Either may have happened since the caller looked at the clock.
    const isLate = this.pacer!.isAnnounced(index) || !this.hasMore(index);
    if (isLate) return Promise.resolve(this.now());
    return new Promise((resolve) => this.#wakes[index] = resolve);
  }

  /** Takes the next message, to be sent `now`. False if none is due. */
  take(message: Message, now: number): boolean {
    const { index } = message;
    if (!this.hasMore(index)) return false;
    const due = this.pacer?.nextOf(index) ?? this.inTime(now);
    const from = this.pacer?.take(index, now) ?? now;
    if (Number.isNaN(from)) return false;
    message.busy = true;
    message.due = due;
    message.from = from;
    message.sentAt = now - this.stoodStill;
    this.inFlight++;
    this.messages++;
    this.lastActive = now;
    if (due >= 0) {
      this.figures.sent++;
      if (!this.pacer) this.figures.intervals.due(due);
    }
    return true;
  }

  // What workers tell.

  /** The whole echo came back. Returns when. */
  reply(message: Message): number {
    const now = this.now();
    message.busy = false;
    const trip = now - this.stoodStill - message.sentAt;
    if (trip > this.longestTrip) this.longestTrip = trip;
    this.#recentTrip += (trip - this.#recentTrip) / RECENT_TRIPS;
    this.inFlight--;
    this.lastActive = now;
    if (message.due >= 0) {
      message.replies++;
      this.figures.reply(message.due, now - message.from);
      if (now >= this.end) this.figures.late++;
      else this.figures.intervals.received(now);
    }
    if (this.pacer) {
      this.pacer.replied(message.index, now);
      this.schedule.wake();
    }
    return now;
  }

  /** The message in flight failed, or could not be sent again. */
  failed(message: Message, error: unknown): void {
    message.busy = false;
    this.inFlight--;
    if (message.due >= 0) {
      this.figures.failed++;
      this.miss(message.due);
    }
    this.error(error, message.due < 0);
  }

  /** Something failed. It is a loss, unless a message that counts is lost by it. */
  error(error: unknown, isLoss = true): void {
    this.figures.error(error, this.inTime(this.now()));
    if (isLoss) this.figures.otherErrors++;
  }

  /** Messages that were due at a time have not come back. */
  miss(due: number, count = 1): void {
    this.figures.miss(due, Math.max(0, this.now() - due), count);
  }

  /** Continues all connections that wait, as the run ends. */
  wakeAll(): void {
    const now = this.now();
    for (const wake of this.#wakes.splice(0)) wake?.(now);
  }

  /** Whether a reply or a connection is awaited, and how long it may take. */
  get #awaiting(): Awaiting {
    if (this.inFlight + this.connecting === 0) return "nothing";
    const isSlow = this.#recentTrip > SLOW_TRIP_MS &&
      this.options.rate! <= MAX_DIGEST_RATE;
    return isSlow ? "later" : "soon";
  }

  /** Announces what is due. Returns the milliseconds to the next message, if any. */
  #announce(): number | undefined {
    const pacer = this.pacer!;
    let woken = 0;
    for (let i = 0; i < MAX_ANNOUNCED && woken < BURST; i++) {
      const due = pacer.nextDue;
      if (due === Infinity) return undefined;
      const now = this.now();
      const index = pacer.announce(now);
      if (index < 0) return due - now;
      const wake = this.#wakes[index];
      if (!wake) continue;
      this.#wakes[index] = undefined;
      wake(now);
      woken++;
    }
    return 0;
  }

  /** The figures so far, of connections that got so many replies each. */
  summary(replies: number[]): LoadSummary {
    const { startedAt, stopping: { signal: { aborted: isOver } } } = this;
    const end = isOver ? this.end : Math.min(this.now(), this.end);
    // Not a number before the start, and below 0 in the warm-up.
    const duration = Math.max(0, end || 0);
    return this.figures.loadSummary({ startedAt, duration, isOver, replies });
  }
}
