/**
 * A connection that is watched while it is idle: a read stays pending, so that a
 * FIN, a reset or unexpected bytes are noticed before the next message is sent.
 *
 * ```ts
 * import { WatchedConn } from "./watched_conn.ts";
 *
 * using conn = new WatchedConn(await Deno.connect({ port: 12345 }), 1024);
 * conn.watch();
 * // Later:
 * if (conn.ended) console.log("closed by the server");
 * ```
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
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #pending: Promise<number | null> | undefined;

  /** `size` is the smallest buffer that `read` will be given. */
  constructor(conn: Deno.Conn, size: number) {
    this.#conn = conn;
    this.#buffer = new Uint8Array(size);
  }

  /** Watches the connection until the next `read`. */
  watch(): void {
    const pending = this.#conn.read(this.#buffer);
    this.#pending = pending;
    const settle = (count: number | null) => {
      if (this.#pending !== pending) return;
      if (count === null) this.ended = true;
      else this.unexpected = this.#buffer[0];
    };
    // A reset ends the connection too.
    pending.then(settle, () => settle(null));
  }

  /** Reads; the pending read is used first. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (!this.#pending) return await this.#conn.read(buffer);
    const pending = this.#pending;
    this.#pending = undefined;
    const count = await pending;
    if (count !== null) buffer.set(this.#buffer.subarray(0, count));
    return count;
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
