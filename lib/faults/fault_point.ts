/**
 * A connection in which faults can be injected at any time. Until then its user has
 * the plain connection, so it costs nothing.
 *
 * ```ts
 * import { FaultInjector } from "./fault_injector.ts";
 * import { FaultPoint } from "./fault_point.ts";
 *
 * const point = new FaultPoint(await Deno.connect({ port: 12345 }), { id: 1 });
 * await point.conn.write(new Uint8Array(1));
 * point.set(new FaultInjector({ latency: 100 }));
 * await point.conn.write(new Uint8Array(1)); // sent 100 ms later
 * ```
 *
 * @module
 */

import type { FaultCounts, Faults } from "../net/fault_options.ts";
import type { FaultInjector } from "./fault_injector.ts";
import { FaultyConn, type FaultyConnOptions } from "./faulty_conn.ts";

/** The faults that close a connection before a byte flows. */
export type Refusal = "down" | "closeOnAccept";

/** What a fault point needs to know of its connection. */
export interface FaultPointOptions extends Omit<FaultyConnOptions, "counts"> {
  /** The number of the connection, which random choices depend on. */
  id: number;
  /** Closes the connection, because the fault `down` was set while it is open. */
  onDown?: () => void;
}

/** A connection and its faults. */
export class FaultPoint {
  /** The connection to use for the next operation, with faults or without. */
  conn: Deno.Conn;
  /** See `FaultPointOptions`. */
  readonly onDown: (() => void) | undefined;
  readonly #options: FaultPointOptions;
  #faults: Faults | undefined;
  #faulty: FaultyConn | undefined;
  #counts: FaultCounts | undefined;

  /** Has no faults yet. */
  constructor(conn: Deno.Conn, options: FaultPointOptions) {
    this.conn = conn;
    this.onDown = options.onDown;
    this.#options = options;
  }

  /** How often each fault took effect; `undefined` if there were never any. */
  get counts(): FaultCounts | undefined {
    return this.#counts;
  }

  /** Whether there are faults, or were any. */
  get isFaulty(): boolean {
    return this.#faulty !== undefined;
  }

  /** Bytes that were written to `conn`, but not sent yet. */
  get pending(): number {
    const { bytesAccepted = 0, bytesSent = 0 } = this.#faulty ?? {};
    return bytesAccepted - bytesSent;
  }

  /** Whether a fault has half-closed the connection. */
  get isCut(): boolean {
    return this.#faulty?.isCut ?? false;
  }

  /** Whether a fault has reset the connection. */
  get isReset(): boolean {
    return this.#faulty?.isReset ?? false;
  }

  /** Replaces the faults. Without an injector, there are none. */
  set(injector: FaultInjector | undefined): void {
    const chosen = injector?.faultsOf(this.#options.id);
    this.#faults = chosen?.faults;
    if (!chosen && !this.#faulty) return;
    const counts = this.#counts ??= {};
    if (!this.#faulty) {
      this.#faulty = new FaultyConn(this.conn, { ...this.#options, counts });
      this.conn = this.#faulty;
    }
    this.#faulty.setFaults(chosen);
  }

  /** The fault that closes the connection before a byte flows, if there is one. */
  get refusal(): Refusal | undefined {
    if (this.#faults?.down) return "down";
    return this.#faults?.closeOnAccept ? "closeOnAccept" : undefined;
  }

  /** Counts that such a fault has closed the connection. */
  countRefusal(fault: Refusal): void {
    this.#counts ??= {};
    this.#counts[fault] = 1;
  }

  /** Resolves when all bytes written so far were sent, those held back too. */
  async flush(): Promise<void> {
    await this.#faulty?.flush();
  }
}
