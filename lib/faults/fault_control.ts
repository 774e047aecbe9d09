/**
 * The faults of a server and their changes: which faults are in force now, and for
 * which connections.
 *
 * ```ts
 * import { FaultControl } from "./fault_control.ts";
 *
 * const control = new FaultControl({ downstream: { latency: 10 } });
 * {
 *   using _outage = control.inject({ downstream: { down: true } });
 * } // the latency is back
 * control.set({});
 * ```
 *
 * @module
 */

import {
  checkFaults,
  type DirectedFaults,
  type Direction,
} from "../net/fault_options.ts";
import { FaultInjector } from "./fault_injector.ts";
import { FaultPoint, type FaultPointOptions } from "./fault_point.ts";

type Injectors = { readonly [D in Direction]?: FaultInjector };

/** @throws {RangeError} that names the fault whose value is out of range. */
function injectorsOf({ downstream, upstream }: DirectedFaults): Injectors {
  for (const faults of [downstream, upstream]) {
    if (faults) checkFaults(faults);
  }
  return {
    ...downstream && { downstream: new FaultInjector(downstream) },
    ...upstream && { upstream: new FaultInjector(upstream, "upstream") },
  };
}

/** The faults of a server. */
export class FaultControl {
  /** The settings; each scope adds one. The last one is in force. */
  readonly #settings: { injectors: Injectors }[];
  readonly #points: Record<Direction, Set<FaultPoint>> = {
    downstream: new Set(),
    upstream: new Set(),
  };
  #used: boolean;

  /** @throws {RangeError} that names the fault whose value is out of range. */
  constructor(faults: DirectedFaults = {}) {
    const injectors = injectorsOf(faults);
    this.#settings = [{ injectors }];
    this.#used = Object.keys(injectors).length > 0;
  }

  /** Whether there are faults, or were any. */
  get used(): boolean {
    return this.#used;
  }

  /**
   * Replaces the faults in force. In a scope of `inject`, until the scope ends.
   *
   * @throws {RangeError} that names the fault whose value is out of range.
   */
  set(faults: DirectedFaults): void {
    this.#settings.at(-1)!.injectors = injectorsOf(faults);
    this.#apply();
  }

  /**
   * Replaces the faults in force until the result is disposed. Scopes may end in any
   * order: the last one that has not ended is in force.
   *
   * @throws {RangeError} that names the fault whose value is out of range.
   */
  inject(faults: DirectedFaults): Disposable {
    const setting = { injectors: injectorsOf(faults) };
    this.#settings.push(setting);
    this.#apply();
    return {
      [Symbol.dispose]: () => {
        const at = this.#settings.indexOf(setting);
        if (at < 0) return;
        const inForce = at === this.#settings.length - 1;
        this.#settings.splice(at, 1);
        if (inForce) this.#apply();
      },
    };
  }

  /** Starts to inject faults into a connection, those in force and all later ones. */
  attach(
    conn: Deno.Conn,
    options: FaultPointOptions & { direction: Direction },
  ): FaultPoint {
    const { direction } = options;
    const point = new FaultPoint(conn, options);
    point.set(this.#inForce[direction]);
    this.#points[direction].add(point);
    return point;
  }

  /** Forgets a connection that is closed. */
  detach(point: FaultPoint): void {
    this.#points.downstream.delete(point);
    this.#points.upstream.delete(point);
  }

  get #inForce(): Injectors {
    return this.#settings.at(-1)!.injectors;
  }

  #apply(): void {
    this.#used = true;
    for (const direction of ["downstream", "upstream"] as const) {
      for (const point of this.#points[direction]) {
        point.set(this.#inForce[direction]);
        if (point.refusal === "down") point.onDown?.();
      }
    }
  }
}
