/**
 * Connections and listeners without a network, which do exactly what a test
 * says: few bytes a write, no bytes at all, clients in bursts.
 *
 * @module
 */

const ADDR: Deno.NetAddr = {
  transport: "tcp",
  hostname: "192.0.2.1",
  port: 7,
};

/** How a fake connection takes what is written to it. */
export interface FakeConnOptions {
  /** Bytes that one write takes at most. */
  bytesPerWrite?: number;
  /** Takes nothing: writes stay pending until it is closed. */
  neverReads?: boolean;
}

/** A connection whose peer is the test. */
export class FakeConn implements Deno.Conn {
  readonly localAddr: Deno.Addr = ADDR;
  readonly remoteAddr: Deno.Addr = ADDR;
  /** What each write took. */
  readonly writes: Uint8Array[] = [];
  /** The buffers that reads were given, one for each read. */
  readonly buffers: Uint8Array[] = [];
  /** Whether this end was closed. */
  closed = false;
  /** Whether this end said that nothing more follows. */
  ended = false;
  readonly #options: FakeConnOptions;
  readonly #input: Uint8Array[] = [];
  #inputEnded = false;
  #reader: PromiseWithResolvers<number | null> | undefined;
  #writer: PromiseWithResolvers<number> | undefined;

  constructor(options: FakeConnOptions = {}) {
    this.#options = options;
  }

  /** All that was written. */
  get output(): Uint8Array {
    const all = new Uint8Array(
      this.writes.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const bytes of this.writes) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
  }

  /** The peer sends bytes, which one read takes if its buffer is large enough. */
  feed(bytes: Uint8Array): void {
    this.#input.push(bytes);
    this.#answer();
  }

  /** The peer finishes sending. */
  end(): void {
    this.#inputEnded = true;
    this.#answer();
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.closed) return Promise.reject(new Deno.errors.BadResource());
    this.buffers.push(buffer);
    this.#reader = Promise.withResolvers();
    const { promise } = this.#reader;
    this.#answer();
    return promise;
  }

  #answer(): void {
    const bytes = this.#input[0];
    if (!this.#reader || (!bytes && !this.#inputEnded)) return;
    const { resolve } = this.#reader;
    this.#reader = undefined;
    if (!bytes) return resolve(null);
    const buffer = this.buffers.at(-1)!;
    const piece = bytes.subarray(0, buffer.length);
    buffer.set(piece);
    if (piece.length < bytes.length) {
      this.#input[0] = bytes.subarray(piece.length);
    } else {
      this.#input.shift();
    }
    resolve(piece.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.closed) return Promise.reject(new Deno.errors.BadResource());
    if (this.#options.neverReads) {
      this.#writer = Promise.withResolvers();
      return this.#writer.promise;
    }
    const taken = bytes.slice(0, this.#options.bytesPerWrite);
    this.writes.push(taken);
    return Promise.resolve(taken.length);
  }

  closeWrite(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  close(): void {
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.closed = true;
    const error = new Deno.errors.Interrupted("operation canceled");
    this.#reader?.reject(error);
    this.#writer?.reject(error);
    this.#reader = this.#writer = undefined;
  }

  ref(): void {}
  unref(): void {}

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    throw new Error("a fake connection has no streams");
  }

  get writable(): WritableStream<Uint8Array> {
    throw new Error("a fake connection has no streams");
  }
}

/** A listener whose clients are the test's. */
export class FakeListener {
  readonly addr: Deno.NetAddr = ADDR;
  closed = false;
  readonly #queue: FakeConn[] = [];
  #taker: PromiseWithResolvers<Deno.Conn> | undefined;

  /** A client connects. */
  connect(conn: FakeConn = new FakeConn()): FakeConn {
    if (this.#taker) this.#taker.resolve(conn);
    else this.#queue.push(conn);
    this.#taker = undefined;
    return conn;
  }

  accept(): Promise<Deno.Conn> {
    const conn = this.#queue.shift();
    if (conn) return Promise.resolve(conn);
    this.#taker = Promise.withResolvers();
    return this.#taker.promise;
  }

  close(): void {
    this.closed = true;
    this.#taker?.reject(new Deno.errors.BadResource("closed"));
  }

  ref(): void {}
  unref(): void {}
}
