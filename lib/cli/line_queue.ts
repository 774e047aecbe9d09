/**
 * Writes lines to a stream whose reader may be slow or may have stopped, such as
 * a pager, a pipe, or a terminal after Ctrl-S. The caller never waits. Lines keep
 * their order. If too many are queued, further lines are dropped, and a line with
 * their count follows as soon as writing works again.
 *
 * ```ts
 * import { LineQueue } from "./line_queue.ts";
 *
 * const queue = new LineQueue(Deno.stderr, {
 *   formatDropped: (count) => `${count} lines dropped`,
 * });
 * queue.push("one");
 * await queue.flush();
 * ```
 *
 * @module
 */

import { sleep } from "../net/timeout.ts";

/**
 * Characters in the queue at most: about 24,000 lines of the JSON log. This is
 * enough for a pause of a second at the highest rate of connections measured
 * (11,000 per second, two lines each).
 */
const LIMIT = 4 * 1024 * 1024;

/**
 * Characters in one write: the capacity of a pipe on Linux. Then a reader that
 * continues makes space with each of its reads.
 */
const BATCH = 64 * 1024;

/**
 * Milliseconds between attempts on a stream that another process has made
 * non-blocking. No event says when it accepts more.
 */
const RETRY_MS = 50;

/** Milliseconds that the end waits for a reader that takes nothing. */
const SILENT_MS = 1_000;

/** Milliseconds that the end waits for a reader that takes a little at a time. */
const SLOW_MS = 10_000;

const NEWLINE = 10;

/** The part of `Deno.stderr` that a queue uses. */
export interface Sink {
  /** Writes some of the bytes, and resolves with their number. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Lines that wait to be written. */
export class LineQueue {
  readonly #sink: Sink;
  readonly #formatDropped: (count: number) => string;
  readonly #limit: number;
  /** The lines, each with its line break. */
  #text = "";
  /** Lines dropped, and not yet reported. */
  #dropped = 0;
  /** Bytes that the sink has accepted. */
  #written = 0;
  /** Whether the last write failed. */
  #failed = false;
  /** Whether it failed in the middle of a line. */
  #midLine = false;
  #writing: Promise<void> | undefined;

  /**
   * A queue in front of a stream, such as `Deno.stderr`. `formatDropped` makes the
   * line that replaces dropped lines.
   */
  constructor(
    sink: Sink,
    { formatDropped, limit = LIMIT }: {
      formatDropped: (count: number) => string;
      limit?: number;
    },
  ) {
    this.#sink = sink;
    this.#formatDropped = formatDropped;
    this.#limit = limit;
  }

  /** Queues a line. If the queue is full, drops and counts it. */
  push(line: string): void {
    if (this.#text.length + line.length > this.#limit) this.#dropped++;
    else this.pushLast(line);
  }

  /** Queues a line that is not dropped, however full the queue is. */
  pushLast(line: string): void {
    this.#text += `${line}\n`;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves once all lines are written, or the reader has stopped. */
  async flush(silent = SILENT_MS, slow = SLOW_MS): Promise<void> {
    const end = performance.now() + slow;
    for (
      let before = -1;
      this.#writing && this.#written > before && performance.now() < end;
    ) {
      before = this.#written;
      const controller = new AbortController();
      const timeout = sleep(silent, controller.signal).catch(() => {});
      await Promise.race([this.#writing, timeout]);
      controller.abort();
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#text !== "" || this.#dropped > 0 && !this.#failed) {
      const dropped = this.#dropped;
      // Whole lines, at least one.
      const end = this.#text.indexOf("\n", BATCH) + 1 || this.#text.length;
      const lines = this.#text.slice(0, end);
      const report = dropped > 0 ? `${this.#formatDropped(dropped)}\n` : "";
      this.#text = this.#text.slice(end);
      try {
        // What failed was before these lines, what did not fit behind them.
        await this.#writeText(this.#failed ? report + lines : lines + report);
        this.#dropped -= dropped;
        this.#failed = false;
      } catch {
        // A full disk or a closed pipe: the lines behind these would most likely
        // fail too. The next line is a new attempt.
        this.#dropped += (lines + this.#text).split("\n").length - 1;
        this.#text = "";
        this.#failed = true;
      }
    }
    this.#writing = undefined;
  }

  async #writeText(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(this.#midLine ? `\n${text}` : text);
    for (let at = 0; at < bytes.length;) {
      const count = await this.#write(bytes.subarray(at));
      at += count;
      this.#written += count;
      this.#midLine = bytes[at - 1] !== NEWLINE;
    }
  }

  async #write(bytes: Uint8Array): Promise<number> {
    for (;;) {
      try {
        return await this.#sink.write(bytes);
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        await sleep(RETRY_MS);
      }
    }
  }
}
