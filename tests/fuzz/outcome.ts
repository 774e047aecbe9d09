/**
 * What became of a client, and whether it may.
 *
 * @module
 */

import { pattern } from "../support/peers.ts";
import { prospects, type Script } from "./script.ts";

/**
 * How the stream of a client ended. `truncated` is the end of TCP within a TLS
 * session. `left` if the client ended it, `failed` if the TLS handshake failed.
 */
export type End = "eof" | "reset" | "truncated" | "left" | "refused" | "failed";

/** What became of a client. */
export interface Outcome {
  /** Whether it half-closed and read on to the end. */
  polite: boolean;
  written: Uint8Array;
  received: Uint8Array;
  end: End;
  /** Whether all its writes succeeded: the error of a write hides the end. */
  wrote: boolean;
}

/** Says what is wrong with an outcome, if there is anything. */
export function wrongOutcome(
  script: Script,
  { polite, written, received, end, wrote }: Outcome,
): string | undefined {
  const { upstream, tls } = script;
  const { onlyDelays, unaltered, endless } = prospects(script);
  const does = upstream?.does ?? "echo";
  const replies = does === "early" || does === "late";
  const expected = does === "echo"
    ? written
    : pattern(endless ? received.length : replies ? upstream!.reply : 0);
  const got = `${received.length} of ${expected.length} bytes, then ${end}`;
  if (received.length > expected.length) return `got ${got}`;
  const at = unaltered
    ? received.findIndex((byte, i) => byte !== expected[i])
    : -1;
  if (at >= 0) return `got ${got}: byte ${at} is wrong`;
  if (!polite || endless || !onlyDelays) return undefined;
  // Faults that only delay, and a client that waits: all that is due comes.
  if (received.length < expected.length) return `got ${got}`;
  const whole = !replies || upstream!.ends === "close";
  if (end === "left") return `never got the end: ${got}`;
  if (whole && end !== "eof") return `got ${got}: the end was clean`;
  if (!whole && tls && wrote && end === "eof") {
    return `got ${got}: the upstream's end was none`;
  }
  return undefined;
}

/** The first difference between the outcomes of clients that read to the end. */
export function difference(
  fast: readonly Outcome[],
  slow: readonly Outcome[],
): string | undefined {
  const show = ({ received, end }: Outcome) =>
    `${received.length} bytes, ${end}`;
  const client = fast.findIndex((a, i) => {
    const b = slow[i]!;
    return a.polite && (a.received.length !== b.received.length ||
      a.wrote && b.wrote && a.end !== b.end);
  });
  if (client < 0) return undefined;
  return `client ${client} got ${show(slow[client]!)} instead of ${
    show(fast[client]!)
  }`;
}
