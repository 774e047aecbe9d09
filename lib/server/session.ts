/**
 * One accepted connection of a server, from accept to close: an echo, or with an
 * upstream a proxy.
 *
 * @module
 */

import type { ConnFaults, FaultControl } from "../faults/control.ts";
import { type Conn, setNoDelay } from "../net/conn.ts";
import { TimedOutError } from "../net/errors.ts";
import type {
  ClosedConnection,
  Connection,
  EndReason,
  Traffic,
  UpstreamTraffic,
} from "../net/server.ts";
import { sleep } from "../net/timeout.ts";
import type { Dial } from "./dial.ts";
import { drain } from "./drain.ts";
import { QuietTimer } from "./quiet_timer.ts";
import { type Side, Streams, type StreamsOwner } from "./streams.ts";
import { addCounts } from "./traffic.ts";

/** What a session needs. */
export interface SessionOptions {
  /** The number of the connection. */
  id: number;
  /** The faults of its server. */
  faults: FaultControl;
  /** Connects to the upstream. Without it, the session is an echo. */
  dial?: Dial | undefined;
  /** Called once, after the connection is closed. */
  onClosed: (session: Session, summary: ClosedConnection) => void;
}

/**
 * Milliseconds for the TLS handshake of a client. One that stalls occupies a
 * connection until then.
 */
const HANDSHAKE_MS = 10_000;

/**
 * Milliseconds without a byte after which a client counts as idle at a shutdown:
 * it has read its echo by then, or does not read at all.
 */
const DRAIN_IDLE_MS = 5_000;

/** An accepted connection. */
export class Session implements Connection, StreamsOwner {
  readonly id: number;
  readonly remoteAddr: Deno.Addr;
  readonly #acceptedAt: number = performance.now();
  readonly #options: SessionOptions;
  readonly #streams: Streams;
  #faults: ConnFaults;
  /** When the times of faults begin to count. */
  #faultsSince = this.#acceptedAt;
  /** Aborted when the faults are replaced, which ends `connectDelay`. */
  #delay: AbortController | undefined;
  #dialing: AbortController | undefined;
  readonly #quiet = new QuietTimer();
  #refed = true;
  #draining = false;
  #closed = false;
  /** Bytes that were carried when it was last looked at, and since when. */
  #lastBytes = 0;
  #lastChange = this.#acceptedAt;

  /** Takes a connection, which is served from `start()` on. */
  constructor(conn: Conn, options: SessionOptions) {
    const { id, faults } = options;
    this.id = id;
    this.remoteAddr = conn.remoteAddr;
    this.#options = options;
    this.#faults = faults.inForce.of(id);
    this.#streams = new Streams(conn, faults.held, this);
    const { link } = this.#streams.client;
    link.setFaults(this.#faults.downstream, this.#faultsSince);
  }

  /** Serves the connection, after its delay and its TLS handshake. */
  async start(): Promise<void> {
    const { conn, link } = this.#streams.client;
    const { refusal, connectDelay } = this.#faults;
    if (refusal) return this.#refuse(refusal);
    if (connectDelay > 0) {
      link.count("connectDelay");
      this.#delay = new AbortController();
      await sleep(connectDelay, this.#delay.signal).catch(() => {});
    }
    if (conn.handshake && !this.#closed) {
      await this.#handshake(conn.handshake());
    }
    if (this.#closed) return;
    setNoDelay(conn);
    if (this.#options.dial) await this.#dial(this.#options.dial);
    else this.#streams.echo();
  }

  /** What it has carried so far. Bytes that a fault holds are not written. */
  stats(): Traffic {
    const { client, upstream } = this.#streams;
    return {
      ...bytesOf(client),
      ...(this.#options.dial ? { upstream: bytesOf(upstream) } : {}),
      faults: addCounts(client.link.counts, upstream?.link.counts),
    };
  }

  /** Injects the faults that are in force now, instead of those before. */
  setFaults(): void {
    if (this.#closed) return;
    this.#faults = this.#options.faults.inForce.of(this.id);
    this.#faultsSince = performance.now();
    this.#delay?.abort();
    if (this.#faults.refusal === "down") return this.#refuse("down");
    const { client, upstream } = this.#streams;
    client.link.setFaults(this.#faults.downstream, this.#faultsSince);
    upstream?.link.setFaults(this.#faults.upstream, this.#faultsSince);
  }

  /** Keeps the process alive while the connection is open, or lets it end. */
  keepAlive(refed: boolean): void {
    this.#refed = refed;
    for (const { conn } of this.#streams.sides) {
      if (refed) conn.ref();
      else conn.unref();
    }
  }

  /** Ends the session once the client pauses, see `drain.ts`. */
  drain(): void {
    this.#draining = true;
    if (!this.#streams.client.input) return this.onFinish("shutdown");
    const { bytes, isWhole } = this.#streams;
    const silence = this.#silence();
    drain(this.#streams, {
      quiet: this.#quiet,
      onIdle: isWhole && (bytes === 0 || silence >= DRAIN_IDLE_MS)
        ? () => this.onFinish("shutdown")
        : undefined,
    });
  }

  /** Ends the client's stream after the current chunk, without waiting for a pause. */
  halfClose(): void {
    this.#quiet.stop();
    this.#streams.halfClose();
  }

  /** Closes the connection because the server ends now. */
  abort(): void {
    this.#draining = true;
    this.onFinish("aborted");
  }

  /** Closes the connection if nothing was carried for `timeout` milliseconds. */
  closeIfIdle(timeout: number): void {
    if (this.#silence() >= timeout) this.onFinish("idle");
  }

  /** Milliseconds since the look at the bytes that saw their last change. */
  #silence(): number {
    const now = performance.now();
    const { bytes } = this.#streams;
    if (bytes !== this.#lastBytes) {
      this.#lastBytes = bytes;
      this.#lastChange = now;
    }
    return now - this.#lastChange;
  }

  async #handshake(handshake: Promise<unknown>): Promise<void> {
    const timer = setTimeout(() => {
      const message = `no TLS handshake within ${HANDSHAKE_MS} ms`;
      this.onFinish("handshake", new TimedOutError(message));
    }, HANDSHAKE_MS);
    Deno.unrefTimer(timer);
    try {
      await handshake;
    } catch (error) {
      this.onFinish("handshake", error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #dial(dial: Dial): Promise<void> {
    const { signal } = this.#dialing = new AbortController();
    let conn: Conn;
    try {
      conn = await dial(this.#streams.client.conn, signal);
    } catch (error) {
      return this.onFinish("unreachable", error);
    }
    if (this.#closed) return conn[Symbol.dispose]();
    if (!this.#refed) conn.unref();
    const upstream = this.#streams.side("upstream", conn);
    upstream.link.setFaults(this.#faults.upstream, this.#faultsSince);
    this.#streams.forward(upstream);
  }

  #refuse(fault: "down" | "closeOnAccept"): void {
    this.#streams.client.link.count(fault);
    this.onFinish("fault");
  }

  /** Closes the connection, and reports why. Called again, it does nothing. */
  onFinish(reason: EndReason, error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#delay?.abort();
    this.#dialing?.abort();
    this.#quiet.stop();
    const { client, closedBy } = this.#streams;
    // A client that has got everything has lost nothing, however it ends.
    const served = client.link.ended?.kind === "eof";
    if (this.#draining && (served || reason === "closed")) {
      [reason, error] = ["shutdown", undefined];
    }
    this.#streams.close();
    const { id, remoteAddr } = this;
    this.#options.onClosed(this, {
      id,
      remoteAddr,
      ...this.stats(),
      duration: performance.now() - this.#acceptedAt,
      reason,
      closedBy,
      error,
    });
  }
}

function bytesOf(side: Side | undefined): UpstreamTraffic {
  return {
    bytesRead: side?.input?.bytesRead ?? 0,
    bytesWritten: side?.link.bytesWritten ?? 0,
  };
}
