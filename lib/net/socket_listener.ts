/**
 * A listener for connections that can be reset or that speak TLS, with the interface
 * of Deno's listeners.
 *
 * It is on the handle of a `net.Server`, but not on the server itself, which accepts
 * connections that nobody has asked for, and which never accepts again once it has
 * run out of files (Deno 2.9.6).
 *
 * @module
 */

import type { SocketConn } from "./socket_conn.ts";
import {
  addressOf,
  type Bind,
  type ListenHandle,
  type TcpHandle,
} from "./tcp_handle.ts";

/** Makes a connection of an accepted handle. */
export type Adopt = (client: TcpHandle) => SocketConn;

/** What a listener needs besides its address. */
export interface SocketListenerOptions {
  /** Connections that the kernel queues. */
  backlog: number;
  /** Loads what makes a connection of an accepted handle. */
  load: () => Promise<Adopt>;
}

/**
 * Connections that the runtime takes from the kernel ahead of `accept()`. Each has a
 * file, which a proxy may need for the upstream of another one. With fewer than two,
 * it would take all. The kernel goes on to queue as many as the backlog.
 */
const TAKEN_AHEAD = 8;

/**
 * Milliseconds after which a waiting `accept()` looks again. A handle that could not
 * accept for want of files says nothing, and closed files are no event.
 */
const LOOK_AGAIN_MS = 250;

/** What the constructor of a handle takes: a connection rather than a server. */
const CONNECTION = 0;

/** The numbers of `bind()` for too many open files, of this process and of all. */
const SHORTAGES: ReadonlyMap<number, string> = new Map([
  [-24, "EMFILE"],
  [-23, "ENFILE"],
]);

/**
 * A listener. The runtime takes connections from the kernel as soon as one is awaited,
 * at most `TAKEN_AHEAD`. It takes no more until these are accepted.
 */
export class SocketListener implements Deno.Listener<SocketConn, Deno.NetAddr> {
  readonly addr: Deno.NetAddr;
  readonly #bind: Bind;
  readonly #handle: ListenHandle;
  readonly #options: SocketListenerOptions;
  /** Takes the next connection. */
  #client: TcpHandle | undefined;
  #adopt: Adopt | undefined;
  #wake: ((found: boolean) => void) | undefined;
  #closed = false;

  /** Listens. @throws {Error} if it cannot; Deno's own listeners can say why. */
  constructor(bind: Bind, options: SocketListenerOptions) {
    const handle = bind();
    if (typeof handle === "number") throw new Error(`bind failed: ${handle}`);
    const status = handle.listen(options.backlog);
    if (status !== 0) {
      handle.close();
      throw new Error(`listen failed: ${status}`);
    }
    this.addr = addressOf((out) => handle.getsockname(out))!;
    this.#bind = bind;
    this.#handle = handle;
    this.#options = options;
    handle.onconnection = () => this.#wake?.(true);
    handle.listen(TAKEN_AHEAD);
  }

  /**
   * Waits for a connection. One that its client has reset by then is skipped.
   *
   * @throws {Deno.errors.BadResource} if the listener is closed.
   * @throws {Error} with the code EMFILE or ENFILE if there are too many open files.
   */
  async accept(): Promise<SocketConn> {
    const adopt = this.#adopt ??= await this.#options.load();
    for (;;) {
      if (this.#closed) throw new Deno.errors.BadResource("Listener is closed");
      const client = this.#client ??= this.#newClient();
      if (this.#handle.accept(client) !== 0) {
        this.#handle.listen(TAKEN_AHEAD);
        if (!await this.#wakeUp()) this.#checkFiles();
        continue;
      }
      this.#client = undefined;
      try {
        return adopt(client);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotConnected)) throw error;
      }
    }
  }

  /** Stops listening. */
  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    this[Symbol.dispose]();
  }

  /** The same, but may be called again. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
    this.#client?.close();
    this.#wake?.(true);
  }

  /** Keeps the process alive. */
  ref(): void {
    this.#handle.ref();
  }

  /** Lets the process end. */
  unref(): void {
    this.#handle.unref();
  }

  /** The connections, until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<SocketConn> {
    while (!this.#closed) {
      try {
        yield await this.accept();
      } catch (error) {
        if (!this.#closed) throw error;
      }
    }
  }

  #newClient(): TcpHandle {
    const Handle = this.#handle.constructor as new (type: number) => TcpHandle;
    return new Handle(CONNECTION);
  }

  /** Resolves with true for a connection or the close, and with false after a while. */
  async #wakeUp(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#wake = resolve;
    const timer = setTimeout(() => resolve(false), LOOK_AGAIN_MS);
    Deno.unrefTimer(timer);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  /** A second bind fails for want of files as accepting does, but says so. */
  #checkFiles(): void {
    const probe = this.#bind();
    if (typeof probe !== "number") return probe.close();
    const code = SHORTAGES.get(probe);
    if (!code) return;
    throw Object.assign(new Error("Too many open files"), { code });
  }
}
