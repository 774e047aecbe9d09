/**
 * Copies what one connection receives to the link of another, or back to the same
 * one, until the end of input. The echo is one copy, and a proxy two.
 *
 * It reads again only when the last chunk is written: a peer that does not read
 * is not sent more, and occupies at most 546 KiB of buffers. Buffers start small,
 * because thousands of connections may be idle, and grow while reads fill them.
 * Callbacks replace `await`, which costs 5 % of the throughput and one promise for
 * each idle connection.
 *
 * @module
 */

import type { Link } from "../faults/link.ts";
import type { End } from "../faults/stage.ts";
import type { Conn } from "../net/conn.ts";
import { readScheduler } from "../net/read_scheduler.ts";

/** What happens to a copy. */
export interface CopyEvents {
  /** The stream ends here. All that was read is passed on. Called at most once. */
  onEnd(copy: Copy, end: End): void;
  /** The source itself has ended, now or some time after `finish`. */
  onSourceEnd(copy: Copy): void;
  /** The destination does not take any more. The rest is dropped. */
  onLinkError(link: Link, error: unknown): void;
}

/**
 * Bytes of the first buffer. A message of up to 1024 bytes, which many clients
 * read at once, is written at once. The buffer is a little larger, because a read
 * that fills it makes it grow. Each idle connection has one: with 576 bytes a
 * connection took 5 % less memory.
 */
const FIRST_BUFFER = 1088;

/** Bytes up to which a copy's own buffer grows. */
const LARGEST_OWN = FIRST_BUFFER << 5;

/**
 * Bytes of the buffers that copies borrow once they have outgrown their own, until
 * a read does not fill them. So all streams share a few buffers, which stay in the
 * CPU's cache.
 */
const POOLED = 512 * 1024;
const MAX_POOL = 32;
const pool: Uint8Array<ArrayBuffer>[] = [];

/** Reads of all copies, so that an owner of two knows which one was later. */
let reads = 0;

// The states: not started; waits for the scheduler; waits for data; has a chunk;
// stopped. They are numbers because each message compares them.
const NEW = 0, QUEUED = 1, READING = 2, BUSY = 3, STOPPED = 4;

/** A copy from a connection to a link, which may be its own. */
export class Copy {
  /** Bytes read so far, without those that were dropped. */
  bytesRead = 0;
  /** The number of the last read among those of all copies. 0 if there was none. */
  lastRead = 0;
  /** How the source has ended. */
  sourceEnd: End | undefined;
  readonly #source: Conn;
  readonly #link: Link;
  readonly #events: CopyEvents;
  #buffer = new Uint8Array(FIRST_BUFFER);
  // Kept while the copy borrows a buffer.
  #own: Uint8Array<ArrayBuffer> | undefined;
  // Most messages are as long as the one before, so their view is kept.
  #view = this.#buffer;
  #length = 0;
  #sent = 0;
  #tick = 0;
  #state: number = NEW;
  #finishing = false;
  /** Drops what is read, instead of writing it. */
  #discarding = false;

  /** Does nothing until `start`. */
  constructor(source: Conn, link: Link, events: CopyEvents) {
    this.#source = source;
    this.#link = link;
    this.#events = events;
    readScheduler.join();
  }

  /** Whether all that was read is passed on, and nothing more has come. */
  get isWaiting(): boolean {
    return this.#state === READING || this.sourceEnd !== undefined;
  }

  /** Whether nothing more is read. */
  get isOver(): boolean {
    return this.#state === STOPPED || this.sourceEnd !== undefined;
  }

  /** Starts to read. The first read is not scheduled: new clients come first. */
  start(): void {
    this.#read();
  }

  /**
   * Ends the stream after the current chunk, as if the source had ended. What comes
   * after it is read and dropped.
   */
  finish(): void {
    if (this.#discarding || this.sourceEnd) return;
    this.#finishing = true;
    if (this.#state !== BUSY) this.#finish();
  }

  /** Reads on, but drops what it reads: the destination is gone. */
  discard(): void {
    this.#discarding = true;
  }

  /** Stops the copy. What is being read or written is not waited for. */
  stop(): void {
    if (this.#state === STOPPED) return;
    this.#state = STOPPED;
    readScheduler.leave();
  }

  #read = (): void => {
    if (this.#state === STOPPED) return;
    this.#state = READING;
    this.#tick = readScheduler.tick;
    const buffer = this.#link.direct
      ? this.#buffer
      : this.#buffer.subarray(0, this.#link.maxRead);
    this.#source.read(buffer).then(this.#onRead, this.#onReadError);
  };

  #onRead = (count: number | null): void => {
    if (this.#state === STOPPED) return;
    this.#state = BUSY;
    readScheduler.onData(this.#tick);
    if (count === null) return this.#end({ kind: "eof" });
    this.lastRead = ++reads;
    if (this.#discarding) return this.#next();
    this.bytesRead += count;
    if (count !== this.#length) {
      this.#length = count;
      this.#view = this.#buffer.subarray(0, count);
    }
    this.#write(this.#view);
  };

  #write(bytes: Uint8Array): void {
    const link = this.#link;
    if (link.direct) {
      link.conn.write(bytes).then(this.#onWritten, this.#onWriteError);
    } else link.enqueue(bytes).then(this.#onPassed, this.#onWriteError);
  }

  #onWritten = (count: number): void => {
    this.#link.bytesWritten += count;
    if (this.#state === STOPPED) return;
    this.#sent += count;
    if (this.#sent === this.#length) return this.#onPassed();
    this.#write(this.#view.subarray(this.#sent));
  };

  /** The chunk is written, or the link has a copy of it. */
  #onPassed = (): void => {
    this.#sent = 0;
    if (this.#length === this.#buffer.length || this.#own) this.#fit();
    this.#next();
  };

  #next(): void {
    if (this.#finishing && !this.#discarding) this.#finish();
    if (this.#state === STOPPED) return;
    this.#state = QUEUED;
    readScheduler.schedule(this.#read);
  }

  #finish(): void {
    this.#discarding = true;
    this.#events.onEnd(this, { kind: "eof" });
  }

  #onReadError = (error: unknown): void => {
    if (this.#state === STOPPED) return;
    const kind = error instanceof Deno.errors.UnexpectedEof
      ? "truncated"
      : "reset";
    this.#end({ kind, error });
  };

  #end(end: End): void {
    this.sourceEnd = end;
    if (!this.#discarding) this.#events.onEnd(this, end);
    this.#events.onSourceEnd(this);
  }

  #onWriteError = (error: unknown): void => {
    if (this.#state === STOPPED) return;
    this.#sent = 0;
    this.#discarding = true;
    this.#events.onLinkError(this.#link, error);
    this.#next();
  };

  #fit(): void {
    const { length } = this.#buffer;
    if (this.#own !== undefined) {
      if (this.#length === length && this.#link.direct) return;
      // The stream has paused, perhaps for long, or its bytes are held.
      if (pool.length < MAX_POOL) pool.push(this.#buffer);
      this.#buffer = this.#own;
      this.#own = undefined;
    } else if (this.#length < length) {
      return;
    } else if (length < LARGEST_OWN) {
      this.#buffer = new Uint8Array(2 * length);
    } else if (this.#link.direct) {
      this.#own = this.#buffer;
      this.#buffer = pool.pop() ?? new Uint8Array(POOLED);
    }
    this.#length = 0;
  }
}
