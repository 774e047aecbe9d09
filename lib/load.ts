/**
 * Many connections that send messages for a while, each echo verified and timed:
 * what a server takes, and how long it lets wait.
 *
 * Without a rate each connection keeps one message in flight, so a server that
 * stalls is also sent less. With one, messages are due on a schedule, whatever
 * the server does, and one that had to wait for the echo before it counts from
 * when it was due: a stalled server cannot hide ("coordinated omission", Gil
 * Tene, "How NOT to Measure Latency", 2015).
 *
 * ```ts
 * import { load } from "./load.ts";
 * const { messagesPerSecond, latency } = await load({ duration: 2000 });
 * ```
 *
 * @module
 */

import { delay } from "@std/async/delay";
import {
  DEFAULT_CONNECTIONS,
  DEFAULT_DURATION_MS,
  DEFAULT_MESSAGE_SIZE,
  DEFAULT_TIMEOUT_MS,
} from "./defaults.ts";
import { connect, type ConnectOptions } from "./echo.ts";
import { kindOf } from "./errors.ts";
import { fairness } from "./fairness.ts";
import { Histogram } from "./histogram.ts";
import { Link, type Seat } from "./link.ts";
import type { LoadOptions, LoadSummary } from "./load_options.ts";
import { notify } from "./notify.ts";
import { place } from "./place.ts";
import { POSITIVE, refuseOutside, WHOLE } from "./ranges.ts";
import { shared } from "./turnstile.ts";

export type * from "./load_options.ts";

/** Connections made at the same time, so that no backlog overflows. */
const CONNECTING = 64;

/** Milliseconds between attempts to replace a lost connection, doubled. */
const FIRST_BACKOFF_MS = 50;
const LAST_BACKOFF_MS = 2_000;

/** Milliseconds between looks at the schedule: as fine as timers are. */
const TICK_MS = 1;

/** What was due in these last milliseconds may still be sent in time. */
const SLACK_MS = 20;

/**
 * Loads a server. Errors after the start are counted by kind, and the connection
 * is replaced.
 *
 * @throws {RangeError} if an option is out of its range.
 * @throws what `connect` throws if a connection cannot be made at the start.
 */
export async function load(options: LoadOptions = {}): Promise<LoadSummary> {
  const {
    connections = DEFAULT_CONNECTIONS,
    count = Infinity,
    duration = count === Infinity ? DEFAULT_DURATION_MS : Infinity,
    size = DEFAULT_MESSAGE_SIZE,
    rate,
    timeout = DEFAULT_TIMEOUT_MS,
    signal,
    onStart,
    onSecond,
  } = options;
  const attempt = `Cannot load ${place(options)}`;
  refuseOutside(WHOLE, {
    attempt,
    options: { connections, count: options.count, size },
  });
  refuseOutside(POSITIVE, { attempt, options: { duration, rate } });
  const latencies = new Histogram();
  const errors: Record<string, number> = {};
  const timers = new Set<ReturnType<typeof setInterval>>();
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const ended = new AbortController();
  // Milliseconds from one message to the next, over all connections.
  const spacing = rate === undefined ? 0 : 1_000 / rate;
  let started = 0;
  let end = Infinity;
  let sent = 0;
  let failed = 0;
  let inFlight = 0;
  let slip = 0;
  let over = false;

  const seats: Seat[] = Array.from({ length: connections }, (_, i) => ({
    messages: 0,
    // Counted from the start, which is not known yet.
    due: i * spacing,
    echoed,
    broken,
  }));

  const sending = (now = performance.now()) =>
    !over && sent < count && now < end && !signal?.aborted;

  /** The next message of a connection, if it is time for one. */
  function next(seat: Seat, now = performance.now()): void {
    const { link } = seat;
    if (!link || link.busy) return;
    if (!sending(now)) return endIfIdle();
    let from = now;
    if (spacing > 0) {
      const due = started + seat.due;
      if (due > now) return;
      seat.due += connections * spacing;
      // Its connection was free all the time: that the timer is coarse, and not
      // the server's doing. Otherwise it had to wait.
      if (due < link.freeSince) from = due;
      else slip = Math.max(slip, now - due);
    }
    inFlight++;
    link.send(++sent, from, now);
  }

  function echoed(seat: Seat, latency: number, now: number): void {
    inFlight--;
    seat.messages++;
    latencies.record(latency);
    next(seat, now);
  }

  function tally(error: unknown): void {
    failed++;
    const kind = kindOf(error);
    errors[kind] = (errors[kind] ?? 0) + 1;
  }

  function broken(seat: Seat, error: unknown, wasBusy: boolean): void {
    seat.link = undefined;
    if (wasBusy) inFlight--;
    if (over) return;
    tally(error);
    if (sending()) void reconnect(seat, FIRST_BACKOFF_MS);
    else endIfIdle();
  }

  async function reconnect(seat: Seat, backoff: number): Promise<void> {
    // Cut short at the end of the run, which `sending` then tells.
    await delay(backoff, { signal: ended.signal }).catch(() => {});
    if (!sending()) return endIfIdle();
    try {
      const conn = await connect({
        ...options,
        timeout,
        wait: 0,
        signal: ended.signal,
      });
      if (over) return conn.close();
      seat.link = new Link(conn, seat, size);
      next(seat);
    } catch (error) {
      if (over) return;
      tally(error);
      await reconnect(seat, Math.min(2 * backoff, LAST_BACKOFF_MS));
    }
  }

  function endIfIdle(): void {
    if (inFlight === 0 && !sending()) finish();
  }

  async function open(): Promise<void> {
    let i = 0;
    const to: ConnectOptions = { ...options, timeout };
    async function worker(): Promise<void> {
      while (i < seats.length) {
        const seat = seats[i++]!;
        seat.link = new Link(await connect(to), seat, size);
      }
    }
    const workers = Array.from({ length: CONNECTING }, worker);
    const results = await Promise.allSettled(workers);
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  /** Looks after the schedule: message k is connection k mod n's. */
  function schedule(): void {
    let k = 0;
    const tick = () => {
      const elapsed = performance.now() - started;
      for (; k * spacing <= elapsed && sending(); k++) {
        next(seats[k % connections]!);
      }
      if (!sending()) endIfIdle();
    };
    tick();
    timers.add(setInterval(tick, TICK_MS));
  }

  function watch(): void {
    let last = { at: started, messages: 0, errors: 0 };
    timers.add(setInterval(() => {
      const now = performance.now();
      const total = { at: now, messages: latencies.count, errors: failed };
      const messages = total.messages - last.messages;
      notify(onSecond, {
        elapsed: now - started,
        messages,
        messagesPerSecond: messages / (now - last.at) * 1_000,
        errors: total.errors - last.errors,
      });
      last = total;
    }, 1_000));
    timers.add(setInterval(() => {
      const now = performance.now();
      for (const { link } of seats) link?.expire(now, timeout);
      if (!sending()) endIfIdle();
    }, Math.min(Math.max(timeout / 4, 5), 250)));
  }

  const abort = () => finish();
  try {
    try {
      await open();
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
    if (signal?.aborted) finish();
    else notify(onStart, undefined);
    signal?.addEventListener("abort", abort, { once: true });
    started = performance.now();
    end = started + duration;
    watch();
    if (spacing > 0) schedule();
    // Through the turnstile, as thousands of writes at once would overtake the
    // reads that follow them.
    else for (const seat of seats) shared.pass(() => next(seat));
    await finished;
  } finally {
    over = true;
    ended.abort();
    signal?.removeEventListener("abort", abort);
    for (const timer of timers) clearInterval(timer);
    for (const { link } of seats) link?.close();
  }
  const took = Math.max(performance.now() - started, Number.MIN_VALUE);
  const { count: messages } = latencies;
  const elapsed = Math.min(took, duration) - SLACK_MS;
  const due = spacing === 0 || elapsed < 0
    ? 0
    : Math.min(count, Math.floor(elapsed / spacing) + 1);
  return {
    connections,
    size,
    duration: took,
    messages,
    messagesPerSecond: messages / took * 1_000,
    bytesPerSecond: messages * size / took * 1_000,
    errors,
    latency: latencies.figures(),
    buckets: latencies.buckets(),
    fairness: fairness(seats.map((seat) => seat.messages)),
    starved: seats.filter((seat) => seat.messages === 0).length,
    slip,
    unsent: Math.max(0, due - sent),
  };
}
