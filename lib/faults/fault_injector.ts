/**
 * Which connections get which faults: one setting of faults for the connections of
 * a server, in one direction. The same seed makes the same choices.
 *
 * ```ts
 * import { FaultInjector } from "./fault_injector.ts";
 *
 * const injector = new FaultInjector({ latency: 100, toxicity: 0.5, seed: 7 });
 * injector.faultsOf(1); // those of connection 1, or undefined for none
 * ```
 *
 * @module
 */

import type { Direction, Faults } from "../net/fault_options.ts";
import { prng } from "./prng.ts";

/** The faults of one connection. */
export interface ConnFaults {
  readonly faults: Faults;
  /** A random number generator that repeats with the seed, one per purpose. */
  random(purpose: number): () => number;
}

/** The purpose of the number that decides whether a connection has faults. */
const TOXICITY = 0;

/**
 * Added to the purposes of the upstream direction, so that both directions of a
 * connection differ. It is more than there are purposes.
 */
const UPSTREAM = 1_000;

/** One setting of faults. */
export class FaultInjector {
  readonly #faults: Faults;
  readonly #seed: number;
  readonly #offset: number;

  /** The faults must have passed `checkFaults`. */
  constructor(faults: Faults, direction: Direction = "downstream") {
    this.#faults = faults;
    this.#seed = faults.seed ??
      Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    this.#offset = direction === "upstream" ? UPSTREAM : 0;
  }

  /** The faults of connection `id`; `undefined` if it has none (`toxicity`). */
  faultsOf(id: number): ConnFaults | undefined {
    const random = (purpose: number) =>
      prng(this.#seed, id, purpose + this.#offset);
    const { toxicity = 1 } = this.#faults;
    if (random(TOXICITY)() >= toxicity) return undefined;
    return { faults: this.#faults, random };
  }
}
