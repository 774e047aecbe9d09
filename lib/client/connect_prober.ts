/**
 * Probes that only connect. Each one makes a connection, measures how long that
 * takes, and closes it, so the server need not echo.
 *
 * ```ts
 * import { ConnectProber } from "./connect_prober.ts";
 *
 * using prober = new ConnectProber(() => Deno.connect({ port: 22 }));
 * const { rtt } = await prober.probe(1);
 * ```
 *
 * @module
 */

import { EchoError } from "../net/errors.ts";
import type { Probe } from "./prober.ts";

/** Connects, one attempt at a time. */
export class ConnectProber implements Disposable {
  /** No probe is lost because the attempt of another one takes long. */
  readonly failedAt = -Infinity;
  readonly #dial: () => Promise<Deno.Conn>;

  /** Takes what connects. It adds its own context to its errors. */
  constructor(dial: () => Promise<Deno.Conn>) {
    this.#dial = dial;
  }

  /** Connects and closes the connection. @throws what `dial` throws. */
  async connect(dial = this.#dial): Promise<void> {
    using _conn = await dial();
  }

  /**
   * Makes the connection of probe `seq`. A loss is in the result.
   *
   * @throws the signal's reason, or an error that every later probe would meet
   * too, such as a missing permission.
   */
  async probe(seq: number): Promise<Probe> {
    const probe: Probe = { seq, size: 0, timestamp: new Date().toISOString() };
    const start = performance.now();
    try {
      using _conn = await this.#dial();
      probe.rtt = performance.now() - start;
    } catch (error) {
      if (!(error instanceof EchoError)) throw error;
      probe.error = error;
    }
    return probe;
  }

  /** Nothing is open between two probes. */
  [Symbol.dispose](): void {}
}
