/**
 * Writes lines to a stream whose reader may be slow or may have stopped, such as
 * a pager, a pipe or a terminal after Ctrl-S, without ever making the caller
 * wait. Lines keep their order. What does not fit is dropped and counted, and
 * the count is written in its place once writing works again.
 *
 * ```ts
 * import { LineQueue } from "./line_queue.ts";
 * const lines = new LineQueue(Deno.stderr, {
 *   dropped: (count) => `${count} lines dropped`,
 * });
 * lines.push("one");
 * await lines.flush(1_000);
 * ```
 *
 * @module
 */

import { delay } from "@std/async/delay";

/**
 * Characters that may wait: some 24,000 lines of the JSON log. They cover a pause
 * of a second at the highest rate of connections that was seen (11,000 a second,
 * two lines each), in a small part of the memory that such a server uses.
 */
const LIMIT = 4 * 1024 * 1024;

/**
 * Characters in one write: what a pipe holds on Linux, so that a reader that
 * comes back makes room after each of its reads.
 */
const PIECE = 64 * 1024;

/**
 * Milliseconds between attempts on a stream that another process has made
 * non-blocking: nothing tells when it takes more.
 */
const RETRY_MS = 50;

/** How to queue lines. */
export interface LineQueueOptions {
  /** The line that stands for that many dropped ones. */
  dropped: (count: number) => string;
  /**
   * Characters that may wait, beside the piece that is being written.
   * @default {4194304}
   */
  limit?: number;
}

interface Entry {
  text: string;
  /** How many lines are lost if it is not written. */
  lines: number;
}

/** Lines on their way to a stream. */
export class LineQueue {
  readonly #to: { write(bytes: Uint8Array): Promise<number> };
  readonly #dropped: (count: number) => string;
  readonly #limit: number;
  #waiting: Entry[] = [];
  #length = 0;
  #lost = 0;
  // The last write failed in the middle of a line.
  #torn = false;
  #writing: Promise<void> | undefined;

  /** Lines for `to`, such as `Deno.stderr`. */
  constructor(
    to: { write(bytes: Uint8Array): Promise<number> },
    { dropped, limit = LIMIT }: LineQueueOptions,
  ) {
    this.#to = to;
    this.#dropped = dropped;
    this.#limit = limit;
  }

  /** Queues a line, or drops and counts it where too many wait. */
  push(line: string): void {
    if (this.#length + line.length > this.#limit) {
      this.#lost++;
      return;
    }
    this.#report();
    this.#add({ text: `${line}\n`, lines: 1 });
    this.#writing ??= this.#write();
  }

  /** Resolves once all is written, but after `ms` milliseconds at the latest. */
  async flush(ms: number): Promise<void> {
    const controller = new AbortController();
    const late = delay(ms, controller).catch(() => {});
    await Promise.race([this.#writing, late]);
    controller.abort();
  }

  #add(entry: Entry): void {
    this.#waiting.push(entry);
    this.#length += entry.text.length;
  }

  #report(): void {
    if (this.#lost === 0) return;
    this.#add({ text: `${this.#dropped(this.#lost)}\n`, lines: this.#lost });
    this.#lost = 0;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const piece = this.#take(PIECE);
      try {
        await this.#writeAll(piece.text);
        this.#report();
      } catch {
        // A full disk or a closed pipe: what waits would most likely share the
        // fate of this piece, and the next line tries again.
        this.#lost += piece.lines + this.#take(Infinity).lines;
      }
    }
    this.#writing = undefined;
  }

  /** Takes whole entries from the queue, at least one if there is any. */
  #take(most: number): Entry {
    let text = "";
    let lines = 0;
    let count = 0;
    for (const entry of this.#waiting) {
      if (count > 0 && text.length + entry.text.length > most) break;
      text += entry.text;
      lines += entry.lines;
      count++;
    }
    this.#waiting.splice(0, count);
    this.#length -= text.length;
    return { text, lines };
  }

  async #writeAll(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(this.#torn ? `\n${text}` : text);
    let at = 0;
    try {
      while (at < bytes.length) {
        try {
          at += await this.#to.write(bytes.subarray(at));
        } catch (error) {
          if (!(error instanceof Deno.errors.WouldBlock)) throw error;
          await delay(RETRY_MS, { persistent: false });
        }
      }
      this.#torn = false;
    } catch (error) {
      if (at > 0) this.#torn = bytes[at - 1] !== 0x0a;
      throw error;
    }
  }
}
