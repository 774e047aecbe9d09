/**
 * A connection that may be watched while it is idle: a read stays pending, so that a
 * FIN, a reset or unexpected bytes are noticed before the next message is sent.
 *
 * @module
 */

/** `read` and `write` are those of `Deno.Conn`. */
export class WatchedConn implements Disposable {
  /** Whether the connection ended while it was watched. */
  ended = false;
  /** The first byte that arrived while the connection was watched. */
  unexpected: number | undefined;
  readonly #conn: Deno.Conn;
  readonly #size: number;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #pending: Promise<number | null> | undefined;

  /** `size` is the smallest buffer that `read` will be given. */
  constructor(conn: Deno.Conn, size: number) {
    this.#conn = conn;
    this.#size = size;
  }

  /** Whether a read is pending. */
  get isWatched(): boolean {
    return this.#pending !== undefined;
  }

  /** Watches the connection until the next `read`. */
  watch(): void {
    const buffer = this.#buffer ??= new Uint8Array(this.#size);
    const pending = this.#conn.read(buffer);
    this.#pending = pending;
    const settle = (count: number | null) => {
      if (this.#pending !== pending) return;
      if (count === null) this.ended = true;
      else this.unexpected = buffer[0];
    };
    // A reset ends the connection too.
    pending.then(settle, () => settle(null));
  }

  /** Reads; the pending read is used first. */
  read(buffer: Uint8Array): Promise<number | null> {
    const pending = this.#pending;
    if (!pending) return this.#conn.read(buffer);
    this.#pending = undefined;
    return pending.then((count) => {
      if (count !== null) buffer.set(this.#buffer!.subarray(0, count));
      return count;
    });
  }

  /** Writes. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }
}
