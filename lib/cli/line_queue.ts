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
 * await queue.flush(1_000);
 * ```
 *
 * @module
 */

import { sleep } from "../net/timeout.ts";
import { writeAll } from "../net/write_all.ts";

/**
 * Characters in the queue at most: about 24,000 lines of the JSON log. This is
 * enough for a pause of a second at the highest rate of connections measured
 * (11,000 per second, two lines each), and little beside the memory that so many
 * connections use.
 */
const DEFAULT_LIMIT = 4 * 1024 * 1024;

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

const NEWLINE = "\n".charCodeAt(0);

/** The part of `Deno.stderr` that a queue uses. */
export interface Sink {
  /** Writes some of the bytes, and resolves with their number. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Options of a queue. */
export interface LineQueueOptions {
  /** Makes the line that replaces dropped lines. */
  formatDropped: (count: number) => string;
  /**
   * Characters in the queue at most, in addition to those being written.
   * @default {4194304}
   */
  limit?: number;
}

/** Text in the queue. */
interface Entry {
  text: string;
  /** How many lines are lost if it is not written. */
  lines: number;
}

/** Lines that wait to be written. */
export class LineQueue {
  readonly #sink: Sink;
  readonly #formatDropped: (count: number) => string;
  readonly #limit: number;
  #entries: Entry[] = [];
  /** Characters in `#entries`. */
  #length = 0;
  /** Lines dropped since the last line that reported them. */
  #dropped = 0;
  /** Whether the last write failed in the middle of a line. */
  #midLine = false;
  #writing: Promise<void> | undefined;

  /** A queue in front of a stream, such as `Deno.stderr`. */
  constructor(
    sink: Sink,
    { formatDropped, limit = DEFAULT_LIMIT }: LineQueueOptions,
  ) {
    this.#sink = sink;
    this.#formatDropped = formatDropped;
    this.#limit = limit;
  }

  /** Queues a line. If the queue is full, drops and counts it. */
  push(line: string): void {
    if (this.#length + line.length > this.#limit) {
      this.#dropped++;
      return;
    }
    this.#reportDropped();
    this.#add({ text: `${line}\n`, lines: 1 });
    this.#writing ??= this.#writeQueue();
  }

  /** Resolves once all lines are written, but after `ms` at the latest. */
  async flush(ms: number): Promise<void> {
    const controller = new AbortController();
    const timeout = sleep(ms, controller.signal).catch(() => {});
    await Promise.race([this.#writing, timeout]);
    controller.abort();
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    this.#length += entry.text.length;
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const text = `${this.#formatDropped(this.#dropped)}\n`;
    this.#add({ text, lines: this.#dropped });
    this.#dropped = 0;
  }

  async #writeQueue(): Promise<void> {
    while (this.#entries.length > 0) {
      const batch = this.#removeBatch(BATCH);
      try {
        await this.#writeText(batch.text);
        this.#reportDropped();
      } catch {
        // A full disk or a closed pipe: the lines behind this batch would most
        // likely fail too. The next line is a new attempt.
        this.#dropped += batch.lines + this.#removeBatch(Infinity).lines;
      }
    }
    this.#writing = undefined;
  }

  /** Removes entries of up to `max` characters, or one longer entry. */
  #removeBatch(max: number): Entry {
    const batch: Entry = { text: "", lines: 0 };
    let count = 0;
    for (const { text, lines } of this.#entries) {
      if (count > 0 && batch.text.length + text.length > max) break;
      batch.text += text;
      batch.lines += lines;
      count++;
    }
    this.#entries.splice(0, count);
    this.#length -= batch.text.length;
    return batch;
  }

  async #writeText(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(this.#midLine ? `\n${text}` : text);
    let written = 0;
    try {
      await writeAll(
        { write: (bytes) => this.#writeSome(bytes) },
        bytes,
        (n) => written += n,
      );
    } finally {
      if (written > 0) this.#midLine = bytes[written - 1] !== NEWLINE;
    }
  }

  async #writeSome(bytes: Uint8Array): Promise<number> {
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
