/**
 * Whether bytes came back as they were sent, and if not, where they differ.
 *
 * ```ts
 * import { difference } from "./verify.ts";
 * difference(Uint8Array.of(1, 2, 9), Uint8Array.of(1, 2, 3)); // 2
 * ```
 *
 * @module
 */

/** Bytes from which on the views that comparing words takes are worth it. */
const WORTH_WORDS = 256;

/**
 * Compares what was received with what was sent, from index `from` up to `to`
 * (without it). Returns the first index whose byte is not the one sent, or where
 * nothing was sent any more; -1 where there is none.
 */
export function difference(
  received: Uint8Array,
  sent: Uint8Array,
  from = 0,
  to: number = received.length,
): number {
  const comparable = Math.min(to, sent.length);
  let i = from;
  // Four bytes at a time cost a quarter, where both lie alike in memory.
  if (
    comparable - from >= WORTH_WORDS && from % 4 === 0 &&
    received.byteOffset % 4 === 0 && sent.byteOffset % 4 === 0
  ) {
    const length = comparable >> 2;
    const a = new Uint32Array(received.buffer, received.byteOffset, length);
    const b = new Uint32Array(sent.buffer, sent.byteOffset, length);
    let word = from >> 2;
    while (word < length && a[word] === b[word]) word++;
    i = word << 2;
  }
  for (; i < comparable; i++) {
    if (received[i] !== sent[i]) return i;
  }
  return comparable < to ? Math.max(comparable, from) : -1;
}
