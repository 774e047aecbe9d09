/**
 * The faults `limitData`, `stall` and `reset`: the connection ends after a
 * number of bytes. If several are set, the one with the fewest bytes ends it.
 *
 * ```sh
 * deno task server --limit-data 100
 * ```
 *
 * @module
 */

import {
  type EndingFault,
  MAX_QUEUED,
  type Sink,
  type StageContext,
} from "./stage.ts";

/** Cuts the connection off; the stage is off if none of the faults is set. */
export function cutOff(next: Sink, context: StageContext): Sink {
  const { reset, limitData, stall } = context.faults;
  const limits: [EndingFault, number | undefined][] = [
    ["reset", reset],
    ["limitData", limitData],
    ["stall", stall],
  ];
  let fault: EndingFault | undefined;
  let limit = Infinity;
  for (const [name, bytes = Infinity] of limits) {
    if (bytes < limit) [fault, limit] = [name, bytes];
  }
  return fault === undefined ? next : new CutOff(next, context, fault, limit);
}

class CutOff implements Sink {
  #sent = 0;
  #discarded = 0;
  #ended = false;

  constructor(
    readonly next: Sink,
    readonly context: StageContext,
    readonly fault: EndingFault,
    readonly limit: number,
  ) {}

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended) return await this.#discard(chunk);
    const allowed = chunk.subarray(0, this.limit - this.#sent);
    if (allowed.length > 0) await this.next.write(allowed);
    this.#sent += allowed.length;
    if (this.#sent < this.limit) return;
    // A reset needs unread data in the receive buffer, so it waits until the
    // client has sent more.
    if (this.fault === "reset" && allowed.length === chunk.length) return;
    this.#ended = true;
    await this.context.end(this.fault);
  }

  /**
   * After a stall, bytes are accepted for a while: only a read can notice that
   * the client has reset the connection. Then writing blocks until it is closed.
   */
  async #discard(chunk: Uint8Array): Promise<void> {
    this.#discarded += chunk.length;
    if (this.fault !== "stall" || this.#discarded <= MAX_QUEUED) return;
    await this.context.untilClosed();
    this.context.signal.throwIfAborted();
  }
}
