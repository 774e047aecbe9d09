/**
 * A connection that is watched while nothing is under way on it: a read stays
 * pending, so that its user learns of an end, or of bytes that nobody asked for,
 * before the next message is sent.
 *
 * ```ts
 * import { WatchedConn } from "./watched_conn.ts";
 * const conn = new WatchedConn(await Deno.connect({ port: 12345 }), 1024);
 * conn.watch();
 * // later
 * if (conn.ended) console.log("closed by the server");
 * ```
 *
 * @module
 */

/** See the module; `read` and `write` are those of `Deno.Conn`. */
export class WatchedConn implements Disposable {
  /** Whether the connection ended while it was watched. */
  ended = false;
  /** The first byte that came while it was watched. */
  unexpected: number | undefined;
  readonly #conn: Deno.Conn;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #pending: Promise<number | null> | undefined;

  /** `size` is the length of the smallest buffer that `read` will be given. */
  constructor(conn: Deno.Conn, size: number) {
    this.#conn = conn;
    this.#buffer = new Uint8Array(size);
  }

  /** Watches until the next `read`. */
  watch(): void {
    const pending = this.#conn.read(this.#buffer);
    this.#pending = pending;
    const settle = (count: number | null) => {
      if (this.#pending !== pending) return;
      if (count === null) this.ended = true;
      else this.unexpected = this.#buffer[0];
    };
    // A reset is an end, too.
    pending.then(settle, () => settle(null));
  }

  /** Reads on, with the read that is pending first. */
  async read(into: Uint8Array): Promise<number | null> {
    if (!this.#pending) return await this.#conn.read(into);
    const pending = this.#pending;
    this.#pending = undefined;
    const count = await pending;
    if (count !== null) into.set(this.#buffer.subarray(0, count));
    return count;
  }

  /** Writes as `Deno.Conn` does. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }
}
