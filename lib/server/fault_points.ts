/**
 * The connections that belong to one accepted connection: the client's, and a
 * proxy's to its upstream. All get their faults from the same control.
 *
 * ```ts
 * import { FaultControl } from "../faults/fault_control.ts";
 * import { FaultPoints } from "./fault_points.ts";
 *
 * const points = new FaultPoints(new FaultControl({ downstream: { slicer: 1 } }), {
 *   id: 1,
 *   acceptedAt: performance.now(),
 *   onRefused: console.log,
 * });
 * const conn = await Deno.connect({ port: 12345 });
 * points.attach(conn, { direction: "downstream" });
 * ```
 *
 * @module
 */

import type { FaultControl } from "../faults/fault_control.ts";
import type {
  FaultPoint,
  FaultPointOptions,
  Refusal,
} from "../faults/fault_point.ts";
import type { Direction, FaultCounts } from "../net/fault_options.ts";
import { addFaults } from "./traffic.ts";

/** What the points of a connection have in common. */
export interface FaultPointsOptions {
  /** The number of the connection. */
  id: number;
  /** When it was accepted, as `performance.now()` has it. */
  acceptedAt: number;
  /** An outage closes the connection, which is open. */
  onRefused(point: FaultPoint, fault: Refusal): void;
}

/** The connections of one accepted connection. */
export class FaultPoints {
  readonly #faults: FaultControl;
  readonly #options: FaultPointsOptions;
  readonly #points: FaultPoint[] = [];
  #refed = true;

  /** Has no connection yet. */
  constructor(faults: FaultControl, options: FaultPointsOptions) {
    this.#faults = faults;
    this.#options = options;
  }

  /** Injects the faults of a direction into a connection. */
  attach(
    conn: Deno.Conn,
    options:
      & Omit<FaultPointOptions, "id" | "acceptedAt" | "onDown">
      & { direction: Direction },
  ): FaultPoint {
    const { id, acceptedAt, onRefused } = this.#options;
    const point: FaultPoint = this.#faults.attach(conn, {
      ...options,
      id,
      acceptedAt,
      onDown: () => onRefused(point, "down"),
    });
    this.#points.push(point);
    if (!this.#refed) conn.unref();
    return point;
  }

  /** Lets faults change no more: all are closed. */
  detach(): void {
    for (const point of this.#points) this.#faults.detach(point);
  }

  /** How often each fault took effect; `undefined` if there were never any. */
  get counts(): FaultCounts | undefined {
    let sum: FaultCounts | undefined;
    for (const { counts } of this.#points) {
      if (counts) addFaults(sum ??= {}, counts);
    }
    return sum;
  }

  /** Whether a fault has half-closed one of them. */
  get isCut(): boolean {
    return this.#points.some(({ isCut }) => isCut);
  }

  /** Keeps the process alive while they are open. */
  ref(): void {
    this.#refed = true;
    for (const { conn } of this.#points) conn.ref();
  }

  /** Lets the process end while they are open. */
  unref(): void {
    this.#refed = false;
    for (const { conn } of this.#points) conn.unref();
  }
}
