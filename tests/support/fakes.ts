/**
 * Connections and listeners without a network, which do exactly what a test
 * says: accept few bytes per write, accept none, or connect in bursts.
 *
 * @module
 */

const ADDR: Deno.NetAddr = {
  transport: "tcp",
  hostname: "192.0.2.1",
  port: 7,
};

/** How a fake connection handles writes. */
export interface FakeConnOptions {
  /** Bytes that one write accepts at most. */
  bytesPerWrite?: number;
  /** Writes stay pending until the connection is closed. */
  neverReads?: boolean;
}

/** A connection whose peer is the test. */
export class FakeConn implements Deno.Conn {
  readonly localAddr: Deno.Addr = { ...ADDR, port: 49_152 };
  readonly remoteAddr: Deno.Addr = ADDR;
  /** The bytes that each write accepted. */
  readonly writes: Uint8Array[] = [];
  /** The buffer of each read. */
  readonly buffers: Uint8Array[] = [];
  /** Whether `close` was called. */
  closed = false;
  /** Whether `closeWrite` was called. */
  ended = false;
  readonly #options: FakeConnOptions;
  readonly #input: Uint8Array[] = [];
  #inputEnded = false;
  #failure: unknown;
  /** Whether the process waits for it. */
  refed = true;
  #reader: PromiseWithResolvers<number | null> | undefined;
  #writer: PromiseWithResolvers<number> | undefined;

  constructor(options: FakeConnOptions = {}) {
    this.#options = options;
  }

  /** All bytes that were written. */
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

  /** The peer sends bytes. One read returns them if its buffer is large enough. */
  feed(bytes: Uint8Array): void {
    this.#input.push(bytes);
    this.#answer();
  }

  /** The peer finishes sending. */
  end(): void {
    this.#inputEnded = true;
    this.#answer();
  }

  /** The peer resets the connection: once the input is read, reads fail. */
  fail(error: unknown = new Deno.errors.ConnectionReset("reset")): void {
    this.#failure = error;
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
    if (!this.#reader || !(bytes || this.#inputEnded || this.#failure)) return;
    const { resolve, reject } = this.#reader;
    this.#reader = undefined;
    if (!bytes && this.#failure) return reject(this.#failure);
    if (!bytes) return resolve(null);
    const buffer = this.buffers.at(-1)!;
    const chunk = bytes.subarray(0, buffer.length);
    buffer.set(chunk);
    if (chunk.length < bytes.length) {
      this.#input[0] = bytes.subarray(chunk.length);
    } else {
      this.#input.shift();
    }
    resolve(chunk.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.closed) return Promise.reject(new Deno.errors.BadResource());
    if (this.#options.neverReads) {
      this.#writer = Promise.withResolvers();
      return this.#writer.promise;
    }
    const accepted = bytes.slice(0, this.#options.bytesPerWrite);
    this.writes.push(accepted);
    return Promise.resolve(accepted.length);
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

  ref(): void {
    this.refed = true;
  }

  unref(): void {
    this.refed = false;
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    throw new Error("a fake connection has no streams");
  }

  get writable(): WritableStream<Uint8Array> {
    throw new Error("a fake connection has no streams");
  }
}

/** A listener whose clients are made by the test. */
export class FakeListener {
  readonly addr: Deno.NetAddr = ADDR;
  closed = false;
  readonly #queue: FakeConn[] = [];
  #pending: PromiseWithResolvers<Deno.Conn> | undefined;

  /** A client connects. */
  connect(conn: FakeConn = new FakeConn()): FakeConn {
    if (this.#pending) this.#pending.resolve(conn);
    else this.#queue.push(conn);
    this.#pending = undefined;
    return conn;
  }

  accept(): Promise<Deno.Conn> {
    const conn = this.#queue.shift();
    if (conn) return Promise.resolve(conn);
    this.#pending = Promise.withResolvers();
    return this.#pending.promise;
  }

  close(): void {
    this.closed = true;
    this.#pending?.reject(new Deno.errors.BadResource("closed"));
  }

  ref(): void {}
  unref(): void {}
}

/**
 * Makes `Deno.listen` return a listener that accepts or fails as listed, and then
 * waits, until this is disposed.
 */
export function listening(
  steps: (Error | Deno.Conn)[],
): { readonly attempts: number } & Disposable {
  const listen = Deno.listen;
  const end = Promise.withResolvers<never>();
  // It may be closed while no `accept()` is pending.
  end.promise.catch(() => {});
  const replaced = {
    attempts: 0,
    [Symbol.dispose]: () => void Reflect.set(Deno, "listen", listen),
  };
  const listener = {
    addr: ADDR,
    accept() {
      replaced.attempts++;
      const step = steps.shift();
      if (step === undefined) return end.promise;
      return step instanceof Error
        ? Promise.reject(step)
        : Promise.resolve(step);
    },
    close: () => end.reject(new Deno.errors.BadResource("closed")),
    ref() {},
    unref() {},
  };
  Reflect.set(Deno, "listen", () => listener);
  return replaced;
}
