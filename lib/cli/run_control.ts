/**
 * What the modes that run for a while share: how they end, and their events.
 *
 * ```ts
 * import { printEvent, RunControl } from "./run_control.ts";
 *
 * const control = new RunControl();
 * control.write(() => printEvent("probe", { seq: 1 }));
 * control.throwIfOutputClosed();
 * ```
 *
 * @module
 */

import { EXIT } from "./program.ts";
import { onTerminationSignal } from "./signals.ts";
import { print } from "./stdio.ts";
import { jsonLine } from "./terminal.ts";

/** Prints an event as JSON. */
export function printEvent(event: string, fields: object): void {
  print(jsonLine({ event, ...fields }));
}

/** A signal that the first Ctrl-C aborts. The second one ends the process. */
export function abortOnSignal(reason?: () => Error): AbortSignal {
  const controller = new AbortController();
  onTerminationSignal(() => {
    if (controller.signal.aborted) Deno.exit(EXIT.failed);
    controller.abort(reason?.());
  });
  return controller.signal;
}

/** Ends a run on Ctrl-C, and when its output can no longer be written. */
export class RunControl {
  readonly #outputClosed = new AbortController();
  /** Ends the run. */
  readonly signal: AbortSignal = AbortSignal.any([
    abortOnSignal(),
    this.#outputClosed.signal,
  ]);

  /** Runs `write` during the run. If it throws, the run is ended. */
  write(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#outputClosed.abort(error);
    }
  }

  /** @throws what `write` threw during the run. */
  throwIfOutputClosed(): void {
    this.#outputClosed.signal.throwIfAborted();
  }
}
