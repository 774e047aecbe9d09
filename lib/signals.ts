/**
 * The signals that ask a program to end, and SIGHUP, which is sent when a
 * terminal is closed.
 *
 * ```sh
 * nohup deno run -A server.ts >server.log 2>&1 </dev/null & # ignores SIGHUP
 * kill $! # ends it in order
 * ```
 *
 * @module
 */

/** The signals that ask a program to end; Windows knows no SIGTERM. */
export const ENDING: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * Milliseconds within which a repeated signal is the same one. Under `deno task`
 * the terminal and the task runner both deliver Ctrl-C, about 1 ms apart, and
 * more on a loaded machine; people take longer to press it again.
 */
const SAME_SIGNAL_MS = 200;

/**
 * Passes on to `handler` the signals that count: not a repeat within 200 ms, and
 * SIGHUP only as the first one, because closing a window may send several, from
 * the shell and from the kernel, at any distance.
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

/** Whether a standard stream is a terminal, whose end SIGHUP would tell. */
function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) =>
    stream.isTerminal()
  );
}

/**
 * Ignores SIGHUP where no standard stream is a terminal. Deno installs a handler
 * of its own, which undoes what `nohup` has set and ends the process; it stands
 * back only for a listener.
 */
export function ignoreHangup(): void {
  if (Deno.build.os === "windows" || hasTerminal()) return;
  Deno.addSignalListener("SIGHUP", () => {});
}

/**
 * Calls `handler` whenever the program is asked to end: by a signal, or because
 * its terminal was closed.
 */
export function onEnding(handler: (signal: Deno.Signal) => void): void {
  const count = countSignals(handler);
  const hangup = Deno.build.os !== "windows" && hasTerminal();
  for (const signal of hangup ? [...ENDING, "SIGHUP" as const] : ENDING) {
    Deno.addSignalListener(signal, () => count(signal));
  }
}
