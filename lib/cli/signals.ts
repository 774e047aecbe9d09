/**
 * How a program is asked to end: by signals, and by the end of its terminal, which
 * sends SIGHUP.
 *
 * @module
 */

/** The signals that ask a program to end. Windows has no SIGTERM. */
const TERMINATION_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * A repeat of a signal within this many milliseconds does not count. Under
 * `deno task` both the terminal and the task runner deliver Ctrl-C, about 1 ms
 * apart, and more on a busy machine. Nobody presses it twice that fast.
 */
const SAME_SIGNAL_MS = 200;

/** Exit status: success, failure, wrong usage, interrupted (128 + SIGINT). */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A run ended by a signal before it had a result. Without a message it is quiet. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/**
 * Calls `handler` for each signal that counts. A repeat within 200 ms does not.
 * SIGHUP counts only as the first signal: when a window is closed, the shell and
 * the kernel may both send it, at any distance.
 */
export function countSignals(
  handler: (signal: Deno.Signal) => void,
  { now = () => performance.now() }: { now?: () => number } = {},
): (signal: Deno.Signal) => void {
  const counted = new Map<Deno.Signal, number>();
  return (signal) => {
    if (signal === "SIGHUP" && counted.size > 0) return;
    const time = now();
    if (time - (counted.get(signal) ?? -Infinity) < SAME_SIGNAL_MS) return;
    counted.set(signal, time);
    handler(signal);
  };
}

/** Whether a standard stream is a terminal, so that SIGHUP means its end. */
function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) =>
    stream.isTerminal()
  );
}

/**
 * Ignores SIGHUP if no standard stream is a terminal. Deno replaces the setting
 * of `nohup` with a handler that ends the process, unless there is a listener.
 */
export function ignoreHangup(): void {
  if (Deno.build.os === "windows" || hasTerminal()) return;
  Deno.addSignalListener("SIGHUP", () => {});
}

/**
 * Calls `handler` each time that the program is asked to end: by a signal, or
 * because its terminal was closed.
 */
export function onTerminationSignal(
  handler: (signal: Deno.Signal) => void,
): void {
  const onSignal = countSignals(handler);
  const hangup: Deno.Signal[] = Deno.build.os !== "windows" && hasTerminal()
    ? ["SIGHUP"]
    : [];
  for (const signal of [...TERMINATION_SIGNALS, ...hangup]) {
    Deno.addSignalListener(signal, () => onSignal(signal));
  }
}

/** A signal that the first Ctrl-C aborts. The second one ends the process. */
export function abortOnSignal(): AbortSignal {
  const controller = new AbortController();
  onTerminationSignal(() => {
    if (controller.signal.aborted) Deno.exit(EXIT.interrupted);
    controller.abort(new Interrupted());
  });
  return controller.signal;
}

/** Calls `handler` for each Ctrl-\ (SIGQUIT), which Windows does not have. */
export function onQuitSignal(handler: () => void): void {
  if (Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGQUIT", handler);
}
