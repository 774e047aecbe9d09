/**
 * The faults that end or stall a connection: `limitData`, `stall` and `reset` after
 * a number of bytes; `closeAfter`, `stallAfter` and `resetAfter` after a time. The
 * first one that is reached takes effect. After a stall, the others still may.
 *
 * ```sh
 * deno task server --limit-data 100
 * deno task server --stall-after 5s
 * ```
 *
 * @module
 */

import type { Faults } from "../net/fault_options.ts";
import {
  type EndingFault,
  MAX_QUEUED,
  type Sink,
  type StageContext,
} from "./stage.ts";

/** What is reached after some bytes, or after some time. */
type Limit = EndingFault | "stall" | "stallAfter";

const BY_BYTES = ["reset", "limitData", "stall"] as const;
const BY_TIME = ["resetAfter", "closeAfter", "stallAfter"] as const;

/** Cuts the connection off; the stage is off if none of the faults is set. */
export function cutOff(next: Sink, context: StageContext): Sink {
  const isSet = (fault: keyof Faults) => context.faults[fault] !== undefined;
  return [...BY_BYTES, ...BY_TIME].some(isSet)
    ? new CutOff(next, context)
    : next;
}

class CutOff implements Sink {
  readonly #next: Sink;
  readonly #context: StageContext;
  /** The fault with the fewest bytes, and their number. */
  readonly #fault: Limit | undefined;
  readonly #limit: number = Infinity;
  #sent = 0;
  #stalled = false;
  /** What a stall holds back. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #releasing: Promise<void> | undefined;

  constructor(next: Sink, context: StageContext) {
    this.#next = next;
    this.#context = context;
    const { faults, acceptedAt } = context;
    for (const name of BY_BYTES) {
      const bytes = faults[name] ?? Infinity;
      if (bytes < this.#limit) [this.#fault, this.#limit] = [name, bytes];
    }
    for (const name of BY_TIME) {
      const ms = faults[name];
      if (ms === undefined) continue;
      const left = acceptedAt + ms - performance.now();
      if (left > 0) context.after(left, () => this.#reachNow(name));
      else this.#reachNow(name);
    }
    if (this.#limit === 0 && this.#fault === "limitData") {
      this.#reachNow(this.#fault);
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#context.ended()) return;
    if (this.#stalled) return await this.#hold(chunk);
    const allowed = chunk.subarray(0, this.#limit - this.#sent);
    if (allowed.length > 0) await this.#next.write(allowed);
    this.#sent += allowed.length;
    if (this.#sent < this.#limit) return;
    const rest = chunk.subarray(allowed.length);
    if (this.#context.released()) return await this.#next.write(rest);
    // A reset waits for one byte more: it needs unread data in the receive buffer.
    if (this.#fault === "reset" && rest.length === 0) return;
    await this.#reach(this.#fault!);
    if (this.#stalled && rest.length > 0) await this.#hold(rest);
  }

  async flush(): Promise<void> {
    if (!this.#stalled || this.#context.ended()) return;
    await this.#context.pause(Infinity);
    await this.#release();
  }

  #reachNow(fault: Limit): void {
    // A failure to end the connection is one of the next read or write, too.
    this.#reach(fault).catch(() => {});
  }

  async #reach(fault: Limit): Promise<void> {
    if (fault !== "stall" && fault !== "stallAfter") {
      return await this.#context.end(fault);
    }
    if (this.#stalled || this.#context.ended()) return;
    this.#stalled = true;
    this.#context.count(fault);
  }

  /**
   * Holds a chunk until the faults are replaced. A bounded number of bytes is
   * accepted: only a read can notice that the peer has reset the connection, and
   * a relay reads again when its write has resolved.
   */
  async #hold(chunk: Uint8Array): Promise<void> {
    if (this.#heldBytes >= MAX_QUEUED) {
      await this.#context.pause(Infinity);
      await this.#release();
      return await this.#next.write(chunk);
    }
    this.#held.push(chunk.slice());
    this.#heldBytes += chunk.length;
  }

  /** Sends what was held back, once. */
  #release(): Promise<void> {
    return this.#releasing ??= (async () => {
      for (const chunk of this.#held) await this.#next.write(chunk);
      this.#held = [];
    })();
  }
}
