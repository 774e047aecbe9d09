/**
 * The signals that ask a program to end, and SIGHUP, which is sent when its
 * terminal is closed.
 *
 * ```sh
 * nohup deno run -A server.ts >server.log 2>&1 </dev/null & # ignores SIGHUP
 * kill $! # shuts it down gracefully
 * ```
 *
 * @module
 */

/** The signals that ask a program to end. Windows has no SIGTERM. */
export const TERMINATION_SIGNALS: readonly Deno.Signal[] =
  Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];

/**
 * A repeat of a signal within this many milliseconds does not count. Under
 * `deno task` both the terminal and the task runner deliver Ctrl-C, about 1 ms
 * apart, and more on a busy machine. Nobody presses it twice that fast.
 */
const SAME_SIGNAL_MS = 200;

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

/** Calls `handler` for each Ctrl-\ (SIGQUIT), which Windows does not have. */
export function onQuitSignal(handler: () => void): void {
  if (Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGQUIT", handler);
}
