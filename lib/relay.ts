/**
 * The echo of one connection (RFC 862): what comes in goes out again, until the
 * peer has finished sending and everything has been written back.
 *
 * It reads again only when the last bytes are written: a peer that never reads
 * is read no further, and 546 KiB of buffers are all that it can hold here. They
 * start small, for there may be thousands of idle peers, and grow while reads
 * fill them. Callbacks rather than `await`, because the latter costs 5 % of the
 * throughput and a promise for each idle peer.
 *
 * ```ts
 * import { Relay } from "./relay.ts";
 * const conn = await listener.accept();
 * new Relay(conn, () => conn.close());
 * ```
 *
 * @module
 */

import { shared } from "./turnstile.ts";

/**
 * Bytes of the first buffer. A message of up to 1024 bytes, which is what many
 * clients read at once, goes back in one write. It is a little larger than that,
 * because a read that fills the buffer makes it grow. Each idle connection holds
 * one: with 576 bytes a connection took 5 % less memory.
 */
const FIRST_BUFFER = 1088;

/** Up to this it grows; beyond, a peer that fills it is lent a larger one. */
const LARGEST_OWN = FIRST_BUFFER << 5;

/**
 * The larger one. It is lent while a peer streams and given back when its data
 * has run out, so that all who stream share a few, which stay in the cache.
 */
const LENT = 512 * 1024;
const MOST_SPARE = 32;
const spare: Uint8Array<ArrayBuffer>[] = [];

/** Milliseconds without data after which a peer has nothing under way. */
const QUIET_MS = 10;

/**
 * Milliseconds of silence after which an idle peer that has been told of the end
 * is closed: what it sent before it could see our end has arrived by then. The
 * initial retransmission timeout of RFC 6298 presumes the same of a round trip.
 */
const IDLE_LINGER_MS = 1_000;

// How far an echo has got: its peer is to be told of the end when it is quiet, or
// at once; has been told; and it is over. Numbers, in that order, since they are
// compared for every message.
const ECHOING = 0, FINISHING = 1, HURRYING = 2, TOLD = 3, OVER = 4;

/**
 * An echo under way. A class, since there may be thousands at rest: the steps of
 * a function would be as many closures in each.
 */
export class Relay {
  /** Bytes read so far, of which all but the last piece are written. */
  bytesRead = 0;
  /** Bytes written back so far. */
  bytesWritten = 0;
  readonly #conn: Deno.Conn;
  readonly #ended: (error?: unknown) => void;
  #buffer = new Uint8Array(FIRST_BUFFER);
  #own: Uint8Array<ArrayBuffer> | undefined;
  // Most messages are as long as the one before: its view is kept for them.
  #view = this.#buffer;
  #length = 0;
  #sent = 0;
  #round = 0;
  #phase: number = ECHOING;
  #idle = false;
  #reading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts the echo on a connection. `ended` is called once, with the error that
   * broke it off, if one did; it is to close the connection.
   */
  constructor(conn: Deno.Conn, ended: (error?: unknown) => void) {
    this.#conn = conn;
    this.#ended = ended;
    shared.join();
    // The first read waits for nobody: who has not been served yet comes first.
    this.#read();
  }

  /** Whether the peer has been told of the end, or it is over. */
  get told(): boolean {
    return this.#phase >= TOLD;
  }

  /**
   * Ends it in order: once nothing comes in for a moment, the peer is told that
   * nothing more will follow. Bytes that come in after that are dropped.
   *
   * It is over when the peer ends its side as well. There is no limit here: to
   * close sooner would answer what the peer still sends with a reset, and a reset
   * destroys echo that the peer has not read (RFC 2525, section 2.17). The owner
   * sets the limit by closing the connection.
   *
   * A peer that is `idle` has no unread echo, so it is closed after a second of
   * silence. Otherwise any client that keeps an unused connection without looking
   * at it would hold up the end.
   */
  finish({ idle = false }: { idle?: boolean } = {}): void {
    if (this.#phase !== ECHOING) return;
    this.#phase = FINISHING;
    this.#idle = idle;
    if (this.#reading) this.#listenForQuiet();
  }

  /** The same for a peer that does not stop: tells it after the current piece. */
  hurry(): void {
    if (this.#phase > FINISHING) return;
    clearTimeout(this.#timer);
    this.#phase = HURRYING;
    if (this.#reading) this.#tell();
  }

  #read = (): void => {
    if (this.#phase === HURRYING) this.#tell();
    this.#round = shared.round;
    this.#reading = true;
    this.#conn.read(this.#buffer).then(this.#write, this.#end);
    if (this.#phase === FINISHING) this.#listenForQuiet();
  };

  #write = (count: number | null): void => {
    this.#reading = false;
    shared.done(this.#round);
    if (count === null) return this.#end();
    if (this.#phase !== ECHOING) {
      if (this.#phase === OVER) return;
      if (this.#phase === TOLD) {
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
    shared.pass(this.#read);
  };

  #fit(): void {
    const { length } = this.#buffer;
    if (this.#own !== undefined) {
      if (this.#length === length) return;
      // Drained: what comes next may be long in coming.
      if (spare.length < MOST_SPARE) spare.push(this.#buffer);
      this.#buffer = this.#own;
      this.#own = undefined;
    } else if (this.#length < length) {
      return;
    } else if (length < LARGEST_OWN) {
      this.#buffer = new Uint8Array(2 * length);
    } else {
      this.#own = this.#buffer;
      this.#buffer = spare.pop() ?? new Uint8Array(LENT);
    }
    this.#length = 0;
  }

  #listenForQuiet(): void {
    // Twice half the time: a timer that is due runs before the data that came
    // while the process was busy, the next one after it.
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(() => this.#tell(), QUIET_MS / 2);
    }, QUIET_MS / 2);
  }

  #tell(): void {
    this.#phase = TOLD;
    this.#timer = undefined;
    this.#conn.closeWrite().then(() => this.#linger(), this.#end);
  }

  #linger(): void {
    if (this.#phase === OVER || !this.#idle) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#end, IDLE_LINGER_MS);
  }

  #end = (error?: unknown): void => {
    if (this.#phase === OVER) return;
    this.#phase = OVER;
    clearTimeout(this.#timer);
    // It does not wait for its turn now: a read, a write, or the silence of a
    // peer that was told ends it, and a peer that was told needs no turn.
    shared.leave();
    this.#ended(error);
  };
}
