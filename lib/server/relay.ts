/**
 * The echo of one connection (RFC 862): it writes back what it reads, until the
 * client has half-closed the connection and everything is written.
 *
 * It reads again only when the last chunk is written: a client that never reads
 * is not read from either, and occupies at most 546 KiB of buffers. Buffers start
 * small, because thousands of clients may be idle, and grow while reads fill
 * them. Callbacks replace `await`, which costs 5 % of the throughput and one
 * promise for each idle connection.
 *
 * ```ts
 * import { Relay } from "./relay.ts";
 *
 * const listener = Deno.listen({ port: 12345 });
 * const conn = await listener.accept();
 * new Relay(conn, () => conn.close());
 * ```
 *
 * @module
 */

import { readScheduler } from "../net/read_scheduler.ts";
import type { Handler } from "./connection.ts";

/**
 * Bytes of the first buffer. A message of up to 1024 bytes, which many clients
 * read at once, is written back at once. The buffer is a little larger, because
 * a read that fills it makes it grow. Each idle connection has one: with 576
 * bytes a connection took 5 % less memory.
 */
const FIRST_BUFFER = 1088;

/** Bytes up to which a connection's own buffer grows. */
const LARGEST_OWN = FIRST_BUFFER << 5;

/**
 * Bytes of the buffers that connections borrow once they have outgrown their
 * own, until a read does not fill them. So all streams share a few buffers, which
 * stay in the CPU's cache.
 */
const POOLED = 512 * 1024;
const MAX_POOL = 32;
const pool: Uint8Array<ArrayBuffer>[] = [];

/** Milliseconds without data after which a client has paused. */
const PAUSE_MS = 10;

/**
 * Milliseconds of silence after which an idle client is closed once it was sent
 * the end of input: what it sent before that reached it has arrived by then. The
 * initial retransmission timeout of RFC 6298 assumes the same round-trip time.
 */
const IDLE_LINGER_MS = 1_000;

// The phases, after the states of TCP (RFC 9293): echo; half-close when the
// client pauses; half-close after the current chunk; discard until the client
// closes; closed. They are numbers in this order, because each message compares
// them.
const ECHOING = 0, DRAINING = 1, HALF_CLOSING = 2, HALF_CLOSED = 3, CLOSED = 4;

/**
 * The echo of a connection. It is a class because there may be thousands: the
 * steps of a function would be as many closures in each.
 */
export class Relay implements Handler {
  /** Bytes read so far. All but the last chunk are written. */
  bytesRead = 0;
  /** Bytes written back so far. */
  bytesWritten = 0;
  readonly #conn: Deno.Conn;
  readonly #onClosed: (error?: unknown) => void;
  #buffer = new Uint8Array(FIRST_BUFFER);
  // Kept while the connection borrows a buffer.
  #own: Uint8Array<ArrayBuffer> | undefined;
  // Most messages are as long as the one before, so their view is kept.
  #view = this.#buffer;
  #length = 0;
  #sent = 0;
  #tick = 0;
  #phase: number = ECHOING;
  #idle = false;
  #reading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts to echo. `onClosed` is called once, with the error that ended the
   * echo, if there is one. It must close the connection.
   */
  constructor(conn: Deno.Conn, onClosed: (error?: unknown) => void) {
    this.#conn = conn;
    this.#onClosed = onClosed;
    readScheduler.join();
    // The first read is not scheduled: new clients are served first.
    this.#read();
  }

  /** Whether the client was sent the end of input, or the echo has ended. */
  get halfClosed(): boolean {
    return this.#phase >= HALF_CLOSED;
  }

  /**
   * Half-closes the connection once the client pauses. What it sends after that
   * is discarded.
   *
   * The echo ends when the client closes its side too. There is no time limit
   * here: if the connection were closed while the client still sends, the client
   * would receive a reset, which destroys echo that it has not read (RFC 2525,
   * section 2.17). The owner sets the limit by closing the connection.
   *
   * An `idle` client has no unread echo, so it is closed after one second of
   * silence. Otherwise each client that keeps an unused connection open would
   * delay the end.
   */
  drain({ idle = false }: { idle?: boolean } = {}): void {
    if (this.#phase !== ECHOING) return;
    this.#phase = DRAINING;
    this.#idle = idle;
    if (this.#reading) this.#waitForPause();
  }

  /** Does the same after the current chunk, without waiting for a pause. */
  halfClose(): void {
    if (this.#phase > DRAINING) return;
    clearTimeout(this.#timer);
    this.#phase = HALF_CLOSING;
    if (this.#reading) this.#sendFin();
  }

  #read = (): void => {
    if (this.#phase === HALF_CLOSING) this.#sendFin();
    this.#tick = readScheduler.tick;
    this.#reading = true;
    this.#conn.read(this.#buffer).then(this.#write, this.#end);
    if (this.#phase === DRAINING) this.#waitForPause();
  };

  #write = (count: number | null): void => {
    this.#reading = false;
    readScheduler.onData(this.#tick);
    if (count === null) return this.#end();
    if (this.#phase !== ECHOING) {
      if (this.#phase === CLOSED) return;
      if (this.#phase === HALF_CLOSED) {
        if (this.#timer !== undefined) this.#linger();
        return this.#read();
      }
      clearTimeout(this.#timer);
      this.#idle = false;
    }
    this.bytesRead += count;
    if (count !== this.#length) {
      this.#length = count;
      this.#view = this.#buffer.subarray(0, count);
    }
    this.#conn.write(this.#view).then(this.#written, this.#end);
  };

  #written = (count: number): void => {
    this.bytesWritten += count;
    this.#sent += count;
    if (this.#sent < this.#length) {
      const rest = this.#view.subarray(this.#sent);
      this.#conn.write(rest).then(this.#written, this.#end);
      return;
    }
    this.#sent = 0;
    if (this.#length === this.#buffer.length || this.#own) this.#fit();
    readScheduler.schedule(this.#read);
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

  #waitForPause(): void {
    // Half of the time, twice: if the process was busy, a due timer runs before
    // the data that arrived meanwhile, and the next timer after it.
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(() => this.#sendFin(), PAUSE_MS / 2);
    }, PAUSE_MS / 2);
  }

  #sendFin(): void {
    this.#phase = HALF_CLOSED;
    this.#timer = undefined;
    this.#conn.closeWrite().then(() => this.#linger(), this.#end);
  }

  #linger(): void {
    if (this.#phase === CLOSED || !this.#idle) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#end, IDLE_LINGER_MS);
  }

  #end = (error?: unknown): void => {
    if (this.#phase === CLOSED) return;
    this.#phase = CLOSED;
    clearTimeout(this.#timer);
    // No read is scheduled now: a read, a write, or the silence after a half-close
    // has ended the echo, and it was waiting for that.
    readScheduler.leave();
    this.#onClosed(error);
  };
}
