/**
 * Ends the client's stream once the client pauses, as if the client had: an echo is
 * half-closed, and an upstream, once it has answered, gets the end of input. What the
 * client sends after that is dropped. What the upstream sends is passed on.
 *
 * The streams end when the client closes its side too. There is no time limit here: if
 * the connection were closed while the client still sends, the client would receive a
 * reset, which destroys what it has not read (RFC 2525, section 2.17). The owner sets
 * the limit.
 *
 * @module
 */

import type { QuietTimer } from "./quiet_timer.ts";
import type { Streams } from "./streams.ts";

/**
 * Milliseconds without data after which a client has paused. In a proxy: longer than
 * a delayed acknowledgement (40 ms), and than the gaps in a reply on a local network.
 */
const PAUSE_MS = { echo: 10, proxy: 100 };

/**
 * The longest pause. While a client does not take what it was sent, pauses grow with
 * the time that it takes: by a tenth, so that its end is noticed a tenth later.
 */
const MAX_PAUSE_MS = 500;

/**
 * Milliseconds of silence after which an idle client is closed once it was sent
 * the end of input: what it sent before that reached it has arrived by then. The
 * initial retransmission timeout of RFC 6298 assumes the same round-trip time.
 */
const IDLE_LINGER_MS = 1_000;

/** How to drain. */
export interface DrainOptions {
  /** The timer to use. */
  quiet: QuietTimer;
  /**
   * Called after a second of silence, for a client that has read everything before.
   * Otherwise each client that keeps an unused connection open would delay the end.
   */
  onIdle: (() => void) | undefined;
}

/** Drains streams. */
export function drain(
  streams: Streams,
  { quiet, onIdle }: DrainOptions,
): void {
  const count = () => streams.lastRead;
  const waitForPause = (ms: number) => {
    quiet.start(ms, {
      count,
      onQuiet() {
        if (!streams.isWhole || !streams.isAnswered) {
          return waitForPause(Math.min(1.1 * ms, MAX_PAUSE_MS));
        }
        streams.halfClose();
        if (onIdle) quiet.start(IDLE_LINGER_MS, { count, onQuiet: onIdle });
      },
    });
  };
  waitForPause(streams.upstream ? PAUSE_MS.proxy : PAUSE_MS.echo);
}
