/**
 * Writes all of a chunk: one write may accept only part of it.
 *
 * @module
 */

/**
 * Writes until nothing is left. `onWritten` is called with the number of bytes
 * of each write.
 */
export async function writeAll(
  conn: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
  onWritten?: (count: number) => void,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const count = await conn.write(at === 0 ? bytes : bytes.subarray(at));
    onWritten?.(count);
    at += count;
  }
}
