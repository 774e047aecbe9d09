/**
 * Copies what one connection receives to another, or back to the same one, until
 * the end of input. The echo is one copy, and a proxy two.
 *
 * It reads again only when the last chunk is written: a peer that does not read
 * is not sent more, and occupies at most 546 KiB of buffers. Buffers start small,
 * because thousands of connections may be idle, and grow while reads fill them.
 * Callbacks replace `await`, which costs 5 % of the throughput and one promise for
 * each idle connection.
 *
 * ```ts
 * import { Copy } from "./copy.ts";
 *
 * const conn = await Deno.listen({ port: 12345 }).accept();
 * const point = { conn };
 * const copy = new Copy(point, point, {
 *   onEof: () => copy.stop(),
 *   onReadError: () => copy.stop(),
 *   onWriteError: () => copy.stop(),
 * });
 * copy.start();
 * ```
 *
 * @module
 */

import { readScheduler } from "../net/read_scheduler.ts";

/** A connection that may be replaced between two operations. */
export interface ConnRef {
  /** The connection of the next operation. */
  readonly conn: Pick<Deno.Conn, "read" | "write">;
}

/** What happens to a copy. After each event it does nothing by itself. */
export interface CopyEvents {
  /** The source has sent everything, and all of it is written. */
  onEof(copy: Copy): void;
  /** The source failed. */
  onReadError(copy: Copy, error: unknown): void;
  /** The destination failed. Some of what was read is not written. */
  onWriteError(copy: Copy, error: unknown): void;
}

/** What a copy does next, for an owner that waits for a pause. */
export interface CopyObserver {
  /** Everything is written, and the copy waits for data. */
  onWaiting(copy: Copy): void;
  /** Data was read. */
  onData(copy: Copy): void;
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

// The states: not started; waits for the scheduler; waits for data; has a chunk or
// an event; stopped. They are numbers because each message compares them.
const NEW = 0, QUEUED = 1, READING = 2, BUSY = 3, STOPPED = 4;

/** A copy from a source to a destination, which may be the same connection. */
export class Copy {
  /** Bytes read so far. All but the last chunk are written. */
  bytesRead = 0;
  /** Bytes written so far. */
  bytesWritten = 0;
  /** Drops what is read from now on, instead of writing it. */
  discarding = false;
  /** Called at each step, if set. */
  observer: CopyObserver | undefined;
  /** The number of the last read among those of all copies. 0 if there was none. */
  lastRead = 0;
  readonly #source: ConnRef;
  readonly #destination: ConnRef;
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

  /** Does nothing until `start`. */
  constructor(source: ConnRef, destination: ConnRef, events: CopyEvents) {
    this.#source = source;
    this.#destination = destination;
    this.#events = events;
    readScheduler.join();
  }

  /** Whether everything is written, and the copy waits for data. */
  get isWaiting(): boolean {
    return this.#state === READING;
  }

  /** Whether the copy was stopped. */
  get isStopped(): boolean {
    return this.#state === STOPPED;
  }

  /** Starts to read. The first read is not scheduled: new clients come first. */
  start(): void {
    this.#read();
  }

  /** Stops the copy. What is being read or written is not waited for. */
  stop(): void {
    if (this.#state === STOPPED) return;
    readScheduler.leave(this.#state === QUEUED ? this.#read : undefined);
    this.#state = STOPPED;
  }

  #read = (): void => {
    this.observer?.onWaiting(this);
    if (this.#state === STOPPED) return;
    this.#state = READING;
    this.#tick = readScheduler.tick;
    this.#source.conn.read(this.#buffer).then(this.#onRead, this.#onReadError);
  };

  #onRead = (count: number | null): void => {
    if (this.#state === STOPPED) return;
    this.#state = BUSY;
    readScheduler.onData(this.#tick);
    if (count === null) return this.#events.onEof(this);
    this.observer?.onData(this);
    if (this.discarding) return this.#next();
    this.lastRead = ++reads;
    this.bytesRead += count;
    if (count !== this.#length) {
      this.#length = count;
      this.#view = this.#buffer.subarray(0, count);
    }
    this.#destination.conn.write(this.#view)
      .then(this.#onWritten, this.#onWriteError);
  };

  #onWritten = (count: number): void => {
    this.bytesWritten += count;
    this.#sent += count;
    if (this.#state === STOPPED) return;
    if (this.#sent < this.#length && !this.discarding) {
      const rest = this.#view.subarray(this.#sent);
      this.#destination.conn.write(rest)
        .then(this.#onWritten, this.#onWriteError);
      return;
    }
    this.#sent = 0;
    if (this.#length === this.#buffer.length || this.#own) this.#fit();
    this.#next();
  };

  #next(): void {
    if (this.#state === STOPPED) return;
    this.#state = QUEUED;
    readScheduler.schedule(this.#read);
  }

  /** Reads on after `onWriteError`, and drops what it reads. */
  discard(): void {
    this.discarding = true;
    this.#sent = 0;
    this.#next();
  }

  #onReadError = (error: unknown): void => {
    if (this.#state === STOPPED) return;
    this.#state = BUSY;
    this.#events.onReadError(this, error);
  };

  #onWriteError = (error: unknown): void => {
    if (this.#state !== STOPPED) this.#events.onWriteError(this, error);
  };

  #fit(): void {
    const { length } = this.#buffer;
    if (this.#own !== undefined) {
      if (this.#length === length) return;
      // The stream has paused, perhaps for long.
      if (pool.length < MAX_POOL) pool.push(this.#buffer);
      this.#buffer = this.#own;
      this.#own = undefined;
    } else if (this.#length < length) {
      return;
    } else if (length < LARGEST_OWN) {
      this.#buffer = new Uint8Array(2 * length);
    } else {
      this.#own = this.#buffer;
      this.#buffer = pool.pop() ?? new Uint8Array(POOLED);
    }
    this.#length = 0;
  }
}
